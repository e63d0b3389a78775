// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer latency, analyzer histogram - how durations are distributed
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/options/guest.h"
#include "analyzer/commands/sums/commands.h"
#include "analyzer/output/label.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "sql/hist.h"

#define MOST_ROWS 40 /* of a histogram, about */

static const char *const by_names[] = {"reason", "vm", "vcpu", "cr3", "region", NULL};
static const enum agg_by bys[] = {BY_REASON, BY_VM, BY_VCPU, BY_CR3, BY_REGION};

enum { EXTRA_HANDLER, EXTRA_GUEST };
static const struct extra_option latency_extra[] = {
	{"handler", NULL, "KVM's own time alone"}, GUEST_OPTIONS, {0}};
static const struct extra_option histogram_extra[] = {{"handler", NULL, "KVM's own time alone"},
						      {0}};

static const struct out_column latency_columns[] = {
	{"exits", "EXITS", OUT_COUNT, 0}, {"min", "MIN", OUT_TIME, 5}, {"p50", "P50", OUT_TIME, 0},
	{"p90", "P90", OUT_TIME, 3},	  {"p95", "P95", OUT_TIME, 4}, {"p99", "P99", OUT_TIME, 0},
	{"p999", "P99.9", OUT_TIME, 2},	  {"max", "MAX", OUT_TIME, 0},
};

#define N_LATENCY (int)(sizeof(latency_columns) / sizeof(latency_columns[0]))

/* Read by reason, most frequent first. */
static int read_groups(struct app *app, const struct options *opt, enum agg_by by, struct agg *agg)
{
	unsigned int flags =
		AGG_DIST | (opt->exact ? AGG_EXACT : 0) | (opt->extra[0] ? AGG_HANDLER : 0);

	if (opt->extra[0] && !app->run.has_split)
		return app_fail(
			app,
			"--handler: run \"%s\": source %s does not tell the handler's time apart (leave it out)",
			app->run.label, app->run.source);
	if (agg_needs_rows(&app->run, by, flags) && run_rows(app, &app->run))
		return -1;
	if (agg_read(app, &app->run, by, flags, agg))
		return -1;
	if (!agg->groups)
		return run_nothing(app);
	if (by == BY_CR3 && guest_check_cr3(app, agg))
		return -1;
	agg_sort_by_count(agg);
	return 0;
}

static void begin(struct app *app, const struct options *opt, struct out *out)
{
	out_begin(out, &opt->style, app->run.tsc_khz);
	out_run(out, "run", &app->run);
	if (opt->extra[0])
		out_note(out, "Handler time: without the halted, user-space and preempted parts.");
}

/* Shortest, percentiles and longest. Of the handler's time the roll-ups have buckets alone. */
static void show_quantiles(struct out *out, const struct group *g, bool handler)
{
	static const double qs[] = {0.5, 0.9, 0.95, 0.99, 0.999};
	size_t n = sizeof(qs) / sizeof(qs[0]);

	if (!g->n) {
		for (size_t i = 0; i < n + 2; i++)
			out_none(out);
		return;
	}
	if (handler || group_min_is_known(g))
		out_time(out, handler ? dist_quantile(&g->dist, 0) : g->min);
	else
		out_none(out);
	for (size_t i = 0; i < n; i++)
		out_time(out, handler ? dist_quantile(&g->dist, qs[i]) : group_quantile(g, qs[i]));
	out_time(out, handler ? dist_quantile(&g->dist, 1) : g->max);
}

static int put_latency(struct app *app, const struct options *opt, int by, struct out *out,
		       const struct agg *agg)
{
	struct out_column columns[LABEL_COLUMNS + N_LATENCY];
	static const struct symbols none;
	int keys = label_columns(bys[by], columns);
	bool handler = opt->extra[0];

	memcpy(columns + keys, latency_columns, sizeof(latency_columns));
	out_table(out, "rows", columns, keys + N_LATENCY);
	for (uint32_t i = 0; i < agg->groups; i++) {
		const struct group *g = &agg->group[i];

		if (opt->limit > 0 && i >= opt->limit)
			break;
		if (label_put(app, out, bys[by], &none, g))
			return -1;
		out_int(out, (int64_t)g->n);
		show_quantiles(out, g, handler);
	}
	out_table_end(out);
	return 0;
}

static int latency(struct app *app, const struct options *opt)
{
	int by = choice_parse(app, "--by", opt->by ? opt->by : "reason", by_names);
	struct agg agg = {0};
	struct guest guest;
	struct out out;
	int rc;

	if (by < 0 || guest_check_by(app, opt->extra + EXTRA_GUEST, bys[by]) ||
	    run_open(app, app->filter.run, &app->run))
		return -1;
	rc = guest_open(app, opt->extra + EXTRA_GUEST, &guest);
	if (!rc)
		rc = read_groups(app, opt, bys[by], &agg);
	if (!rc) {
		begin(app, opt, &out);
		rc = put_latency(app, opt, by, &out, &agg);
		rc = out_end(&out, app, rc < 0);
	}
	agg_free(&agg);
	guest_close(app, &guest);
	return rc;
}

