// SPDX-License-Identifier: GPL-2.0-only
/*
 * series.c - exits over the run, in bins of equal length; see series.h
 */
#include "analyzer/query/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"

int64_t series_begin(const struct series *series, int bin)
{
	return series->origin + bin * series->bin_cycles;
}

int64_t series_length(const struct series *series, const struct run *run, int bin)
{
	int64_t begin = series_begin(series, bin), end = begin + series->bin_cycles;

	if (end > run->length_cycles)
		end = run->length_cycles;
	return end > begin ? end - begin : 1;
}

double series_rate(const struct series *series, const struct run *run, int bin, int64_t reason)
{
	const struct group *g = reason < 0 ? &series->total[bin] : series_find(series, bin, reason);
	double seconds = (double)series_length(series, run, bin) / (double)run->tsc_khz / 1e3;

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

double series_variation(const struct series *series, const struct run *run, int64_t reason)
{
	int n = series->bins;
	double sum = 0, squares = 0;

	if (n > 1 && series_length(series, run, n - 1) < series->bin_cycles)
		n--;
	if (n < 2)
		return NAN;
	for (int i = 0; i < n; i++) {
		double rate = series_rate(series, run, i, reason);

		sum += rate;
		squares += rate * rate;
	}
	if (sum <= 0)
		return NAN;
	return sqrt(fmax(0, squares / n - sum / n * (sum / n))) / (sum / n);
}

double series_capacity(const struct series *series, const struct run *run, int bin)
{
	return (double)series_length(series, run, bin) * (run->n_vcpus ? run->n_vcpus : 1);
}

static void spread_halted(struct series *series, const struct run *run)
{
	double rest = 0;

	for (int i = 0; i < series->bins; i++) {
		double room = series_capacity(series, run, i);

		rest += (double)series->total[i].halted;
		series->halted[i] = fmin(rest, room);
		rest -= series->halted[i];
	}
}

/* The highest level with intervals that fit into one bin; the bin becomes a
 * multiple of them.
 */
static void choose_level(struct agg *agg)
{
	int64_t width = 1;

	while (agg->level < AGG_LEVELS && width * 8 <= agg->merge) {
		width *= 8;
		agg->level++;
	}
	agg->merge = (agg->merge + width - 1) / width * width;
}

int series_read(struct app *app, const struct run *run, int most, struct series *series)
{
	int64_t from = run_grid_from(run), to = run_grid_to(run), slots, end;

	memset(series, 0, sizeof(*series));
	end = to < run->length_cycles ? to : run->length_cycles;
	slots = (end - from + run->rollup_cycles) / run->rollup_cycles;
	if (slots < 1)
		slots = 1;
	series->by.merge = most && slots > most ? (slots + most - 1) / most : 1;
	if (run->coarse && !from && to == INT64_MAX)
		choose_level(&series->by);
	series->bin_cycles = run->rollup_cycles * series->by.merge;
	series->by.origin = from / run->rollup_cycles;
	series->origin = from;
	/* An exit in the last cycle of a run that ends with an interval is in the next. */
	series->bins = (int)((end - from) / series->bin_cycles + 1);
	if (agg_read(app, run, BY_SLOT, 0, &series->by))
		return -1;
	series->total = calloc((size_t)series->bins, sizeof(*series->total));
	series->halted = calloc((size_t)series->bins, sizeof(*series->halted));
	if (!series->total || !series->halted)
		return app_fail(app, "out of memory");
	for (int i = 0; i < series->bins; i++)
		series->total[i] =
			(struct group){.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
	for (uint32_t i = 0; i < series->by.groups; i++) {
		int64_t bin = series->by.group[i].key[0];

		if (bin >= 0 && bin < series->bins)
			group_add(&series->total[bin], &series->by.group[i]);
	}
	if (series->bins > 1 && !series->total[series->bins - 1].n &&
	    series_begin(series, series->bins - 1) >= end)
		series->bins--;
	spread_halted(series, run);
	return 0;
}

void series_free(struct series *series)
{
	agg_free(&series->by);
	free(series->total);
	free(series->halted);
	memset(series, 0, sizeof(*series));
}
