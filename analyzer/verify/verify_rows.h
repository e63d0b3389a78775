/* SPDX-License-Identifier: GPL-2.0-only */
/* verify_rows.h - one pass over all rows of a run, for all equations that look into them */
#ifndef EXITSCOPE_ANALYZER_VERIFY_VERIFY_ROWS_H
#define EXITSCOPE_ANALYZER_VERIFY_VERIFY_ROWS_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify_intervals.h"
#include "analyzer/verify/verify_leaf.h"
#include "analyzer/verify/verify_life.h"
#include "analyzer/verify/verify_sums.h"

/*
 * struct row_readers - what gets each row
 * @sums: has the vCPUs; their rows and uneven rows are counted
 * @life: the same vCPUs
 * @intervals, @leaves: NULL: none
 * @handler_time: set by rows_read(): leaves add up only what KVM's handler took
 */
struct row_readers {
	struct sums *sums;
	struct life *life;
	struct intervals *intervals;
	struct leaves *leaves;
	bool handler_time;
};

/* Reads table exit once. -1 with the reason in @app. */
int rows_read(struct app *app, struct row_readers *to);

#endif
