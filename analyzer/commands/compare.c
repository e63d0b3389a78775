// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer compare - what differs between two runs
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/commands/choice.h"
#include "analyzer/commands/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/output/units.h"
#include "analyzer/query/compare.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"

static const char *const sort_names[] = {"count", "time", "p50", "p99", "key", NULL};
static const struct extra_option extra[] = {
	{"total", NULL, "counts and times in all, not per second"}, {0}};

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_ID, 6},
	{"name", "NAME", OUT_TEXT, 0},
	{"exits_a", "EXITS A", OUT_COUNT, 8},
	{"exits_b", "EXITS B", OUT_COUNT, 8},
	{"per_s_a", "A/S", OUT_REAL, 0},
	{"per_s_b", "B/S", OUT_REAL, 0},
	{"ratio", "B/A", OUT_REAL, 0},
	{"change", "CHANGE", OUT_TEXT, 0},
	{"busy_share_a", "BUSY A", OUT_SHARE, 5},
	{"busy_share_b", "BUSY B", OUT_SHARE, 4},
	{"p50_a", "P50 A", OUT_TIME, 2},
	{"p50_b", "P50 B", OUT_TIME, 2},
	{"p50_change", "P50", OUT_TEXT, 1},
	{"p99_a", "P99 A", OUT_TIME, 3},
	{"p99_b", "P99 B", OUT_TIME, 3},
	{"p99_change", "P99", OUT_TEXT, 3},
	{"why", "WHY", OUT_TEXT, 0},
};

#define N_COLUMNS (int)(sizeof(columns) / sizeof(columns[0]))

/* Whether a word names a file; "FILE:RUN" is cut in two. */
static bool is_file(char *word, char **run)
{
	struct stat st;
	char *colon;

	*run = NULL;
	if (!stat(word, &st))
		return true;
	colon = strrchr(word, ':');
	if (!colon)
		return strchr(word, '/') || strstr(word, ".sqlite");
	*colon = '\0';
	if (!stat(word, &st)) {
		*run = colon + 1;
		return true;
	}
	*colon = ':';
	return false;
}

/* Open what @word names: a run of --db, a file's last run, or FILE:RUN. */
static int open_side(struct app *app, char *word, struct side *side)
{
	char *run;

	side->app = *app;
	side->app.db = NULL;
	if (is_file(word, &run))
		side->app.path = word;
	else
		run = word;
	if (db_open(&side->app, side->app.path, &side->app.db) ||
	    run_open(&side->app, run, &side->app.run) || side_read(side)) {
		memcpy(app->error, side->app.error, sizeof(app->error));
		return -1;
	}
	if (!side->by_reason.groups && !side->app.run.exits)
		return app_fail(app, "%s: no exit was recorded", word);
	return 0;
}

static void close_side(struct side *side)
{
	side_free(side);
	run_close(&side->app.run);
	sqlite3_close(side->app.db);
}

/* Share of the vCPUs' time that these exits took, without the halted part. */
static double busy_share(const struct side *side, const struct group *g)
{
	const struct run *run = &side->app.run;
	double time = run_vcpu_time(run, run_grid_from(run), run_grid_to(run));

	return time > 0 ? (double)(g->cycles - g->halted) / time : 0;
}

static double sort_value(const struct change *c, int sort)
{
	switch (sort) {
	case 0:
		return fabs(c->rate_b - c->rate_a);
	case 1:
		return fabs(c->busy_b - c->busy_a);
	case 2:
		return c->a && c->b ? fabs(log((1 + c->p50.b) / (1 + c->p50.a))) : 0;
	case 3:
		return c->a && c->b ? fabs(log((1 + c->p99.b) / (1 + c->p99.a))) : 0;
	default:
		return 0;
	}
}

