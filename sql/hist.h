/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hist.h - log-linear buckets of durations (table exit_hist)
 *
 * 64 linear buckets to each power of two: values below 64 have a bucket each,
 * above that a bucket spans 1/64 of its power of two, so its middle is off by
 * at most 1/128 (0.79 %) of the value. Buckets of intervals, vCPUs and runs add
 * up. The same scheme as fio's stat.h with 6 bits.
 */
#ifndef EXITSCOPE_SQL_HIST_H
#define EXITSCOPE_SQL_HIST_H

#include <stdint.h>

#define HIST_BITS    6
#define HIST_PER_2X  (1U << HIST_BITS)
#define HIST_BUCKETS ((64 - HIST_BITS + 1) * HIST_PER_2X)

/* The bucket of a value: 0 .. HIST_BUCKETS - 1, growing with the value. */
static inline uint32_t hist_bucket(uint64_t value)
{
	/* Below 2 * HIST_PER_2X all buckets are 1 wide: the value is its bucket. */
	uint32_t shift = 63 - (uint32_t)__builtin_clzll(value | HIST_PER_2X) - HIST_BITS;

	return shift * HIST_PER_2X + (uint32_t)(value >> shift);
}

/* The smallest value of a bucket. */
static inline uint64_t hist_low(uint32_t bucket)
{
	uint32_t shift = bucket / HIST_PER_2X;

	if (!shift)
		return bucket;
	return (uint64_t)(HIST_PER_2X + bucket % HIST_PER_2X) << (shift - 1);
}

/* The middle of a bucket: the value that stands for all of it. */
static inline uint64_t hist_middle(uint32_t bucket)
{
	uint32_t shift = bucket / HIST_PER_2X;

	return hist_low(bucket) + (shift > 1 ? (UINT64_C(1) << (shift - 1)) / 2 : 0);
}

#endif
