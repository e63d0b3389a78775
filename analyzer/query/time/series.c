// SPDX-License-Identifier: GPL-2.0-only
/*
 * series.c - exits over the run, in bins of equal length; see series.h
 */
#include "analyzer/query/time/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/edges.h"
#include "analyzer/query/time/gaps.h"
#include "analyzer/query/time/reach.h"

#define SPREAD_EXITS 64 /* fewer say nothing of how even a rate is */
#define SPREAD_BINS  8

int64_t series_begin(const struct series *series, int bin)
{
	return series->origin + bin * series->bin_cycles;
}

static int64_t bin_end(const struct series *series, int bin)
{
	int64_t end = series_begin(series, bin) + series->bin_cycles;

	return end < series->end ? end : series->end;
}

int64_t series_length(const struct series *series, const struct run *run, int bin)
{
	int64_t begin = series_begin(series, bin), end = bin_end(series, bin);

	(void)run;
	begin = begin > series->first ? begin : series->first;
	return end > begin ? end - begin : 0;
}

double series_rate(const struct series *series, const struct run *run, int bin, int64_t reason)
{
	const struct group *g = reason < 0 ? &series->total[bin] : series_find(series, bin, reason);
	double seconds = (double)series_length(series, run, bin) / (double)run->tsc_khz / 1e3;

	if (seconds <= 0)
		return NAN;
	return g ? (double)g->n / seconds : 0;
}

const struct group *series_find(const struct series *series, int bin, int64_t reason)
{
	return agg_find(&series->by, (int64_t[4]){bin, reason});
}

int64_t series_top_reason(const struct series *series, int from, int to, uint64_t *n)
{
	struct agg sum = {0};
	int64_t top = 0;

	*n = 0;
	for (uint32_t i = 0; i < series->by.groups; i++) {
		const struct group *g = &series->by.group[i];
		struct group *reason;

		if (g->key[0] < from || g->key[0] >= to)
			continue;
		reason = agg_group(&sum, (int64_t[4]){g->key[1]});
		if (!reason)
			break;
		reason->n += g->n;
		if (reason->n > *n || (reason->n == *n && reason->key[0] < top)) {
			*n = reason->n;
			top = reason->key[0];
		}
	}
	agg_free(&sum);
	return top;
}

/* Exits of bins from <= bin < to. */
static double count_of(const struct series *series, int from, int to, int64_t reason)
{
	double n = 0;

	for (int i = from; i < to; i++) {
		const struct group *g =
			reason < 0 ? &series->total[i] : series_find(series, i, reason);

		n += g ? (double)g->n : 0;
	}
	return n;
}

bool series_spread(const struct series *series, const struct run *run, int64_t reason,
		   double *spread)
{
	int bins = series->bins, joined = 1, skipped = 0;
	double n, mean, squares = 0, excess;

	/* A bin that an end of the series cuts has another mean. */
	if (bins > 1 && series_length(series, run, bins - 1) < series->bin_cycles)
		bins--;
	if (bins > 1 && series->first > series->origin)
		skipped = 1;
	bins -= skipped;
	n = count_of(series, skipped, skipped + bins, reason);
	if (n < SPREAD_EXITS)
		return false;

	while (n * joined / bins < 8 && bins / (2 * joined) >= SPREAD_BINS)
		joined *= 2;
	bins /= joined;
	if (bins < SPREAD_BINS)
		return false;

	mean = count_of(series, skipped, skipped + bins * joined, reason) / bins;
	for (int i = 0; i < bins; i++) {
		int from = skipped + i * joined;
		double d = count_of(series, from, from + joined, reason) - mean;

		squares += d * d;
	}

	/* The variance of a Poisson stream is its mean; what is not surely more is none. */
	excess = squares / (bins - 1) - mean;
	if (excess < mean * 3 * sqrt(2.0 / (bins - 1)))
		excess = 0;
	*spread = mean > 0 ? sqrt(excess) / mean : 0;
	return mean > 0;
}

double series_capacity(const struct series *series, const struct run *run, int bin)
{
	int64_t begin = series_begin(series, bin);

	return run_vcpu_time(run, begin, begin + series_length(series, run, bin));
}

double series_busy(const struct series *series, const struct run *run, int bin)
{
	const struct group *within = &series->within[bin];

	return fmin((double)(within->cycles - within->halted), series_capacity(series, run, bin));
}

double series_halted(const struct series *series, const struct run *run, int bin)
{
	return fmin((double)series->within[bin].halted,
		    series_capacity(series, run, bin) - series_busy(series, run, bin));
}

/* Add the times of an exit that begins at @since to the bins from @bin on, as far as they lie
 * there. */
static void add_from(struct series *series, int bin, int64_t since, const struct group *exit)
{
	int64_t end = wrap_add(since, (int64_t)exit->cycles);

	for (; bin < series->bins && series_begin(series, bin) < end; bin++) {
		int64_t begin = series_begin(series, bin), stop = bin_end(series, bin);
		struct group part;

		begin = begin > since ? begin : since;
		stop = stop < end ? stop : end;
		if (stop <= begin)
			break;
		part = group_cut(exit, (uint64_t)(stop - begin));
		group_add_times(&series->within[bin], &part);
	}
}

/* An exit that may reach beyond the bin that it is counted in. */
static void see_reach(void *context, int64_t since, const struct group *exit)
{
	struct series *series = context;
	int64_t bin = wrap_subtract(since, series->origin) / series->bin_cycles, end;

	/* Where agg_bin() counts what began after the end. */
	if (bin >= series->bins)
		bin = series->bins - 1;
	if (since < series->origin || __builtin_add_overflow(since, (int64_t)exit->cycles, &end) ||
	    end <= bin_end(series, (int)bin))
		return;

	group_subtract_times(&series->within[bin], exit);
	add_from(series, (int)bin, since, exit);
}

