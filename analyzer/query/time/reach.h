/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reach.h - exits that begin in one bin and end in another
 *
 * The sums of a bin (agg.h) are of the exits that begin in it, with their whole time. How long the
 * vCPUs were halted within a bin needs the part of each exit that lies in it:
 *
 *	|      bin 0      |      bin 1      |      bin 2      |
 *	     [===]   [====|=================|===]     [==]
 *	             this one is to be told
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_REACH_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_REACH_H

#include "analyzer/query/sums/agg.h"

/* @since: when the exit began, in cycles since the run's start; @exit: its times alone */
typedef void reach_see(void *context, int64_t since, const struct group *exit);

/**
 * reach_read - tell the exits that may end in another of @bins than they begin in, or after all
 * @bins: as for agg_read_bins()
 * @see: gets each of them; from roll-ups others, too, that do not reach so far
 *
 * From rows (run->by_rows) they are exact. Roll-ups do not say which exit was the last one of an
 * interval: it counts as the longest one of the reason that came last, as far as the vCPU's next
 * exit allows. It is wrong by less than the longest exit that ended in the interval.
 * Return: 0, or -1 with app->error.
 */
int reach_read(struct app *app, const struct run *run, const struct agg_bins *bins, reach_see *see,
	       void *context);

/* Columns cycles, halted, user space, preempted and polled of an exit, from @i on. */
struct group reach_read_times(sqlite3_stmt *stmt, int i);

#endif
