/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edges.h - exits that reach over an end of the window
 *
 * The sums of a window (agg.h) are of the exits that begin in it, with their whole time. That is
 * right for counts and durations. In which state a vCPU was in the window needs the time that
 * lies in it: a guest that halts for a minute is halted in each second of it, and has no exit
 * that begins there.
 *
 *	          from                     to
 *	   [------|==]   [==]   [==]    [==|--------]
 *	          before                     after
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_EDGES_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_EDGES_H

#include "analyzer/query/app.h"
#include "analyzer/query/sums/group.h"

/*
 * struct edge - of one vCPU; only the times and key[0], the reason key, of the groups are set
 * @before: what the exit that began before the window has within it
 * @after: what the last exit of the window has after it; a part of the window's sums
 *
 * Which part of an exit comes first is unknown, so each part is cut by the same factor.
 */
struct edge {
	struct group before;
	struct group after;
};

/**
 * edges_read - the edges of all vCPUs that pass the filter
 * @edges: one for each of run->vcpus, of malloc(); NULL where there is no vCPU
 *
 * The end of the run is the window's end, too: an exit may have been longer.
 * From rows they are exact. Roll-ups alone do not say which exit was the last one of an interval:
 * it then counts as the longest one of the reason that came last, as far as the next exit allows.
 * Return: 0, or -1 with app->error.
 */
int edges_read(struct app *app, const struct run *run, struct edge **edges);

#endif
