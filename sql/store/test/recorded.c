// SPDX-License-Identifier: GPL-2.0-only
/* recorded.c - reads the records of a capture and repeats them with noise; see recorded.h */
#include "sql/store/test/recorded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/random.h"
#include "collector/source/capture.h"

static int add_records(struct recording *recording, const struct source_item *item)
{
	struct kvm_exit_record *records =
		array_reserve(recording->records, recording->count, item->count, sizeof(*records));

	if (!records)
		return -ENOMEM;
	memcpy(records + recording->count, item->records, item->count * sizeof(*records));
	recording->records = records;
	recording->count += item->count;
	return 0;
}

static int read_all(struct source *source, struct recording *recording, struct fault *fault)
{
	struct source_item item = {0};
	int rc = 0;

	while (!rc && item.kind != SOURCE_FINISHED) {
		rc = source_next(source, &item, fault);
		if (!rc && item.kind == SOURCE_RECORDS)
			rc = add_records(recording, &item);
	}
	if (rc || !recording->count)
		return fault_set(fault, rc ? rc : -ENODATA, "no records");

	recording->isa = source->info.isa;
	recording->tsc_khz = source->info.tsc_khz;
	recording->tsc_start = source->info.tsc_start;
	return 0;
}

int recording_load(const char *path, struct recording *recording)
{
	struct source *source = NULL;
	struct fault fault = {0};
	int rc = source_capture_open(path, &source, &fault);

	*recording = (struct recording){0};
	if (!rc)
		rc = read_all(source, recording, &fault);
	source_close(source);

	if (!rc)
		return 0;
	fprintf(stderr, "%s: %s\n", path, fault.text);
	recording_free(recording);
	return -1;
}

void recording_free(struct recording *recording)
{
	free(recording->records);
	*recording = (struct recording){0};
}

/* @cycles and up to a sixteenth more. */
static uint64_t vary(struct repeat *repeat, uint64_t cycles)
{
	return cycles < 16 ? cycles : cycles + random_next(&repeat->random) % (cycles / 16 + 1);
}

void repeat_init(struct repeat *repeat, const struct recording *recording, uint64_t seed)
{
	*repeat = (struct repeat){
		.recording = recording,
		.random = seed,
		.tsc = recording->tsc_start + recording->tsc_khz * 5 * (seed % 97),
	};
}

/* Cycles from the end of the exit before @r to @r; after the last record of a vCPU: a few. */
static uint64_t guest_cycles(const struct recording *recording, size_t at)
{
	const struct kvm_exit_record *r = &recording->records[at];
	uint64_t before_end = at ? r[-1].tsc + r[-1].cycles : 0;

	return at && r->vcpu_id == r[-1].vcpu_id && r->tsc > before_end ? r->tsc - before_end
									: 1000;
}

static void fill(struct repeat *repeat, struct kvm_exit_record *r)
{
	const struct recording *recording = repeat->recording;

	*r = recording->records[repeat->next];
	r->seq = repeat->seq++;
	r->tsc = repeat->tsc += vary(repeat, guest_cycles(recording, repeat->next));
	r->handler_cycles = vary(repeat, r->handler_cycles);
	r->userspace_cycles = vary(repeat, r->userspace_cycles);
	r->cycles =
		r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;

	repeat->tsc += r->cycles;
	repeat->next = (repeat->next + 1) % recording->count;
}

void repeat_fill(struct repeat *repeat, struct kvm_exit_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fill(repeat, &records[i]);
}
