/* SPDX-License-Identifier: GPL-2.0-only */
/* wrap.h - sums, differences and products of numbers from a file, which wrap around where they
 * overflow */
#ifndef EXITSCOPE_BASE_WRAP_H
#define EXITSCOPE_BASE_WRAP_H

#include <stdint.h>

static inline int64_t wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrap_subtract(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t wrap_multiply(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

#endif
