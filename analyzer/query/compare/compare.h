/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.h - the difference of two runs, and whether chance or losses explain it
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_COMPARE_COMPARE_H
#define EXITSCOPE_ANALYZER_QUERY_COMPARE_COMPARE_H

#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/edges.h"
#include "analyzer/query/time/series.h"

/* The key of the sum over all reasons. */
#define CHANGE_ALL INT64_MIN

/* The least change that is a verdict, as a share of A. */
#define CHANGE_MATTERS 0.05

/*
 * struct side - one of the two runs, with a database connection of its own
 * @from, @to: the time that its rates are of, in cycles since its start; agg_rate_window()
 * @by_reason, @all: its exits by reason, and together
 * @series: its exits over time, from roll-ups; empty if @by_bin has them
 * @by_bin: exits and distributions of {bin, reason key}, of the bins of @bins, with
 *	CHANGE_ALL for all reasons; none where there are neither enough intervals of
 *	histograms nor rows
 * @from_rows: @by_bin was read from rows
 * @filtered: exits that were filtered out while recording, as dropped ones, by reason key
 * @knows_filtered: false: only their number is known
 * @edges: of each vCPU, what lies in the window of exits that reach over its ends; NULL: none
 */
struct side {
	struct app app;
	int64_t from;
	int64_t to;
	struct agg by_reason;
	struct group all;
	struct series series;
	struct agg by_bin;
	struct agg_bins bins;
	bool from_rows;
	struct agg filtered;
	bool knows_filtered;
	struct edge *edges;
};

/*
 * What can be said of a difference. CHANGE_LOST: dropped exits could explain it;
 * CHANGE_UNKNOWN: one side is missing, too short, or its times are not to be compared.
 */
enum verdict { CHANGE_NONE, CHANGE_FOUND, CHANGE_LOST, CHANGE_UNKNOWN };

/*
 * struct difference - a value on both sides, and whether chance explains the difference
 * @a, @b: exits per second (with total: exits), or a quantile in cycles of side A
 * @change: b / a - 1; INFINITY: A has none
 * @least, @most: the same at least and at most, whatever the dropped exits were
 *	(-1 and INFINITY: it is unknown on a side that has exits)
 * @p: probability of such a difference by chance alone; 1 where nothing can be said
 * @by_chance: chance may have made it. Of all differences of a command that are not by
 *	chance, it makes at most 1 in 20.
 * @verdict: CHANGE_FOUND if it is not by chance and at least CHANGE_MATTERS
 */
struct difference {
	double a, b;
	double change, least, most;
	double p;
	bool by_chance;
	enum verdict verdict;
};

/*
 * struct change - one reason key in both runs
 * @key: CHANGE_ALL: all reasons together
 * @a, @b: its exits; NULL: none
 * @rate_a, @rate_b: exits per second; @seconds_a, @seconds_b: how long
 * @busy_a, @busy_b: share of the vCPUs' time without the halted part; NAN: unknown
 */
struct change {
	int64_t key;
	const struct group *a, *b;
	double seconds_a, seconds_b;
	double rate_a, rate_b;
	double busy_a, busy_b;
	struct difference rate, p50, p99;
};

/* Read what side->app.run is; free it with side_free(). Return: 0, or -1 with app.error. */
int side_read(struct side *side);
void side_free(struct side *side);

/* How long the time is that its rates are of, in seconds; never 0. */
double side_seconds(const struct side *side);

/* Whether that time says anything about a rate. */
bool side_has_rate(const struct side *side);

/* Whether the times of both differ by where they are taken alone: in KVM, or at tracepoints. */
bool sides_differ_in_stamps(const struct side *a, const struct side *b);

/* Where the time of a run's exits is taken: in KVM itself, or at its tracepoints. */
bool run_is_traced(const struct run *run);

/**
 * changes_make - compare every reason that occurs in @a or @b, and all together
 * @total: compare counts, not rates
 * @change: an array of *n, CHANGE_ALL last if there are several reasons; it points into
 *	both sides; free it
 *
 * Return: 0, or -1 with app->error.
 */
int changes_make(struct app *app, const struct side *a, const struct side *b, bool total,
		 struct change **change, uint32_t *n);

/* Whether so few exits are on both sides together that no difference can be significant. */
bool change_is_rare(const struct change *c);

/*
 * "more", "fewer", "~" (may be chance), "lost", "new" and "vanished", with '?' if chance may
 * be why one side has none; NULL: CHANGE_UNKNOWN.
 */
const char *change_word(const struct change *c);

/* "+12 %", "-3 %", "~", "lost"; NULL: CHANGE_UNKNOWN. */
const char *quantile_word(const struct difference *q, char *text, size_t size);

/* What EPT has to do with it; NULL: nothing. @ept: -1 A alone has EPT, 1 B alone. */
const char *change_why(const struct change *c, int isa, int ept);

#endif
