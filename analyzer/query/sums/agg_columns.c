// SPDX-License-Identifier: GPL-2.0-only
/* agg_columns.c - adds columns of chunks to the sums of their places; see agg_places.h */
#include <errno.h>

#include "analyzer/query/sums/agg_places_internal.h"
#include "sql/hist.h"

/*
 * Adds columns of some exits to the sums of their places, in one pass: where exits of one place
 * follow each other, its sums wait for those before once instead of once per column. Callers give
 * constants for all but @part, the parts that are added, so that each has a loop of its own.
 */
static inline __attribute__((always_inline)) void add_pass(struct agg_places *p, uint32_t begin,
							   uint32_t end, bool has_cycles,
							   bool has_times, const size_t *part,
							   size_t parts)
{
	const uint64_t *restrict cycles = p->columns->cycles;
	const uint64_t *restrict tscs = p->columns->tsc;
	const uint64_t *restrict first = parts > 0 ? p->columns->parts[part[0]] : NULL;
	const uint64_t *restrict second = parts > 1 ? p->columns->parts[part[1]] : NULL;
	const uint32_t *restrict place = p->place;
	struct sums *restrict sums = p->sums;

	for (uint32_t i = begin; i < end; i++) {
		struct sums *to = &sums[place[i]];

		to->n++;
		if (has_cycles) {
			to->cycles += cycles[i];
			to->min = cycles[i] < to->min ? cycles[i] : to->min;
			to->max = cycles[i] > to->max ? cycles[i] : to->max;
		}
		if (has_times) {
			int64_t tsc = (int64_t)tscs[i];

			to->first = tsc < to->first ? tsc : to->first;
			to->last = tsc > to->last ? tsc : to->last;
		}
		if (parts > 0)
			to->parts[part[0]] += first[i];
		if (parts > 1)
			to->parts[part[1]] += second[i];
	}
}

static inline __attribute__((always_inline)) void add_most(struct agg_places *p, uint32_t begin,
							   uint32_t end, bool has_cycles,
							   bool has_times, const size_t *part,
							   size_t parts)
{
	if (!parts)
		add_pass(p, begin, end, has_cycles, has_times, part, 0);
	else if (parts == 1)
		add_pass(p, begin, end, has_cycles, has_times, part, 1);
	else
		add_pass(p, begin, end, has_cycles, has_times, part, 2);
}

static void add_part(struct agg_places *p, size_t part, uint32_t begin, uint32_t end)
{
	const uint64_t *restrict column = p->columns->parts[part];
	const uint32_t *restrict place = p->place;
	struct sums *restrict sums = p->sums;

	for (uint32_t i = begin; i < end; i++)
		sums[place[i]].parts[part] += column[i];
}

/* Adds the columns of some exits to the sums of their places. */
void agg_add_columns(struct agg_places *p, uint32_t begin, uint32_t end)
{
	size_t part[AGG_PARTS], parts = 0;

	for (size_t i = 0; i < AGG_PARTS; i++) {
		if (p->columns->parts[i])
			part[parts++] = i;
	}

	if (agg_has_times(p->question))
		add_most(p, begin, end, true, true, part, parts);
	else if (agg_has_values(p->question))
		add_most(p, begin, end, false, false, part, parts);
	else
		add_most(p, begin, end, true, false, part, parts);
	for (size_t i = 2; i < parts; i++)
		add_part(p, part[i], begin, end);
}

/* The times that distributions are of: those of the exits from @begin on. */
static const uint64_t *find_values(struct agg_places *p, uint32_t begin, uint32_t end)
{
	const struct agg_columns *c = p->columns;

	if (!(p->question->flags & AGG_HANDLER))
		return c->cycles;
	for (uint32_t i = begin; i < end; i++)
		p->handler[i] = c->cycles[i];
	for (size_t j = 0; j < AGG_PARTS; j++) {
		/* The polled time is in the halted time. */
		for (uint32_t i = begin; i < end && j != PART_POLLED && c->parts[j]; i++)
			p->handler[i] -= c->parts[j][i];
	}
	return p->handler;
}

/* Counts each value. */
static int add_values(struct agg_places *p, const uint64_t *value, uint32_t begin, uint32_t end)
{
	struct group *groups = p->question->agg->group;
	const uint32_t *place = p->place;
	const struct sums *sums = p->sums;

	for (uint32_t i = begin; i < end; i++) {
		const struct sums *of = &sums[place[i]];

		if (of->each && value[i] < DIST_EACH)
			of->each[value[i]]++;
		else if (place[i] != SKIPPED && dist_add_value(&groups[of->group].dist, value[i]))
			return -ENOMEM;
	}
	return 0;
}

/* Counts the bucket of each value; add_to_group() adds up how many there are. */
static int add_buckets(struct agg_places *p, const uint64_t *value, uint32_t begin, uint32_t end)
{
	struct group *groups = p->question->agg->group;
	const uint32_t *place = p->place;
	const struct sums *sums = p->sums;

	for (uint32_t i = begin; i < end; i++) {
		const struct sums *of = &sums[place[i]];
		uint32_t bucket = hist_bucket(value[i]);
		uint64_t **page = &of->pages[bucket / HIST_PER_2X];

		if (!*page &&
		    dist_add_page(place[i] == SKIPPED ? &p->skipped : &groups[of->group].dist,
				  bucket, 0))
			return -ENOMEM;
		(*page)[bucket % HIST_PER_2X]++;
	}
	return 0;
}

int agg_add_dists(struct agg_places *p, uint32_t begin, uint32_t end)
{
	const uint64_t *value;

	if (!(p->question->flags & AGG_DIST))
		return 0;
	value = find_values(p, begin, end);
	return p->question->flags & AGG_EXACT ? add_values(p, value, begin, end)
					      : add_buckets(p, value, begin, end);
}
