/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg_rows.h - the sums of agg.h from the recorded rows; private to agg*.c
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_ROWS_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_ROWS_H

#include "analyzer/query/sums/agg.h"

/*
 * struct agg_question - what is asked, and where the answer goes
 * @bins: for BY_SLOT
 * @from_tsc, @last_tsc: exits between these, both included
 * @see: gets each exit; NULL: nobody does
 */
struct agg_question {
	const struct run *run;
	enum agg_by by;
	unsigned int flags;
	const struct agg_bins *bins;
	int64_t from_tsc;
	int64_t last_tsc;
	agg_see *see;
	void *context;
	struct agg *agg;
};

/* Whether the time of each exit in a chunk is needed. */
static inline bool agg_has_times(const struct agg_question *question)
{
	return question->flags & AGG_TIMES || question->by == BY_SLOT;
}

/*
 * Whether each group's distribution has all values of group.cycles: their sum, the smallest and the
 * largest follow from it, once for all exits.
 */
static inline bool agg_has_values(const struct agg_question *question)
{
	return (question->flags & (AGG_DIST | AGG_EXACT | AGG_HANDLER)) == (AGG_DIST | AGG_EXACT);
}

/* Rows and chunks alike. 0, or -1 with app->error. */
int agg_read_rows(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
		  const struct agg_bins *bins, struct agg *agg);

/*
 * struct agg_exit - what the group of an exit depends on
 * @reason: reason key; @vcpu: vcpu.id; @flags: KVM_EXIT_REC_*
 * @number: what it is grouped by in addition: key of BY_SUBKEY and BY_REGION, rip, user_reason,
 *	pcpu, cr3; agg_bin() of BY_SLOT
 * @has_number: key or cr3 is known
 * @aux: key_aux of BY_SUBKEY
 */
struct agg_exit {
	int64_t reason;
	int64_t vcpu;
	int64_t flags;
	bool has_number;
	uint64_t number;
	int64_t aux;
};

/* group.key of an exit. */
void agg_key(const struct agg_question *question, const struct agg_exit *exit, int64_t key[4]);

/* The chunks of a file that has some (app->has_chunks). */
int agg_read_chunks(struct app *app, const struct agg_question *question);

/*
 * Add the dropped exits of KVM's totals to the groups of BY_REASON, BY_VM or BY_VCPU. A whole
 * run alone has them.
 */
int agg_add_dropped(struct app *app, const struct run *run, enum agg_by by, struct agg *agg);

#endif
