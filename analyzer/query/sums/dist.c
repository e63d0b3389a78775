// SPDX-License-Identifier: GPL-2.0-only
/*
 * dist.c - a distribution of durations; see dist.h
 */
#include "analyzer/query/sums/dist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define PAGES (HIST_BUCKETS / HIST_PER_2X)

uint64_t **dist_pages(struct dist *d)
{
	if (!d->page)
		d->page = calloc(PAGES, sizeof(*d->page));
	return d->page;
}

int dist_add_page(struct dist *d, uint32_t bucket, uint64_t n)
{
	uint64_t **page;

	if (bucket >= HIST_BUCKETS)
		return -ERANGE;
	if (!dist_pages(d))
		return -ENOMEM;
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

/* Sorts by one byte of the values, from @from to @to. */
static void sort_byte(const uint64_t *from, uint64_t *to, size_t count, unsigned int shift)
{
	size_t place[256] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		place[from[i] >> shift & 0xff]++;
	for (int byte = 0; byte < 256; byte++) {
		size_t n = place[byte];

		place[byte] = sum;
		sum += n;
	}
	for (size_t i = 0; i < count; i++)
		to[place[from[i] >> shift & 0xff]++] = from[i];
}

/* Sorts d->tail byte by byte; few bytes of durations differ. */
static int sort_tail(struct dist *d)
{
	uint64_t *other = malloc(array_room(d->tails) * sizeof(*other));
	uint64_t differ = 0;

	if (!other)
		return -ENOMEM;
	for (size_t i = 1; i < d->tails; i++)
		differ |= d->tail[i] ^ d->tail[0];

	for (unsigned int shift = 0; shift < 64; shift += 8) {
		uint64_t *sorted = other;

		if (!(differ >> shift & 0xff))
			continue;
		sort_byte(d->tail, sorted, d->tails, shift);
		other = d->tail;
		d->tail = sorted;
	}
	free(other);
	return 0;
}

/* Merges @more different values in ascending order, @count of each, into those of @d. */
static int merge(struct dist *d, const uint64_t *value, const uint64_t *count, size_t more)
{
	size_t bytes = (d->values + more) * sizeof(*value);
	uint64_t *values = malloc(bytes), *counts = malloc(bytes);
	size_t i = 0, j = 0, n = 0;

	if (!values || !counts) {
		free(values);
		free(counts);
		return -ENOMEM;
	}

	for (; i < d->values || j < more; n++) {
		bool takes_old = i < d->values && (j == more || d->value[i] <= value[j]);
		bool takes_new = j < more && (i == d->values || value[j] <= d->value[i]);

		values[n] = takes_old ? d->value[i] : value[j];
		counts[n] = (takes_old ? d->count[i] : 0) + (takes_new ? count[j] : 0);
		d->kept += takes_new ? count[j] : 0;
		i += takes_old;
		j += takes_new;
	}

	free(d->value);
	free(d->count);
	d->value = values;
	d->count = counts;
	d->values = n;
	return 0;
}

/* Adds different values in ascending order, @count of each. */
static int add_values(struct dist *d, const uint64_t *value, const uint64_t *count, size_t n)
{
	int rc = merge(d, value, count, n);

	for (size_t i = 0; !rc && i < n; i++)
		rc = dist_add(d, hist_bucket(value[i]), count[i]);
	return rc;
}

/* Adds the values that were counted. */
static int add_each(struct dist *d)
{
	uint64_t *value, *count;
	size_t n = 0;
	int rc = -ENOMEM;

	for (uint32_t i = 0; i < DIST_EACH; i++)
		n += !!d->each[i];
	value = malloc(n * sizeof(*value));
	count = malloc(n * sizeof(*count));

	if (value && count) {
		n = 0;
		for (uint32_t i = 0; i < DIST_EACH; i++) {
			if (!d->each[i])
				continue;
			value[n] = i;
			count[n++] = d->each[i];
		}
		rc = add_values(d, value, count, n);
	}

	free(value);
	free(count);
	free(d->each);
	d->each = NULL;
	d->each_room = 0;
	return rc;
}

/* Adds the tail. */
static int add_tail(struct dist *d)
{
	uint64_t *count;
	size_t n = 0;
	int rc;

	count = calloc(d->tails, sizeof(*count));
	if (!count || sort_tail(d)) {
		free(count);
		return -ENOMEM;
	}

	/* Each value once, with its count. */
	for (size_t i = 0; i < d->tails; i++) {
		if (i && d->tail[i] == d->tail[n - 1]) {
			count[n - 1]++;
			continue;
		}
		d->tail[n] = d->tail[i];
		count[n++] = 1;
	}
	rc = add_values(d, d->tail, count, n);

	/* The room of an array follows from its number of elements. */
	free(d->tail);
	d->tail = NULL;
	d->tails = 0;
	free(count);
	return rc;
}

int dist_sort(struct dist *d)
{
	int rc = d->tails ? add_tail(d) : 0;

	return !rc && d->each ? add_each(d) : rc;
}

/* How many values wait at least before they are sorted in. */
#define TAIL_MIN 4096

/* The first one to be counted, or the first for which there is no room. */
static int count_value(struct dist *d, uint64_t value)
{
	if (dist_sort(d))
		return -ENOMEM;
	d->each = calloc(DIST_EACH, sizeof(*d->each));
	if (!d->each)
		return -ENOMEM;

	d->each[value] = 1;
	d->each_room = UINT32_MAX - 1;
	return 0;
}

int dist_keep_value(struct dist *d, uint64_t value)
{
	uint64_t *more;

	/* Counting a value is much cheaper than sorting it, once there are many. */
	if (value < DIST_EACH && d->kept + d->tails >= DIST_MANY)
		return count_value(d, value);

	/* As many as there are different ones: each is then merged a constant number of times. */
	if (d->tails >= TAIL_MIN && d->tails >= d->values && add_tail(d))
		return -ENOMEM;

	more = array_reserve(d->tail, d->tails, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->tail = more;
	more[d->tails++] = value;
	return 0;
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

static int add_buckets(struct dist *to, const struct dist *from)
{
	uint64_t n;

	for (uint32_t bucket = 0; dist_next(from, &bucket, &n); bucket++) {
		if (dist_add(to, bucket, n))
			return -ENOMEM;
	}
	return 0;
}

int dist_add_all(struct dist *to, const struct dist *from)
{
	if (!from->values)
		return add_buckets(to, from);

	/* A merge reads all that is there, so it must bring about as much. */
	if (from->kept > to->values)
		return add_buckets(to, from) ? -ENOMEM
					     : merge(to, from->value, from->count, from->values);

	for (size_t i = 0; i < from->values; i++) {
		for (uint64_t n = from->count[i]; n; n--) {
			if (dist_add_value(to, from->value[i]))
				return -ENOMEM;
		}
	}
	return 0;
}

uint64_t dist_rank(uint64_t total, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)total);

	if (rank < 1)
		return 1;
	return rank > total ? total : rank;
}

static uint64_t exact_quantile(const struct dist *d, uint64_t rank)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < d->values; i++) {
		seen += d->count[i];
		if (seen >= rank)
			return d->value[i];
	}
	return 0;
}

uint64_t dist_quantile(const struct dist *d, double q)
{
	uint64_t rank = dist_rank(d->total, q), seen = 0, n;

	if (d->kept && d->kept == d->total)
		return exact_quantile(d, rank);

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
	free(d->count);
	free(d->tail);
	free(d->each);
	memset(d, 0, sizeof(*d));
}
