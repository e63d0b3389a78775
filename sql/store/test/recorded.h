/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorded.h - a recorded capture, repeated for ever with other times
 *
 * For benchmarks: what made-up records hide (many reasons, durations of many sizes, a slow
 * machine) shows only in real ones. Repeating a recording as it is would make every histogram the
 * same few buckets, so handler time, user-space time and the time in the guest grow by a random
 * part of up to 1/16, as they vary on real machines. The same seed gives the same records.
 */
#ifndef EXITSCOPE_SQL_STORE_TEST_RECORDED_H
#define EXITSCOPE_SQL_STORE_TEST_RECORDED_H

#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"

/* The records of a capture, in the order of the file. */
struct recording {
	struct kvm_exit_record *records;
	size_t count;
	uint32_t isa;
	uint32_t tsc_khz;
	uint64_t tsc_start;
};

/* One vCPU that repeats a recording. */
struct repeat {
	const struct recording *recording;
	size_t next;
	uint64_t random;
	uint64_t seq;
	uint64_t tsc;
};

/* Reads @path (plain or .gz). Returns 0; or -1 with a line on standard error. */
int recording_load(const char *path, struct recording *recording);
void recording_free(struct recording *recording);

/* @seed: vCPUs of different seeds begin up to half a second apart. */
void repeat_init(struct repeat *repeat, const struct recording *recording, uint64_t seed);
void repeat_fill(struct repeat *repeat, struct kvm_exit_record *records, size_t count);

#endif
