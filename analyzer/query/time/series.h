/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * series.h - exits over the run, in bins of equal length, and its phases
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_SERIES_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_SERIES_H

#include "analyzer/query/sums/agg.h"

/*
 * struct series - the window of the run in bins
 * @origin: where bin 0 begins, in cycles since the run's start
 * @first: where its exits may begin: with SERIES_RATES perhaps within bin 0
 * @end: where the last bin ends
 * @bin_cycles: length of a bin; the last one may end earlier
 * @total: sums of each bin; the whole time of an exit is in the bin it began in
 * @within: the times that lie within each bin (reach.h), of exits that began before the window,
 *	too; of SERIES_TIMES all times are set, of SERIES_COUNTS cycles and halted; else NULL
 * @lost: the vCPUs' cycles of each bin in which exits are missing (gaps.h); NULL: none, or unknown
 * @by: sums of each {bin, reason key}
 */
struct series {
	int64_t origin;
	int64_t first;
	int64_t end;
	int bins;
	int64_t bin_cycles;
	struct group *total;
	struct group *within;
	double *lost;
	struct agg by;
};

/* What there must be of each bin; less is read faster, and nothing else is filled of roll-ups. */
enum series_sums {
	SERIES_TIMES,  /* n, and all times */
	SERIES_COUNTS, /* n, cycles and halted */
	SERIES_RATES,  /* n, of the time that rates are of alone (agg_rate_window()) */
};

/**
 * series_read - read the window of @run in bins
 * @most: most bins; 0: as long as one interval of the roll-ups
 *
 * From roll-ups a bin is a whole number of their intervals; a window that is read from
 * rows (run->by_rows) is cut in @most equal bins. Return: 0, or -1 with app->error;
 * call series_free() in any case.
 */
int series_read(struct app *app, const struct run *run, int most, enum series_sums sums,
		struct series *series);
void series_free(struct series *series);

/* Most bins that phases are found in. */
#define SERIES_PHASE_BINS 120

/**
 * series_for_phases - the bins that series_phases() works on
 * @fine: the window in SERIES_PHASE_BINS
 * @coarse: for series_free() in any case
 *
 * Return: @fine, or where its bins hold fewer than eight exits on average, @coarse, which is read
 * in wider ones: a few exits do not make a phase. NULL with app->error.
 */
const struct series *series_for_phases(struct app *app, const struct run *run,
				       const struct series *fine, struct series *coarse);

/* When a bin begins, in cycles since the run's start, and how long its part of the series is. */
int64_t series_begin(const struct series *series, int bin);
int64_t series_length(const struct series *series, const struct run *run, int bin);

/* Time that the vCPUs of the filter lived in a bin, in cycles. */
double series_capacity(const struct series *series, const struct run *run, int bin);

/* The share of the vCPUs' time in bins @from to @to - 1 in which exits are missing; 0: unknown,
 * too. */
double series_lost_share(const struct series *series, const struct run *run, int from, int to);

/* Whether that is nearly all of it: what was recorded there says nothing of the rest. */
bool series_is_lost(const struct series *series, const struct run *run, int from, int to);

/* The vCPUs' cycles of a bin in exits, without the halted part, and halted; at most its capacity.
 */
double series_busy(const struct series *series, const struct run *run, int bin);
double series_halted(const struct series *series, const struct run *run, int bin);

/* Exits per second of a bin, of one reason key or (-1) of all. */
double series_rate(const struct series *series, const struct run *run, int bin, int64_t reason);

/* Sums of one reason key in a bin; NULL: none. */
const struct group *series_find(const struct series *series, int bin, int64_t reason);

/* The most frequent reason key of bins from <= bin < to; its count in *n. */
int64_t series_top_reason(const struct series *series, int from, int to, uint64_t *n);

/**
 * series_spread - how uneven the rate is, more than chance makes it
 * @series: as many bins as there are; 2^n are best
 * @reason: a reason key; -1: all
 * @spread: standard deviation / mean of the rate, net of the noise that a stream of
 *	independent exits of this rate has (Poisson)
 *
 * Bins are joined until they hold eight exits on average, down to eight bins. Return:
 * false if there are too few exits to say anything.
 */
bool series_spread(const struct series *series, const struct run *run, int64_t reason,
		   double *spread);

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
 * halted; load: the rest. The last bin does not make a phase alone if it is short.
 * Returns the number of phases, at most @most, or -1 without memory.
 */
int series_phases(const struct series *series, const struct run *run, struct phase *phase,
		  int most);

#endif
