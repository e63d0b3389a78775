// SPDX-License-Identifier: GPL-2.0-only
/*
 * dist.c - a distribution of durations; see dist.h
 */
#include "analyzer/query/dist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sql/hist.h"

#define PAGES (HIST_BUCKETS / HIST_PER_2X)

int dist_add(struct dist *d, uint32_t bucket, uint64_t n)
{
	uint64_t **page;

	if (bucket >= HIST_BUCKETS)
		return -ERANGE;
	if (!d->page) {
		d->page = calloc(PAGES, sizeof(*d->page));
		if (!d->page)
			return -ENOMEM;
	}
	page = &d->page[bucket / HIST_PER_2X];
	if (!*page) {
		*page = calloc(HIST_PER_2X, sizeof(**page));
		if (!*page)
			return -ENOMEM;
	}
	(*page)[bucket % HIST_PER_2X] += n;
	d->total += n;
	return 0;
}

int dist_add_value(struct dist *d, uint64_t value)
{
	uint64_t *more = array_reserve(d->value, d->values, 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	d->value = more;
	more[d->values++] = value;
	return dist_add(d, hist_bucket(value), 1);
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void dist_sort(struct dist *d)
{
	array_sort(d->value, d->values, sizeof(*d->value), ascending);
}

bool dist_next(const struct dist *d, uint32_t *bucket, uint64_t *n)
{
	for (uint32_t b = *bucket; d->page && b < HIST_BUCKETS; b++) {
		const uint64_t *page = d->page[b / HIST_PER_2X];

		if (!page) {
			b |= HIST_PER_2X - 1;
			continue;
		}
		if (page[b % HIST_PER_2X]) {
			*bucket = b;
			*n = page[b % HIST_PER_2X];
			return true;
		}
	}
	return false;
}

int dist_add_all(struct dist *to, const struct dist *from)
{
	uint64_t n;

	if (from->values) {
		for (size_t i = 0; i < from->values; i++)
			if (dist_add_value(to, from->value[i]))
				return -ENOMEM;
		return 0;
	}

	for (uint32_t bucket = 0; dist_next(from, &bucket, &n); bucket++)
		if (dist_add(to, bucket, n))
			return -ENOMEM;
	return 0;
}

uint64_t dist_rank(uint64_t total, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)total);

	if (rank < 1)
		return 1;
	return rank > total ? total : rank;
}

uint64_t dist_quantile(const struct dist *d, double q)
{
	uint64_t rank = dist_rank(d->total, q), seen = 0, n;

	if (d->values && d->values == d->total)
		return d->value[rank - 1];

	for (uint32_t bucket = 0; dist_next(d, &bucket, &n); bucket++) {
		seen += n;
		if (seen >= rank)
			return hist_middle(bucket);
	}
	return 0;
}

void dist_free(struct dist *d)
{
	for (uint32_t i = 0; d->page && i < PAGES; i++)
		free(d->page[i]);
	free(d->page);
	free(d->value);
	memset(d, 0, sizeof(*d));
}
