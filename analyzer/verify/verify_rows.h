/* SPDX-License-Identifier: GPL-2.0-only */
/* verify_rows.h - one pass over all rows of a run, for all equations that look into them */
#ifndef EXITSCOPE_ANALYZER_VERIFY_VERIFY_ROWS_H
#define EXITSCOPE_ANALYZER_VERIFY_VERIFY_ROWS_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify_intervals.h"
#include "analyzer/verify/verify_leaf.h"
#include "analyzer/verify/verify_sums.h"

/**
 * rows_read - read table exit once
 * @sums: has the vCPUs; their rows and uneven rows are counted
 * @intervals: gets each row
 * @leaves: gets each row, too; may be NULL
 *
 * Return: 0, or -1 with the reason in @app.
 */
int rows_read(struct app *app, struct sums *sums, struct intervals *intervals,
	      struct leaves *leaves);

#endif