static const struct out_column histogram_columns[] = {
	{"from", "FROM", OUT_TIME, 0},	  {"to", "TO", OUT_TIME, 0},
	{"exits", "EXITS", OUT_COUNT, 0}, {"share", "SHARE", OUT_SHARE, 0},
	{"upto", "UP TO", OUT_SHARE, 0},  {"bar", "", OUT_BAR, 0},
};

/*
 * A row of the drawing that a bucket belongs to: @per rows to each power of two; -1: zero. Below 64
 * a bucket is one value, and there are powers of two that have fewer values than @per: some of
 * their rows have none.
 */
static int64_t row_of(uint32_t bucket, uint32_t per)
{
	uint32_t power = 0;

	if (!bucket)
		return -1;
	if (bucket >= HIST_PER_2X)
		return (int64_t)(bucket / HIST_PER_2X + HIST_BITS - 1) * per +
		       bucket % HIST_PER_2X * per / HIST_PER_2X;

	while (bucket >> (power + 1))
		power++;
	return (int64_t)power * per + ((int64_t)(bucket - (1U << power)) * per >> power);
}

/* The smallest value of a row. */
static uint64_t row_low(int64_t row, uint32_t per)
{
	uint64_t power, part;

	if (row < 0)
		return 0;
	if (row / per > 63)
		return UINT64_MAX;

	power = UINT64_C(1) << (row / per);
	part = (uint64_t)(row % per);
	return power < per ? power + (power * part + per - 1) / per : power + power / per * part;
}

/* The smallest value of the rows after @row: those without a value begin where the next one does.
 */
static uint64_t row_end(int64_t row, uint32_t per)
{
	uint64_t low = row_low(row, per), end;

	do
		end = row_low(++row, per);
	while (end == low);
	return end;
}

/* Exits of the row that *bucket is in; *bucket becomes the first of the next. */
static uint64_t take_row(const struct dist *d, uint32_t *bucket, uint32_t per)
{
	int64_t row = row_of(*bucket, per);
	uint64_t n, sum = 0;

	for (; dist_next(d, bucket, &n) && row_of(*bucket, per) == row; ++*bucket)
		sum += n;
	return sum;
}

/* As many rows to a power of two as give no more than MOST_ROWS in all. */
static uint32_t choose_rows(const struct dist *d)
{
	uint32_t first = 0, last = 0, per = 8;
	uint64_t n;

	dist_next(d, &first, &n);
	for (uint32_t bucket = 0; dist_next(d, &bucket, &n); bucket++)
		last = bucket;
	while (per > 1 && row_of(last, per) - row_of(first, per) > MOST_ROWS)
		per /= 2;
	return per;
}

static void put_histogram(struct out *out, const struct dist *d)
{
	uint32_t per = choose_rows(d);
	uint64_t n = 0, most = 0, seen = 0;

	for (uint32_t bucket = 0; dist_next(d, &bucket, &n);) {
		n = take_row(d, &bucket, per);
		most = n > most ? n : most;
	}
	out_table(out, "rows", histogram_columns, 6);
	for (uint32_t bucket = 0; dist_next(d, &bucket, &n);) {
		int64_t row = row_of(bucket, per);

		n = take_row(d, &bucket, per);
		seen += n;
		out_time(out, row_low(row, per));
		out_time(out, row_end(row, per));
		out_int(out, (int64_t)n);
		out_real(out, (double)n / (double)d->total);
		out_real(out, (double)seen / (double)d->total);
		out_real(out, (double)n / (double)most);
	}
	out_table_end(out);
}

static int histogram(struct app *app, const struct options *opt)
{
	struct agg agg = {0};
	struct dist all = {0};
	struct out out;
	int rc = run_open(app, app->filter.run, &app->run);

	if (!rc && app->run.no_durations)
		rc = app_fail(app,
			      "histogram: run \"%s\" has no durations (top-exits has its counts)",
			      app->run.label);
	if (!rc)
		rc = read_groups(app, opt, BY_REASON, &agg);

	for (uint32_t i = 0; i < agg.groups && !rc; i++)
		if (dist_add_all(&all, &agg.group[i].dist))
			rc = app_fail(app, "out of memory");
	if (!rc && dist_sort(&all))
		rc = app_fail(app, "out of memory");
	if (!rc && !all.total)
		rc = app_fail(app, "run \"%s\": it has no histogram", app->run.label);
	if (!rc) {
		begin(app, opt, &out);
		put_histogram(&out, &all);
		rc = out_end(&out, app, false);
	}
	dist_free(&all);
	agg_free(&agg);
	return rc;
}

const struct cmd cmd_latency = {
	.name = "latency",
	.summary = "percentiles of the duration, by reason, VM, vCPU or process",
	.usage = "[--by KEY] [--handler] [OPTION...]",
	.help = help_latency,
	.options = OPT_FILTER | OPT_FORMAT | OPT_BY | OPT_LIMIT | OPT_EXACT,
	.extra = latency_extra,
	.run = latency,
};

const struct cmd cmd_histogram = {
	.name = "histogram",
	.summary = "how durations are distributed, drawn",
	.usage = "[--reason R] [--handler] [OPTION...]",
	.help = help_histogram,
	.options = OPT_FILTER | OPT_FORMAT | OPT_EXACT,
	.extra = histogram_extra,
	.run = histogram,
};
