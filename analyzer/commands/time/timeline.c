// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer timeline - exits over the run, its phases, and each reason's rate
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/time/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/time/series.h"

#define MOST_ROWS   40
#define MOST_PHASES 32

enum { TABLE_TIMELINE, TABLE_PHASES, TABLE_REASONS };

static const char *const table_names[] = {"timeline", "phases", "reasons", NULL};
static const struct extra_option extra[] = {
	{"table", "TABLE", "one of timeline, phases, reasons (default: all; CSV: timeline)"}, {0}};

static const struct out_column bin_columns[] = {
	{"start", "START", OUT_MOMENT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"per_s", "EXITS/S", OUT_REAL, 0},
	{"time", "TIME", OUT_TIME, 3},
	{"busy_of_vcpu", "BUSY/VCPU", OUT_SHARE, 0},
	{"halted_of_vcpu", "HALTED/VCPU", OUT_SHARE, 2},
	{"top_reason", "MOST FREQUENT", OUT_TEXT, 1},
	{"bar", "", OUT_BAR, 0},
};

static const struct out_column phase_columns[] = {
	{"phase", "PHASE", OUT_TEXT, 0},
	{"start", "START", OUT_MOMENT, 0},
	{"length", "LENGTH", OUT_TIME, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"per_s", "EXITS/S", OUT_REAL, 0},
	{"busy_of_vcpu", "BUSY/VCPU", OUT_SHARE, 0},
	{"halted_of_vcpu", "HALTED/VCPU", OUT_SHARE, 1},
	{"top_reason", "MOST FREQUENT", OUT_TEXT, 0},
};

static const struct out_column reason_columns[] = {
	{"reason", "REASON", OUT_ID, 4},	 {"name", "NAME", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},	 {"per_s", "EXITS/S", OUT_REAL, 0},
	{"first", "FIRST", OUT_TIME, 2},	 {"last", "LAST", OUT_TIME, 1},
	{"variation", "VARIATION", OUT_REAL, 3}, {"rate", "RATE", OUT_TEXT, 0},
};

/* Sums and length of bins from <= bin < to. */
static struct group sum_bins(const struct series *s, const struct run *run, int from, int to,
			     int64_t *length)
{
	struct group sum = group_empty();

	*length = 0;
	for (int i = from; i < to; i++) {
		group_add(&sum, &s->total[i]);
		*length += series_length(s, run, i);
	}
	return sum;
}

/* The cells that bins and phases have in common at their end. */
static int put_shares(struct app *app, struct out *out, const struct series *s, int from, int to)
{
	int64_t top;
	double time = 0, busy = 0, halted = 0;
	char name[64];
	uint64_t n;

	for (int i = from; i < to; i++) {
		time += series_capacity(s, &app->run, i);
		busy += series_busy(s, &app->run, i);
		halted += series_halted(s, &app->run, i);
	}
	if (app->run.has_split && time > 0) {
		out_real(out, busy / time);
		out_real(out, halted / time);
	} else {
		out_none(out);
		out_none(out);
	}
	top = series_top_reason(s, from, to, &n);
	if (n && !reason_name(app, app->run.isa, top, name, sizeof(name)))
		return -1;
	out_text(out, n ? name : NULL);
	return 0;
}

/* An uneven rate may be made by losses. */
static bool has_losses(const struct series *s, const struct run *run)
{
	return series_lost_share(s, run, 0, s->bins) > 0.05;
}

static void put_none(struct out *out, int columns)
{
	while (columns--)
		out_none(out);
}

static int put_bins(struct app *app, struct out *out, const struct series *s)
{
	double most = 0;

	for (int i = 0; i < s->bins; i++)
		most = fmax(most, series_rate(s, &app->run, i, -1));
	out_table(out, "timeline", bin_columns, 8);
	for (int i = 0; i < s->bins; i++) {
		double rate = series_rate(s, &app->run, i, -1);

		out_time(out, (uint64_t)series_begin(s, i));
		if (!s->total[i].n && series_is_lost(s, &app->run, i, i + 1)) {
			put_none(out, 7);
			continue;
		}
		out_int(out, (int64_t)s->total[i].n);
		if (isnan(rate))
			out_none(out);
		else
			out_real(out, rate);
		out_time(out, s->total[i].cycles);
		if (put_shares(app, out, s, i, i + 1))
			return -1;
		out_real(out, most > 0 && !isnan(rate) ? rate / most : 0);
	}
	out_table_end(out);
	return 0;
}

static int put_phases(struct app *app, struct out *out, const struct series *fine)
{
	struct phase phase[MOST_PHASES];
	struct series coarse;
	const struct series *s = series_for_phases(app, &app->run, fine, &coarse);
	int n = s ? series_phases(s, &app->run, phase, MOST_PHASES) : 0, rc = s ? 0 : -1;

	if (n < 0)
		rc = app_fail(app, "out of memory");
	if (!rc)
		out_table(out, "phases", phase_columns, 8);
	for (int i = 0; i < n && !rc; i++) {
		int64_t length;
		struct group sum = sum_bins(s, &app->run, phase[i].from, phase[i].to, &length);

		out_text(out, phase[i].name);
		out_time(out, (uint64_t)series_begin(s, phase[i].from));
		out_time(out, (uint64_t)length);
		if (!sum.n && series_is_lost(s, &app->run, phase[i].from, phase[i].to)) {
			put_none(out, 5);
			continue;
		}
		out_int(out, (int64_t)sum.n);
		out_real(out, (double)sum.n * (double)app->run.tsc_khz * 1e3 / (double)length);
		rc = put_shares(app, out, s, phase[i].from, phase[i].to);
	}
	if (!rc)
		out_table_end(out);
	series_free(&coarse);
	return rc;
}