static int read_before(struct app *app, const struct run *run, struct series *series)
{
	struct edge *edges;

	if (!run->from)
		return 0;
	if (edges_read(app, run, &edges))
		return -1;
	for (unsigned int i = 0; edges && i < run->n_vcpus; i++)
		add_from(series, 0, series->origin, &edges[i].before);
	free(edges);
	return 0;
}

static int read_lost(struct app *app, const struct run *run, struct series *series)
{
	struct gap_bins bins = {
		.begin = series->origin, .width = series->bin_cycles, .count = series->bins};
	int rc = gaps_read_bins(app, run, &bins);

	series->lost = bins.cycles;
	return rc;
}

double series_lost_share(const struct series *series, const struct run *run, int from, int to)
{
	double lost = 0, all = 0;

	for (int i = from; series->lost && i < to; i++) {
		lost += series->lost[i];
		all += series_capacity(series, run, i);
	}
	return all > 0 ? lost / all : 0;
}

bool series_is_lost(const struct series *series, const struct run *run, int from, int to)
{
	return series_lost_share(series, run, from, to) > 0.9;
}

/* What lies within each bin: the times of the exits that begin in it, moved where they reach over.
 */
static int read_within(struct app *app, const struct run *run, const struct agg_bins *bins,
		       struct series *series)
{
	series->within = calloc((size_t)series->bins, sizeof(*series->within));
	if (!series->within)
		return app_fail(app, "out of memory");

	for (int i = 0; i < series->bins; i++)
		group_add_times(&series->within[i], &series->total[i]);
	if (reach_read(app, run, bins, see_reach, series))
		return -1;
	return read_before(app, run, series);
}

/* Bins of rows: any width will do. */
static void cut_rows(const struct run *run, int most, struct agg_bins *bins, struct series *series)
{
	int64_t length = series->end - series->origin;

	bins->width = most ? (length + most - 1) / most : run->rollup_cycles;
	if (bins->width < 1)
		bins->width = 1;
	series->bins = (int)((length + bins->width - 1) / bins->width);
}

/*
 * Bins of roll-ups: a whole number of intervals, and of those of the highest level that
 * fit into one bin, or into one of twice the width: the bins are fewer, but at least half of
 * @most, and an eighth of the roll-ups is read.
 */
static void cut_rollups(const struct run *run, int most, struct agg_bins *bins,
			struct series *series)
{
	int64_t length = series->end - series->origin;
	int64_t slots = (length + run->rollup_cycles) / run->rollup_cycles;
	int64_t joined = most && slots > most ? (slots + most - 1) / most : 1;
	int64_t level_slots = 1;

	while (run->coarse && run_is_whole(run) && !series->origin && bins->level < AGG_LEVELS &&
	       level_slots * 8 <= 2 * joined) {
		level_slots *= 8;
		bins->level++;
	}
	joined = (joined + level_slots - 1) / level_slots * level_slots;
	bins->width = run->rollup_cycles * joined;

	/* An exit in the last cycle of a run that ends with an interval is in the next. */
	series->bins = (int)(length / bins->width + 1);
}

static int allocate(struct app *app, struct series *series)
{
	series->total = calloc((size_t)series->bins, sizeof(*series->total));
	if (!series->total)
		return app_fail(app, "out of memory");

	for (int i = 0; i < series->bins; i++)
		series->total[i] = group_empty();
	return 0;
}

/* Begin and end where rates do: at an interval of the roll-ups, unless they are of rows. */
static void narrow(const struct run *run, struct series *series)
{
	agg_rate_window(run, BY_REASON, NULL, &series->first, &series->end);
	series->origin = series->first;
	if (!run->by_rows)
		series->origin -= series->origin % run->rollup_cycles;
}

int series_read(struct app *app, const struct run *run, int most, enum series_sums sums,
		struct series *series)
{
	unsigned int flags = sums == SERIES_TIMES ? AGG_SPLIT : AGG_COUNTS;
	struct agg_bins bins = {0};

	memset(series, 0, sizeof(*series));
	series->origin = run_grid_from(run);
	series->end = run_grid_to(run);
	if (series->end > run->length_cycles)
		series->end = run->length_cycles;
	if (series->end < series->origin)
		series->end = series->origin;
	series->first = series->origin;
	if (sums == SERIES_RATES)
		narrow(run, series);

	if (run->by_rows)
		cut_rows(run, most, &bins, series);
	else
		cut_rollups(run, most, &bins, series);
	if (series->bins < 1)
		series->bins = 1;
	bins.begin = series->origin;
	bins.count = series->bins;
	series->bin_cycles = bins.width;

	if (agg_read_bins(app, run, &bins, flags, &series->by) || allocate(app, series))
		return -1;
	for (uint32_t i = 0; i < series->by.groups; i++) {
		int64_t bin = series->by.group[i].key[0];

		if (bin >= 0 && bin < series->bins)
			group_add(&series->total[bin], &series->by.group[i]);
	}

	/* The bin that was added for the last cycle. */
	if (series->bins > 1 && !series->total[series->bins - 1].n &&
	    series_begin(series, series->bins - 1) >= series->end)
		series->bins--;
	if (read_lost(app, run, series))
		return -1;
	return sums == SERIES_RATES ? 0 : read_within(app, run, &bins, series);
}

void series_free(struct series *series)
{
	agg_free(&series->by);
	free(series->total);
	free(series->within);
	free(series->lost);
	memset(series, 0, sizeof(*series));
}
