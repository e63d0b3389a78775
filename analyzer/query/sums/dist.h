/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dist.h - a distribution of durations: the filled buckets of sql/hist.h
 *
 * Distributions add up. A percentile is the middle of its bucket and is off by
 * less than 0.8 %, unless the values themselves are kept.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_DIST_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_DIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/hist.h"

/*
 * struct dist - all zero: an empty one
 * @page: the buckets, in pages of which few are used
 * @total: sum over all buckets
 * @value, @count, @values: each different value and how often it is there, ascending, if they were
 *	added by dist_add_value(); percentiles are exact then, after dist_sort()
 * @kept: sum of @count
 * @tail, @tails: values that dist_sort() adds to these and to the buckets
 * @each: of a distribution of many values: how often each value below DIST_EACH was added since
 *	the last dist_sort(), which adds them, too; NULL: the values are in @tail
 * @each_room: how many more may be added there
 */
struct dist {
	uint64_t **page;
	uint64_t total;
	uint64_t *value;
	uint64_t *count;
	size_t values;
	uint64_t kept;
	uint64_t *tail;
	size_t tails;
	uint32_t *each;
	uint32_t each_room;
};

/* 1 MiB a distribution, which has at least DIST_MANY values by then. */
#define DIST_EACH (1U << 18)
#define DIST_MANY (1U << 15)

/*
 * dist_add() where the page of @bucket may be missing: makes it. Returns 0, -ENOMEM (@d is as it
 * was), or -ERANGE: no such bucket.
 */
int dist_add_page(struct dist *d, uint32_t bucket, uint64_t n);

/* Add n values of a bucket. Returns 0, -ENOMEM, or -ERANGE: no such bucket. */
static inline int dist_add(struct dist *d, uint32_t bucket, uint64_t n)
{
	uint64_t *page = NULL;

	if (d->page && bucket < HIST_BUCKETS)
		page = d->page[bucket / HIST_PER_2X];
	if (!page)
		return dist_add_page(d, bucket, n);
	page[bucket % HIST_PER_2X] += n;
	d->total += n;
	return 0;
}

/*
 * The pages, by bucket / HIST_PER_2X, for callers that add many values: make a page with
 * dist_add_page() of 0 values, and add to @total. They stay where they are. NULL: no memory.
 */
uint64_t **dist_pages(struct dist *d);

/* dist_add_value() of a value that is not in @each yet. */
int dist_keep_value(struct dist *d, uint64_t value);

/* Add one value, and keep it; dist_sort() is needed afterwards. Returns 0 or -ENOMEM. */
static inline int dist_add_value(struct dist *d, uint64_t value)
{
	if (value >= DIST_EACH || !d->each_room)
		return dist_keep_value(d, value);
	d->each[value]++;
	d->each_room--;
	return 0;
}

/*
 * Room for @n more values, for callers that add many values: each value below DIST_EACH may be
 * counted there instead of by dist_add_value(), until dist_sort(). NULL: there is none.
 */
static inline uint32_t *dist_each(struct dist *d, uint32_t n)
{
	if (d->each_room < n)
		return NULL;
	d->each_room -= n;
	return d->each;
}

/* Sort what dist_add_value() added, before all else. Returns 0 or -ENOMEM. */
int dist_sort(struct dist *d);

/*
 * Add all of another one, which is sorted; dist_sort() is needed afterwards if it has values.
 * Returns 0 or -ENOMEM.
 */
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

/* Rank of quantile @q among @total values, from 1: ceil(q * total), at least 1. */
uint64_t dist_rank(uint64_t total, double q);

void dist_free(struct dist *d);

#endif
