/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rowids.h - which rows of table exit a window needs, so that not all are read
 *
 * HOW IT WORKS
 *
 * Rows stand in the order of arrival, which is roughly that of time: vCPUs are read in turn, and
 * an exit arrives when it has ended. A binary search finds where the window roughly begins and
 * ends. Whether a range around it has all rows of the window is then counted, not assumed: the
 * roll-ups say how many exits began in the intervals that the window touches. While rows of
 * these intervals are missing in the range, it grows, at last to the whole table.
 *
 *	rowid	1 ........ a |....[ window ]....| b ........ n
 *		             rows of its intervals in a..b = sum of the roll-ups
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_ROWIDS_H
#define EXITSCOPE_ANALYZER_QUERY_ROWIDS_H

#include "analyzer/query/app.h"

/*
 * Set run->first_row and run->last_row to a range that has all rows of the window run->from to
 * run->to; to all where the first rows were removed, or exits are in chunks. -1 with app->error.
 */
int rowids_find(struct app *app, struct run *run);

/* Set *rowid to that of the last row of the run, or of one after it. -1 with app->error. */
int rowids_find_last(struct app *app, const struct run *run, int64_t *rowid);

#endif
