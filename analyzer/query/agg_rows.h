/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg_rows.h - the sums of agg.h from the recorded rows; for agg.c alone
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_AGG_ROWS_H
#define EXITSCOPE_ANALYZER_QUERY_AGG_ROWS_H

#include "analyzer/query/agg.h"

/*
 * struct agg_question - what is asked, and where the answer goes
 * @bins: for BY_SLOT
 * @from_tsc, @last_tsc: exits between these, both included
 */
struct agg_question {
	const struct run *run;
	enum agg_by by;
	unsigned int flags;
	const struct agg_bins *bins;
	int64_t from_tsc;
	int64_t last_tsc;
	struct agg *agg;
};

/* Rows and chunks alike. 0, or -1 with app->error. */
int agg_read_rows(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
		  const struct agg_bins *bins, struct agg *agg);

/* The key of BY_REGION: the region that @address, the sub-key if there is one, is in. */
void agg_region_key(const struct run *run, int64_t reason, bool has_key, uint64_t address,
		    int64_t key[4]);

/* The chunks of a file that has some (app->has_chunks). */
int agg_read_chunks(struct app *app, const struct agg_question *question);

/*
 * Add the dropped exits of KVM's totals to the groups of BY_REASON, BY_VM or BY_VCPU. A whole
 * run alone has them.
 */
int agg_add_dropped(struct app *app, const struct run *run, enum agg_by by, struct agg *agg);

#endif
