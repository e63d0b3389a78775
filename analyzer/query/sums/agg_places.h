/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg_places.h - sums of the exits of chunks, column by column; for agg_chunks.c alone
 *
 * HOW IT WORKS
 * Each exit gets a place: exits of one place are of one group. A group depends on the exit's tuple
 * (reason, flags, ... as one number) and at most on one number more, such as the sub-key. Then each
 * column is added to the sums of its places, and the sums of a place to its group: keys are made
 * and groups are found once per place instead of once per exit.
 *
 *	exits	a b a c a	places	1 2 1 3 1	sums	1: 3 exits  2: 1  3: 1
 *
 * Where the group depends on the tuple alone, or on the guest's RIP, the place is the number in the
 * chunk's dictionary, and sums are added to groups after each chunk. Else a hash table, which all
 * chunks share, finds the place, and sums are added to groups at the end.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_PLACES_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_PLACES_H

#include <stdbool.h>

#include "analyzer/query/sums/agg_rows.h"
#include "sql/chunk/chunk.h"

/* Columns that are added up, in addition to the cycles. */
enum agg_part {
	PART_HALTED,
	PART_USERSPACE,
	PART_PREEMPTED,
	PART_POLLED, /* of the halted time */
	AGG_PARTS
};

/*
 * struct agg_columns - what is needed of a chunk
 * @id, @vcpu: columns of table exit_chunk
 * @tuple: of each exit, below @tuples, which @reason, @flags, @aux and @user_reason have; NULL: not
 *	needed, by RIP where all reasons pass
 * @number: what the group depends on in addition to the tuple, of each exit; NULL: nothing; of
 *	BY_RIP below @rips, which @rip has
 * @tsc: NULL: not needed
 * @parts: by enum agg_part; NULL: all 0
 */
struct agg_columns {
	int64_t id;
	int64_t vcpu;
	uint32_t count;

	const uint64_t *tuple;
	uint32_t tuples;
	const uint64_t *reason;
	const uint64_t *flags;
	const uint64_t *aux;
	const uint64_t *user_reason;

	const uint64_t *number;
	const uint64_t *rip;
	uint32_t rips;

	const uint64_t *tsc;
	const uint64_t *cycles;
	const uint64_t *parts[AGG_PARTS];
};

struct agg_places;

/* NULL: no memory. @question must stay. */
struct agg_places *agg_places_new(const struct agg_question *question);
void agg_places_free(struct agg_places *places);

/* Adds a chunk. @is_cut: a part of it may be outside of the window. 0 or -ENOMEM. */
int agg_places_add(struct agg_places *places, const struct agg_columns *columns, bool is_cut);

/* After the last chunk. */
void agg_places_finish(struct agg_places *places);

#endif
