/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dist.h - a distribution of durations: the filled buckets of sql/hist.h
 *
 * Distributions add up. A percentile is the middle of its bucket and is off by
 * less than 0.8 %.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_DIST_H
#define EXITSCOPE_ANALYZER_QUERY_DIST_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: an empty one. Buckets are kept in pages, of which few are used. */
struct dist {
	uint64_t **page;
	uint64_t total; /* sum over all buckets */
};

/* Add n values of a bucket. Returns 0, -ENOMEM, or -ERANGE: no such bucket. */
int dist_add(struct dist *d, uint32_t bucket, uint64_t n);

/* Add all of another one. Returns 0 or -ENOMEM. */
int dist_add_all(struct dist *to, const struct dist *from);

/*
 * The first filled bucket from *bucket on; false: there is none.
 *	for (uint32_t bucket = 0; dist_next(d, &bucket, &n); bucket++)
 */
bool dist_next(const struct dist *d, uint32_t *bucket, uint64_t *n);

/*
 * The value that a share @q (0 < q <= 1) of all values is not above, in cycles;
 * 0 when there are none.
 */
uint64_t dist_quantile(const struct dist *d, double q);

/* How many values are in the rank of quantile @q: ceil(q * total), at least 1. */
uint64_t dist_rank(uint64_t total, double q);

void dist_free(struct dist *d);

#endif
