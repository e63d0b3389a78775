/* SPDX-License-Identifier: GPL-2.0-only */
/* random.h - random numbers that a seed repeats on every machine, for tests and benchmarks */
#ifndef EXITSCOPE_BASE_RANDOM_H
#define EXITSCOPE_BASE_RANDOM_H

#include <stdint.h>

/* The next number of splitmix64 (Steele, Lea and Flood 2014). @state: at first the seed, any
 * number. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

#endif