static int compare_changes(const void *a, const void *b, void *sort)
{
	const struct change *x = a, *y = b;
	double vx = sort_value(x, *(int *)sort), vy = sort_value(y, *(int *)sort);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static void put_count(struct out *out, const struct change *c, bool total)
{
	double scale_a = total ? c->seconds_a : 1, scale_b = total ? c->seconds_b : 1;

	out_int(out, c->a ? (int64_t)c->a->n : 0);
	out_int(out, c->b ? (int64_t)c->b->n : 0);
	if (!total) {
		out_real(out, c->rate_a);
		out_real(out, c->rate_b);
	}
	if (c->a && c->b)
		out_real(out, c->rate_b * scale_b / (c->rate_a * scale_a));
	else
		out_none(out);
	out_text(out, change_word(c, total));
	out_real(out, c->busy_a);
	out_real(out, c->busy_b);
}

/* Where the time of a run's exits is taken: in KVM itself, or at its tracepoints. */
static bool is_traced(const struct run *run)
{
	static const char *const traced[] = {"bpf", "tracefs", "perf.data", "trace.dat"};

	for (size_t i = 0; i < sizeof(traced) / sizeof(*traced); i++) {
		if (!strcmp(run->source, traced[i]))
			return true;
	}
	return false;
}

/* Whether times differ by where they are taken alone, so that no change can be told. */
static bool stamps_differ(const struct side *a, const struct side *b)
{
	return is_traced(&a->app.run) != is_traced(&b->app.run);
}

/* @unlike: the times of both are taken in different places. */
static void put_quantile(struct out *out, const struct change *c, const struct quantile_change *q,
			 bool unlike)
{
	char text[64];

	if (c->a)
		out_real(out, q->a);
	else
		out_none(out);
	if (c->b)
		out_real(out, q->b);
	else
		out_none(out);
	if (unlike)
		out_none(out);
	else
		out_text(out, quantile_word(c, q, text, sizeof(text)));
}

/* A column that --total leaves out. */
static bool is_rate(const struct out_column *column)
{
	return !strncmp(column->name, "per_s", 5);
}

static int put_changes(struct app *app, const struct options *opt, struct out *out,
		       const struct change *change, uint32_t n, bool total, int ept, bool unlike)
{
	struct out_column shown[N_COLUMNS];
	/* In tables the reasons why stand below: they are sentences. */
	int last = out->format == OUT_TABLE ? N_COLUMNS - 1 : N_COLUMNS;
	uint32_t limit = opt->limit > 0 && opt->limit < n ? (uint32_t)opt->limit : n;
	char name[64];

	for (int i = 0, at = 0; i < last; i++)
		if (!total || !is_rate(&columns[i]))
			shown[at++] = columns[i];
	out_table(out, "rows", shown, total ? last - 2 : last);
	for (uint32_t i = 0; i < limit; i++) {
		if (!reason_name(app, app->run.isa, change[i].key, name, sizeof(name)))
			return -1;
		out_int(out, reason_basic(app->run.isa, change[i].key));
		out_text(out, name);
		put_count(out, &change[i], total);
		put_quantile(out, &change[i], &change[i].p50, unlike);
		put_quantile(out, &change[i], &change[i].p99, unlike);
		if (last == N_COLUMNS)
			out_text(out, change_why(&change[i], app->run.isa, ept));
	}
	out_table_end(out);
	for (uint32_t i = 0; i < limit && last < N_COLUMNS; i++) {
		const char *why = change_why(&change[i], app->run.isa, ept);

		if (why && reason_name(app, app->run.isa, change[i].key, name, sizeof(name)))
			out_note(out, "%s: %s", name, why);
	}
	return 0;
}

/* -1: A alone uses EPT, 1: B alone, 0: no difference. */
static int ept_difference(const struct side *a, const struct side *b)
{
	bool known = *a->app.run.ept && *b->app.run.ept;
	bool ept_a = !strchr("N0", *a->app.run.ept), ept_b = !strchr("N0", *b->app.run.ept);

	return !known || ept_a == ept_b ? 0 : ept_a ? -1 : 1;
}

static void put_totals(struct out *out, const struct side *a, const struct side *b)
{
	struct group all_a = agg_total(&a->by_reason), all_b = agg_total(&b->by_reason);
	double per_s_a = (double)all_a.n / side_seconds(a),
	       per_s_b = (double)all_b.n / side_seconds(b);
	char text[4][UNITS_TEXT];

	out_line(out, "exits: A %s (%s/s), B %s (%s/s)", units_count((int64_t)all_a.n, text[0]),
		 units_real(per_s_a, text[1]), units_count((int64_t)all_b.n, text[2]),
		 units_real(per_s_b, text[3]));
}

static void note_stamps(struct out *out, const struct run *a, const struct run *b)
{
	bool b_traced = is_traced(b);
	const struct run *exact = b_traced ? a : b;
	const struct run *traced = b_traced ? b : a;

	out_note(
		out,
		"%s's times are taken in KVM (source %s), %s's at its tracepoints (source %s): they differ by that alone, so no change of a time is told.",
		b_traced ? "A" : "B", exact->source, b_traced ? "B" : "A", traced->source);
}

static int print(struct app *app, const struct options *opt, struct side *a, struct side *b,
		 struct change *change, uint32_t n, int sort)
{
	int ept = ept_difference(a, b), rc;
	bool unlike = stamps_differ(a, b);
	struct out out;

	for (uint32_t i = 0; i < n; i++) {
		change[i].busy_a = change[i].a ? busy_share(a, change[i].a) : 0;
		change[i].busy_b = change[i].b ? busy_share(b, change[i].b) : 0;
	}
	qsort_r(change, n, sizeof(*change), compare_changes, &sort);
	out_begin(&out, &opt->style, a->app.run.tsc_khz);
	out_line(&out, "%s", "A:");
	out_run(&out, "a", &a->app.run);
	out_line(&out, "%s", "B:");
	out_run(&out, "b", &b->app.run);
	put_totals(&out, a, b);
	rc = put_changes(&a->app, opt, &out, change, n, opt->extra[0] != NULL, ept, unlike);
	if (unlike)
		note_stamps(&out, &a->app.run, &b->app.run);
	if (ept)
		out_note(&out, "%s is on in %s and off in %s, where KVM keeps shadow page tables.",
			 a->app.run.isa == 1 ? "EPT" : "NPT", ept < 0 ? "A" : "B",
			 ept < 0 ? "B" : "A");
	out_note(
		&out,
		"more, fewer, +%%, -%%: a difference that chance alone would make less often than 1 in 20 times; ~: it may be chance.");
	if (a->app.run.tsc_khz != b->app.run.tsc_khz && opt->style.cycles)
		out_note(&out, "B's cycles are scaled to A's TSC frequency.");
	return out_end(&out, app, rc < 0);
}

static int compare(struct app *app, const struct options *opt)
{
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "count", sort_names);
	struct side a = {0}, b = {0};
	struct change *change = NULL;
	uint32_t n = 0;
	int rc;

	if (sort < 0)
		return -1;
	if (opt->n_words != 2)
		return app_fail(app, "compare needs two runs: numbers, labels, files or FILE:RUN");
	rc = open_side(app, opt->words[0], &a);
	if (!rc)
		rc = open_side(app, opt->words[1], &b);
	if (!rc && a.app.run.isa != b.app.run.isa)
		rc = app_fail(
			app,
			"one run is of VMX, the other of SVM: their exit reasons can't be compared");
	if (!rc)
		rc = changes_make(app, &a, &b, opt->extra[0] != NULL, &change, &n);
	if (!rc && !n)
		rc = app_fail(app, "no exit of either run matches the options");
	if (!rc)
		rc = print(app, opt, &a, &b, change, n, sort);
	free(change);
	close_side(&a);
	close_side(&b);
	return rc;
}

const struct cmd cmd_compare = {
	.name = "compare",
	.summary = "what differs between two runs",
	.usage = "A B [--total] [--sort KEY] [OPTION...]",
	.help = help_compare,
	.options = OPT_FILTER | OPT_FORMAT | OPT_SORT | OPT_LIMIT | OPT_OWN_DB,
	.words = 2,
	.extra = extra,
	.run = compare,
};
