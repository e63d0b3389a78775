/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * places.h - which places of a hash table one key may be in
 *
 * Keys that have the same first place do not share the others: each goes on by a step of its own
 * (double hashing; Knuth, The Art of Computer Programming, volume 3, section 6.4). Places that are
 * neighbours fill up together: a table that is three quarters empty then refuses vCPUs, and threads
 * whose ids are a table's length apart push each other out (test/places_test.c).
 */
#ifndef EXITSCOPE_BPF_PLACES_H
#define EXITSCOPE_BPF_PLACES_H

#include <linux/types.h>

#define BPF_PROBES 12U /* places that one key may be in; 8 are too few for places_test */

/* The n-th place, n below BPF_PROBES, of a key in a table of size places, a power of two. */
static inline __attribute__((always_inline)) __u32 place_in(__u64 key, __u32 n, __u32 size)
{
	__u64 hash = key * 0x9e3779b97f4a7c15ULL;

	return ((hash >> 40) + n * (hash >> 50 | 1)) & (size - 1);
}

#endif
