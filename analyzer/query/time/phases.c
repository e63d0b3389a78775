// SPDX-License-Identifier: GPL-2.0-only
/*
 * phases.c - find the phases of a run; see series.h
 *
 * HOW IT WORKS
 *
 * Each bin is two numbers: the logarithm of the rate, and the halted share. A run whose
 * bins are like this (rate | halted)
 *
 *	bin      0  1  2  3  4  5  6  7
 *	rate     5  5  5  2  2  2  4  4
 *	halted   0  0  0  .9 .9 .9 .2 .2
 *
 * is cut where the squared errors around the means of the parts are least, each part at
 * a price: 0-2, 3-5, 6-7. By dynamic programming that takes bins^2 steps. The parts are
 * then named, and neighbours of one name joined: boot, idle, load.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/time/series.h"

#define BIN_EXITS  8	/* at least, on average */
#define IDLE_SHARE 0.7	/* of vCPU time in HLT or MWAIT */
#define NOISE	   0.15 /* least standard deviation that a phase is granted */

/* What a bin is judged by: two numbers of about the same weight. */
struct point {
	double rate;   /* log10(1 + exits/s) */
	double halted; /* share of vCPU time */
};

/* Sums of points over bins 0 .. i - 1, so that any range costs O(1). */
struct sums {
	double rate, rate2, halted, halted2;
};

static double halted_share(const struct series *series, const struct run *run, int from, int to)
{
	double halted = 0, time = 0;

	for (int i = from; i < to; i++) {
		halted += series_halted(series, run, i);
		time += series_capacity(series, run, i);
	}
	return time > 0 ? halted / time : 0;
}

/* Squared error of bins from .. to - 1 around their mean. */
static double error(const struct sums *sums, int from, int to)
{
	double n = to - from;
	double rate = sums[to].rate - sums[from].rate, halted = sums[to].halted - sums[from].halted;

	return sums[to].rate2 - sums[from].rate2 - rate * rate / n + sums[to].halted2 -
	       sums[from].halted2 - halted * halted / n;
}

static void add_points(const struct series *series, const struct run *run, struct sums *sums)
{
	for (int i = 0; i < series->bins; i++) {
		double rate = series_rate(series, run, i, -1);
		struct point p = {.rate = isnan(rate) ? 0 : log10(1 + rate),
				  .halted = halted_share(series, run, i, i + 1)};

		sums[i + 1] = (struct sums){sums[i].rate + p.rate, sums[i].rate2 + p.rate * p.rate,
					    sums[i].halted + p.halted,
					    sums[i].halted2 + p.halted * p.halted};
	}
}

/*
 * The best partition by dynamic programming: best[i] is the least cost of bins
 * 0 .. i - 1, begin[i] where its last phase begins.
 */
static void partition(const struct sums *sums, int bins, double *best, int *begin)
{
	double price = 4 * NOISE * NOISE * log(bins + 1);

	best[0] = -price;
	for (int to = 1; to <= bins; to++) {
		best[to] = INFINITY;
		for (int from = 0; from < to; from++) {
			double cost = best[from] + price + error(sums, from, to);

			if (cost < best[to]) {
				best[to] = cost;
				begin[to] = from;
			}
		}
	}
}

static bool no_exits(const struct series *series, int from, int to)
{
	for (int i = from; i < to; i++)
		if (series->total[i].n)
			return false;
	return true;
}

/* Names, except boot: what comes before the first idle phase is "load" as well. */
static void name_phases(const struct series *series, const struct run *run, struct phase *phase,
			int n)
{
	for (int i = 0; i < n; i++) {
		if (halted_share(series, run, phase[i].from, phase[i].to) >= IDLE_SHARE)
			phase[i].name = "idle";
		else if (series_is_lost(series, run, phase[i].from, phase[i].to))
			phase[i].name = "unknown";
		else if (no_exits(series, phase[i].from, phase[i].to))
			phase[i].name = "none";
		else if (run->has_split)
			phase[i].name = "load";
		else
			phase[i].name = "unknown"; /* halted or not */
	}
}

/* A boot is the load before the first idle phase, if the recording began with the VM. */
static void name_boot(const struct series *series, const struct run *run, struct phase *phase,
		      int n)
{
	int idle = 0;

	while (idle < n && strcmp(phase[idle].name, "idle"))
		idle++;
	if (idle == n || run->unread || series->origin)
		return;

	for (int i = 0; i < idle; i++)
		if (!strcmp(phase[i].name, "load"))
			phase[i].name = "boot";
}

/* Make one phase of neighbours of one name. Others than idle ones stay apart by their rates. */
static int join_phases(struct phase *phase, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (kept && !strcmp(phase[kept - 1].name, phase[i].name) &&
		    strcmp(phase[i].name, "load") != 0 && strcmp(phase[i].name, "unknown") != 0)
			phase[kept - 1].to = phase[i].to;
		else
			phase[kept++] = phase[i];
	}
	return kept;
}

/* A rest of a bin at the end of the run does not show another phase. */
static int drop_rest(const struct series *series, const struct run *run, struct phase *phase, int n)
{
	int last = series->bins - 1;

	if (n > 1 && phase[n - 1].from == last &&
	    series_length(series, run, last) < series->bin_cycles / 2) {
		phase[n - 2].to = phase[n - 1].to;
		n--;
	}
	return n;
}

const struct series *series_for_phases(struct app *app, const struct run *run,
				       const struct series *fine, struct series *coarse)
{
	uint64_t exits = 0;
	int most;

	memset(coarse, 0, sizeof(*coarse));
	for (int i = 0; i < fine->bins; i++)
		exits += fine->total[i].n;
	if (fine->bins <= 1 || exits >= BIN_EXITS * (uint64_t)fine->bins)
		return fine;

	most = exits < 2 * BIN_EXITS ? 1 : (int)(exits / BIN_EXITS);
	return series_read(app, run, most, SERIES_COUNTS, coarse) ? NULL : coarse;
}

int series_phases(const struct series *series, const struct run *run, struct phase *phase, int most)
{
	size_t n = (size_t)series->bins + 1;
	struct sums *sums = calloc(n, sizeof(*sums));
	double *best = calloc(n, sizeof(*best));
	int *begin = calloc(n, sizeof(*begin)), count = -1;

	if (!sums || !best || !begin)
		goto out;

	add_points(series, run, sums);
	partition(sums, series->bins, best, begin);

	count = 0;
	for (int to = series->bins; to > 0; to = begin[to])
		count++;
	if (count > most)
		count = most;
	for (int to = series->bins, i = count - 1; i >= 0; to = begin[to], i--)
		phase[i] = (struct phase){.from = i ? begin[to] : 0, .to = to};

	count = drop_rest(series, run, phase, count);
	name_phases(series, run, phase, count);
	name_boot(series, run, phase, count);
	count = join_phases(phase, count);
out:
	free(sums);
	free(best);
	free(begin);
	return count;
}
