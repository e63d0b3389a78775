// SPDX-License-Identifier: GPL-2.0-only
/*
 * phases.c - find the phases of a run; see series.h
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/series.h"

#define IDLE_SHARE 0.7	/* of vCPU time in HLT or MWAIT */
#define NOISE	   0.15 /* least standard deviation that a phase is granted */

/* What a bin looks like: two numbers of about the same weight. */
struct look {
	double rate;   /* log10(1 + exits/s) */
	double halted; /* share of vCPU time */
};

/* Sums of looks over bins 0 .. i - 1, so that any range costs O(1). */
struct sums {
	double rate, rate2, halted, halted2;
};

static double halted_share(const struct series *series, const struct run *run, int from, int to)
{
	double halted = 0, time = 0;

	for (int i = from; i < to; i++) {
		halted += series->halted[i];
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

static void add_looks(const struct series *series, const struct run *run, struct sums *sums)
{
	for (int i = 0; i < series->bins; i++) {
		struct look l = {.rate = log10(1 + series_rate(series, run, i, -1)),
				 .halted = halted_share(series, run, i, i + 1)};

		sums[i + 1] = (struct sums){sums[i].rate + l.rate, sums[i].rate2 + l.rate * l.rate,
					    sums[i].halted + l.halted,
					    sums[i].halted2 + l.halted * l.halted};
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

/* Name the phases, and make one of neighbours that are called the same. */
static int name_phases(const struct series *series, const struct run *run, struct phase *phase,
		       int n)
{
	bool idle_seen = false;
	int kept = 0;

	for (int i = 0; i < n; i++) {
		bool idle = halted_share(series, run, phase[i].from, phase[i].to) >= IDLE_SHARE;

		idle_seen |= idle;
		phase[i].name = idle					       ? "idle"
				: no_exits(series, phase[i].from, phase[i].to) ? "none"
				: idle_seen				       ? "load"
									       : "boot";
	}
	for (int i = 0; i < n; i++) {
		if ((!idle_seen || run->unread || series->origin) && !strcmp(phase[i].name, "boot"))
			phase[i].name = "load";
		if (kept && !strcmp(phase[kept - 1].name, phase[i].name) &&
		    strcmp(phase[i].name, "load"))
			phase[kept - 1].to = phase[i].to;
		else
			phase[kept++] = phase[i];
	}
	return kept;
}

int series_phases(const struct series *series, const struct run *run, struct phase *phase, int most)
{
	size_t n = (size_t)series->bins + 1;
	struct sums *sums = calloc(n, sizeof(*sums));
	double *best = calloc(n, sizeof(*best));
	int *begin = calloc(n, sizeof(*begin)), count = 0;

	if (!sums || !best || !begin) {
		count = -1;
	} else {
		add_looks(series, run, sums);
		partition(sums, series->bins, best, begin);
		for (int to = series->bins; to > 0; to = begin[to])
			count++;
		if (count > most)
			count = most;
		for (int to = series->bins, i = count - 1; i >= 0; to = begin[to], i--)
			phase[i] = (struct phase){.from = i ? begin[to] : 0, .to = to};
		count = name_phases(series, run, phase, count);
	}
	free(sums);
	free(best);
	free(begin);
	return count;
}
