/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gaps.h - the time of which nothing is known, because exits are missing
 *
 *	    exit            lost: how many, but not when            exit
 *	   [====]------------------------------------------------[====]
 *	   before, and then ◄───────────── gap ────────────────► after
 *
 * In a gap the vCPU was in the guest or in an exit, and no record says which.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_GAPS_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_GAPS_H

#include "analyzer/query/app.h"

/**
 * gaps_read - how long the gaps of each vCPU are within the window
 * @cycles: one for each of run->vcpus, of malloc(), in cycles; NULL where single exits are missing
 *	that were recorded, so that nothing says when the exit before a gap ended, or without a gap
 *
 * Return: 0, or -1 with app->error.
 */
int gaps_read(struct app *app, const struct run *run, double **cycles);

/*
 * struct gap_bins - the same in bins of the window
 * @begin, @width, @count: the bins, in cycles since the run's start
 * @cycles: of all vCPUs together, of malloc(); NULL as with gaps_read()
 */
struct gap_bins {
	int64_t begin;
	int64_t width;
	int64_t count;
	double *cycles;
};

/* Return: 0, or -1 with app->error. */
int gaps_read_bins(struct app *app, const struct run *run, struct gap_bins *bins);

#endif
