/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * series.h - exits over the run, in bins of equal length, and its phases
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SERIES_H
#define EXITSCOPE_ANALYZER_QUERY_SERIES_H

#include "analyzer/query/agg.h"

/*
 * struct series - the range of the run that --from and --to leave, in bins
 * @origin: where bin 0 begins, in cycles since the run's start
 * @bin_cycles: length of a bin; the last one may end earlier
 * @total: sums of each bin; the whole time of an exit is in the bin it began in
 * @halted: halted cycles of each bin, where what is longer than all vCPUs have
 *	time in a bin reaches into the next ones
 * @by: sums of each {bin, reason key}
 */
struct series {
	int64_t origin;
	int bins;
	int64_t bin_cycles;
	struct group *total;
	double *halted;
	struct agg by;
};

/* Read into at most @most bins (0: one for each interval of the roll-ups). */
int series_read(struct app *app, const struct run *run, int most, struct series *series);
void series_free(struct series *series);

/* When a bin begins and how long it is, in cycles since the run's start. */
int64_t series_begin(const struct series *series, int bin);
int64_t series_length(const struct series *series, const struct run *run, int bin);

/* Time that all vCPUs of the filter have in a bin, in cycles. */
double series_capacity(const struct series *series, const struct run *run, int bin);

/* Exits per second of a bin, of one reason key or (-1) of all. */
double series_rate(const struct series *series, const struct run *run, int bin, int64_t reason);

/* Sums of one reason key in a bin; NULL: none. */
const struct group *series_find(const struct series *series, int bin, int64_t reason);

/* The most frequent reason key of bins from <= bin < to; its count in *n. */
int64_t series_top_reason(const struct series *series, int from, int to, uint64_t *n);

/*
 * How even the rate is: standard deviation / mean of the bins' rates, the last
 * bin left out when it is shorter; NAN with fewer than two bins.
 */
double series_variation(const struct series *series, const struct run *run, int64_t reason);

/* A part of the run in which the rate and the idle share stay about the same. */
struct phase {
	int from; /* bins from <= bin < to */
	int to;
	const char *name; /* boot, idle, load or none */
};

/*
 * Find the phases: the partition with the least squared error of the logarithm
 * of the rate and of the halted share, at a price per phase. idle: the vCPUs are
 * halted for 70 % of the time or more; boot: what comes before the first idle
 * phase, if the recording saw the vCPUs' first exits; none: no exits and nobody
 * halted; load: the rest.
 * Returns the number of phases, at most @most, or -1 without memory.
 */
int series_phases(const struct series *series, const struct run *run, struct phase *phase,
		  int most);

#endif