static const char *rate_word(bool known, double variation)
{
	if (!known)
		return "too few";
	if (variation < 0.3)
		return "steady";
	return variation < 1 ? "varies" : "in bursts";
}

/* Exits per second of the time in which those lived that are shown. */
static void put_rate(struct out *out, const struct run *run, uint64_t exits)
{
	int64_t time = agg_known_rate_time(run, BY_REASON, NULL);

	if (time)
		out_real(out, (double)exits * (double)run->tsc_khz * 1e3 / (double)time);
	else
		out_none(out);
}

static void put_reason(struct app *app, struct out *out, const struct series *s,
		       const struct group *g, int64_t key, const char *name)
{
	const struct run *run = &app->run;
	double spread = 0;
	bool known = !has_losses(s, run) && series_spread(s, run, key, &spread);

	if (key < 0)
		out_none(out);
	else
		out_int(out, reason_basic(run->isa, key));

	out_text(out, name);
	out_int(out, (int64_t)group_exits(g));
	put_rate(out, run, group_exits(g));

	/* Unknown where the file was repaired, or all exits were dropped. */
	if (g->n && group_min_is_known(g)) {
		out_time(out, (uint64_t)run_since(run, g->first));
		out_time(out, (uint64_t)run_since(run, g->last));
	} else {
		out_none(out);
		out_none(out);
	}

	if (known)
		out_real(out, spread);
	else
		out_none(out);
	out_text(out, has_losses(s, run) ? "unknown" : rate_word(known, spread));
}

/* @s: of SERIES_RATES */
static int put_reasons(struct app *app, struct out *out, const struct series *s)
{
	struct agg agg = {0};
	struct group total;
	char name[64];
	int rc = agg_read(app, &app->run, BY_REASON, AGG_TIMES, &agg);

	agg_sort_by_count(&agg);
	total = agg_total(&agg);
	if (!rc) {
		out_table(out, "reasons", reason_columns, 8);
		put_reason(app, out, s, &total, -1, "(all)");
	}
	for (uint32_t i = 0; i < agg.groups && !rc; i++) {
		if (!reason_name(app, app->run.isa, agg.group[i].key[0], name, sizeof(name)))
			rc = -1;
		else
			put_reason(app, out, s, &agg.group[i], agg.group[i].key[0], name);
	}
	if (!rc)
		out_table_end(out);
	agg_free(&agg);
	return rc;
}

/* All tables, or CSV's one. */
static int put_all(struct app *app, struct out *out, const struct series *s)
{
	/* Without these filters the rates are of the whole window, too. */
	bool same = !app->run.filter.vm && !app->run.filter.vcpu;
	struct series fine = {0}, rates = {0};
	int rc = put_bins(app, out, s);

	if (rc || out->format == OUT_CSV)
		return rc;

	rc = series_read(app, &app->run, SERIES_PHASE_BINS, SERIES_COUNTS, &fine);
	if (!rc) {
		out_line(out, "%s", "");
		rc = put_phases(app, out, &fine);
	}
	if (!rc && !same)
		rc = series_read(app, &app->run, SERIES_PHASE_BINS, SERIES_RATES, &rates);
	if (!rc) {
		out_line(out, "%s", "");
		rc = put_reasons(app, out, same ? &fine : &rates);
	}
	series_free(&fine);
	series_free(&rates);
	return rc;
}

static int put_tables(struct app *app, struct out *out, const struct series *s, int table)
{
	if (table < 0)
		return put_all(app, out, s);
	if (table == TABLE_TIMELINE)
		return put_bins(app, out, s);

	out_line(out, "%s", "");
	return table == TABLE_PHASES ? put_phases(app, out, s) : put_reasons(app, out, s);
}

/* Most bins of the series to read. Phases and words about rates do not depend on --limit. */
static int most_bins(const struct options *opt, int table)
{
	if (table == TABLE_PHASES || table == TABLE_REASONS)
		return SERIES_PHASE_BINS;
	if (opt->limit < 0)
		return MOST_ROWS;
	return opt->limit > 1000000 ? 1000000 : (int)opt->limit;
}

static int timeline(struct app *app, const struct options *opt)
{
	int table = opt->extra[0] ? choice_parse(app, "--table", opt->extra[0], table_names) : -1;
	struct series s = {0};
	struct out out;
	int rc;

	if ((opt->extra[0] && table < 0) || run_open(app, app->filter.run, &app->run))
		return -1;
	rc = series_read(app, &app->run, most_bins(opt, table),
			 table == TABLE_REASONS ? SERIES_RATES : SERIES_COUNTS, &s);
	if (!rc && !s.by.groups)
		rc = run_nothing(app);

	if (!rc) {
		out_begin(&out, &opt->style, app->run.tsc_khz);
		/* Over time, nothing but what was recorded is known. */
		out.counts_dropped = table == TABLE_REASONS;
		/* Those of bins are of the bins. */
		out.has_rates = table < 0 || table == TABLE_REASONS;
		out_run(&out, "run", &app->run);
		out_vms(&out, &app->run);
		if (table < 0 && out.format != OUT_CSV && app->run.shown_dropped &&
		    app->run.has_totals && run_is_whole(&app->run))
			out_note(
				&out,
				"The table of reasons counts the dropped exits, too, by KVM's totals.");

		rc = put_tables(app, &out, &s, table);
		rc = out_end(&out, app, rc < 0);
	}
	series_free(&s);
	return rc;
}

const struct cmd cmd_timeline = {
	.name = "timeline",
	.summary = "exits over the run, its phases, and how steady each reason is",
	.usage = "[--reason R] [--table TABLE] [OPTION...]",
	.help = help_timeline,
	.options = OPT_FILTER | OPT_FORMAT | OPT_LIMIT,
	.limit = "40",
	.extra = extra,
	.run = timeline,
};
