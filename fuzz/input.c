// SPDX-License-Identifier: GPL-2.0-only
/* input.c - an input as a file, and what every source promises; see input.h */
#include "fuzz/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More vCPUs than this are not followed. */
#define VCPUS_MAX 4096

/* More items than this are a source that doesn't end. */
#define ITEMS_MAX 10000000

void input_check(bool ok, const char *text, const char *file, int line)
{
	if (ok)
		return;

	fprintf(stderr, "%s:%d: wrong: %s\n", file, line, text);
	abort();
}

const char *input_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size) {
		perror("memfd");
		abort();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* Of each vCPU the next seq, the sum of its exits, and whether it has ended. */
struct vcpus {
	uint64_t next_seq[VCPUS_MAX];
	uint64_t cycles[VCPUS_MAX];
	bool ended[VCPUS_MAX];
	int count;
	bool made;
};

static void check_records(struct vcpus *vcpus, const struct source_item *item)
{
	for (size_t i = 0; i < item->count; i++) {
		INPUT_CHECK(item->records[i].seq >= vcpus->next_seq[item->vcpu]);
		vcpus->next_seq[item->vcpu] = item->records[i].seq + 1;
		vcpus->cycles[item->vcpu] += item->records[i].cycles;
	}
}

static void check_end(const struct vcpus *vcpus, const struct source *source)
{
	for (int i = 0; i < vcpus->count; i++)
		INPUT_CHECK(vcpus->cycles[i] <= source->info.tsc_end - source->info.tsc_start);
	INPUT_CHECK(!source->info.untimed || !vcpus->count || !vcpus->cycles[0]);
}

static void check_item(struct vcpus *vcpus, const struct source_item *item)
{
	if (item->kind == SOURCE_VCPU) {
		INPUT_CHECK(item->vcpu == vcpus->count);
		INPUT_CHECK(!item->info.comm || strlen(item->info.comm) < 32);
		vcpus->count++;
		return;
	}

	INPUT_CHECK(item->vcpu >= 0 && item->vcpu < vcpus->count);
	INPUT_CHECK(!vcpus->ended[item->vcpu]);
	if (item->kind == SOURCE_END_VCPU) {
		INPUT_CHECK(!vcpus->made || item->end.end_seq >= vcpus->next_seq[item->vcpu]);
		INPUT_CHECK(!vcpus->made || item->end.end_seq <= INT64_MAX);
		vcpus->ended[item->vcpu] = true;
	} else if (vcpus->made) {
		check_records(vcpus, item);
	}
}

int input_read_source(struct source *source, bool made)
{
	static struct vcpus vcpus;
	struct source_item item;
	struct fault fault = {""};
	int rc = 0;

	memset(&vcpus, 0, sizeof(vcpus));
	vcpus.made = made;
	for (int i = 0; !rc; i++) {
		INPUT_CHECK(i < ITEMS_MAX);
		rc = source_next(source, &item, &fault);
		if (rc || item.kind == SOURCE_FINISHED || item.kind == SOURCE_NOTHING)
			break;
		if (item.kind == SOURCE_VCPU && vcpus.count == VCPUS_MAX)
			break;
		check_item(&vcpus, &item);
	}

	if (!rc && made && item.kind == SOURCE_FINISHED)
		check_end(&vcpus, source);
	INPUT_CHECK(!rc || *fault.text);
	INPUT_CHECK(!strchr(fault.text, '\n'));
	source_close(source);
	return rc;
}
