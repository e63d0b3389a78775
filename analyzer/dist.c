/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dist.c - a distribution of durations; see dist.h
 */
#include "analyzer/dist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sql/hist.h"

/* Index of the first cell whose bucket is not below @bucket. */
static uint32_t find(const struct dist *d, uint32_t bucket)
{
	uint32_t low = 0, high = d->cells;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (d->cell[middle].bucket < bucket)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int dist_add(struct dist *d, uint32_t bucket, uint64_t n)
{
	uint32_t i = find(d, bucket);

	d->total += n;
	if (i < d->cells && d->cell[i].bucket == bucket) {
		d->cell[i].n += n;
		return 0;
	}
	if (d->cells == d->room) {
		uint32_t room = d->room ? 2 * d->room : 16;
		struct dist_cell *cell = realloc(d->cell, room * sizeof(*cell));

		if (!cell)
			return -ENOMEM;
		d->cell = cell;
		d->room = room;
	}
	memmove(&d->cell[i + 1], &d->cell[i], (d->cells - i) * sizeof(*d->cell));
	d->cell[i] = (struct dist_cell){.bucket = bucket, .n = n};
	d->cells++;
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
	uint64_t rank = dist_rank(d->total, q), seen = 0;

	for (uint32_t i = 0; i < d->cells; i++) {
		seen += d->cell[i].n;
		if (seen >= rank)
			return hist_middle(d->cell[i].bucket);
	}
	return 0;
}

void dist_free(struct dist *d)
{
	free(d->cell);
	memset(d, 0, sizeof(*d));
}
