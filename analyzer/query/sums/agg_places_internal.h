/* SPDX-License-Identifier: GPL-2.0-only */
/* agg_places_internal.h - places and their sums, for agg_places.c and agg_columns.c alone */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_PLACES_INTERNAL_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_PLACES_INTERNAL_H

#include "analyzer/query/sums/agg_places.h"
#include "analyzer/query/sums/place_table.h"

/* The place of exits that don't pass; the others come after it. */
#define SKIPPED PLACE_NONE

/*
 * struct sums - of the exits of a place; what each exit changes comes first
 * @parts: by enum agg_part
 * @pages: where its group's distribution counts buckets
 * @each: where it counts values, for the present chunk; NULL: they are added one by one
 * @flags: of all its exits; 0 where they may differ: by RIP they are not counted
 * @group: number of its group
 */
struct sums {
	uint64_t n;
	uint64_t cycles;
	uint64_t min;
	uint64_t max;
	uint64_t parts[AGG_PARTS];
	uint64_t **pages;
	uint32_t *each;
	int64_t first;
	int64_t last;
	uint32_t flags;
	uint32_t group;
};

/* The last number that exits of a tuple had, and its place. */
struct recent {
	uint64_t number;
	uint32_t place; /* SKIPPED: none */
};

struct agg_places {
	const struct agg_question *question;
	const struct agg_columns *columns; /* of the present chunk */

	/* by tuple of the chunk */
	bool passes[CHUNK_RECORDS_MAX];
	bool all_pass;
	uint32_t kind_of[CHUNK_RECORDS_MAX];

	struct place_table table;		 /* where places are not those of a dictionary */
	struct recent recent[CHUNK_RECORDS_MAX]; /* by tuple */
	uint32_t place[CHUNK_RECORDS_MAX];	 /* of each exit */
	struct sums *sums;
	uint32_t count; /* of @sums */

	struct dist skipped;		     /* of exits that don't pass; nobody reads it */
	uint64_t handler[CHUNK_RECORDS_MAX]; /* cycles of each exit, with AGG_HANDLER */
};

/* Adds the columns of the exits from @begin to before @end to the sums of their places. */
void agg_add_columns(struct agg_places *places, uint32_t begin, uint32_t end);

/* Adds their times to the distributions of their groups. 0 or -ENOMEM. */
int agg_add_dists(struct agg_places *places, uint32_t begin, uint32_t end);

#endif
