// SPDX-License-Identifier: GPL-2.0-only
/* capture_file.c - writes capture files (capture.c reads them) */
#include "collector/source/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_BYTES (256 * 1024)

struct capture {
	gzFile file;
	char *path;
	bool is_finished;
};

int capture_create(const char *path, struct capture **result)
{
	size_t length = strlen(path);
	/* 1: fast; T: no compression and no gzip header at all */
	const char *mode = length > 3 && !strcmp(path + length - 3, ".gz") ? "wb1" : "wbT";
	struct capture *capture;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*result = NULL;
	if (fd < 0)
		return -errno;

	capture = calloc(1, sizeof(*capture));
	if (capture)
		capture->path = strdup(path);
	if (!capture || !capture->path || !(capture->file = gzdopen(fd, mode))) {
		close(fd);
		unlink(path);
		if (capture)
			free(capture->path);
		free(capture);
		return -ENOMEM;
	}

	gzbuffer(capture->file, BUFFER_BYTES);
	*result = capture;
	return 0;
}

static int put(struct capture *capture, const void *data, size_t bytes)
{
	const char *p = data;

	while (bytes) {
		unsigned int part = bytes > 1U << 30 ? 1U << 30 : (unsigned int)bytes;

		errno = 0;
		if (gzwrite(capture->file, p, part) != (int)part)
			return errno ? -errno : -EIO;
		p += part;
		bytes -= part;
	}
	return 0;
}

static int put_block(struct capture *capture, enum capture_kind kind, int vcpu, const void *data,
		     size_t bytes)
{
	const struct capture_block block = {kind, (uint32_t)vcpu, bytes};
	int rc = put(capture, &block, sizeof(block));

	return rc ? rc : put(capture, data, bytes);
}

int capture_begin(struct capture *capture, const struct run_info *info)
{
	const struct capture_header header = {
		.magic = CAPTURE_MAGIC,
		.version = CAPTURE_VERSION,
		.record_bytes = sizeof(struct kvm_exit_record),
		.isa = info->isa,
		.tsc_khz = info->tsc_khz,
		.tsc_start = info->tsc_start,
		.started_ns = info->started_ns,
	};
	int rc = put(capture, &header, sizeof(header));

	for (int i = 0; !rc && i < RUN_TEXTS; i++) {
		char *line;
		int length;

		if (!info->text[i])
			continue;
		length = asprintf(&line, "%s=%s", run_text_names[i], info->text[i]);
		if (length < 0)
			return -ENOMEM;
		rc = put_block(capture, CAPTURE_TEXT, 0, line, (size_t)length);
		free(line);
	}
	return rc;
}

static int put_vcpu(struct capture *capture, const struct source_item *item)
{
	struct capture_vcpu vcpu = {
		.vm_id = item->info.vm_id,
		.ring_id = item->info.ring_id,
		.first_seq = item->info.first_seq,
		.tgid = item->info.tgid,
		.vcpu_id = item->info.vcpu_id,
	};

	if (item->info.comm)
		strncpy(vcpu.comm, item->info.comm, sizeof(vcpu.comm) - 1);
	return put_block(capture, CAPTURE_VCPU, item->vcpu, &vcpu, sizeof(vcpu));
}

/* Copies the slots of @totals (NULL: none) that are not all 0. Returns their number. */
static uint32_t copy_slots(struct capture_slot *to, const struct kvm_exit_total *totals)
{
	static const struct kvm_exit_total zero;
	uint32_t count = 0;

	for (uint32_t i = 0; totals && i < KVM_EXIT_TOTAL_SLOTS; i++) {
		if (memcmp(&totals[i], &zero, sizeof(zero)))
			to[count++] = (struct capture_slot){i, totals[i]};
	}
	return count;
}

static int put_end(struct capture *capture, const struct source_item *item)
{
	struct {
		struct capture_end end;
		struct capture_slot slot[KVM_EXIT_TOTAL_SLOTS];
	} *block = calloc(1, sizeof(*block));
	uint32_t slots;
	int rc;

	if (!block)
		return -ENOMEM;

	slots = copy_slots(block->slot, item->end.totals);
	block->end = (struct capture_end){
		.end_seq = item->end.end_seq,
		.filtered = item->end.filtered,
		.unread = item->end.unread,
		.vmfail = item->end.vmfail,
		.open_exits = item->end.open_exits,
		.ended = item->end.ended,
		.slots = slots,
		.tid = item->end.tid,
	};

	rc = put_block(capture, CAPTURE_END_VCPU, item->vcpu, block,
		       sizeof(block->end) + slots * sizeof(block->slot[0]));
	free(block);
	return rc;
}

int capture_write(struct capture *capture, const struct source_item *item)
{
	switch (item->kind) {
	case SOURCE_VCPU:
		return put_vcpu(capture, item);
	case SOURCE_NAMES:
		return put_block(capture, CAPTURE_NAMES, item->vcpu, item->names,
				 sizeof(*item->names));
	case SOURCE_RECORDS:
		return put_block(capture, CAPTURE_RECORDS, item->vcpu, item->records,
				 item->count * sizeof(*item->records));
	case SOURCE_END_VCPU:
		return put_end(capture, item);
	default:
		return -EINVAL;
	}
}

int capture_finish(struct capture *capture, const struct run_info *info)
{
	const struct capture_finish finish = {info->tsc_end, info->ended_ns};
	int rc = put_block(capture, CAPTURE_FINISH, 0, &finish, sizeof(finish));

	capture->is_finished = !rc;
	return rc;
}

int capture_close(struct capture *capture, bool keep)
{
	int rc;

	if (!capture)
		return 0;

	errno = 0;
	rc = gzclose(capture->file);
	if (rc)
		rc = rc == Z_ERRNO && errno ? -errno : -EIO;

	if (!keep && (rc || !capture->is_finished))
		unlink(capture->path);
	free(capture->path);
	free(capture);
	return rc;
}
