// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare.c - analyzer compare: what differs between two runs
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/compare/commands.h"
#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/options/other_run.h"
#include "analyzer/output/out.h"
#include "analyzer/query/compare/compare.h"
#include "analyzer/query/compare/gate.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "base/units.h"

static const char *const sort_names[] = {"count", "time", "p50", "p99", "key", NULL};
static const struct extra_option extra[] = {
	{"total", NULL, "counts and times in all, not per second"},
	{"fail-on", "LIMITS",
	 "exit status 2 if something changes by more, such as rate=20%,p99=+10%,new"},
	{0}};

/* Indices into options.extra. */
enum { TOTAL, FAIL_ON };

/* Exit status with --fail-on. */
enum { STATUS_FAILED = 2, STATUS_OPEN = 3 };

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_ID, 6},
	{"name", "NAME", OUT_TEXT, 0},
	{"exits_a", "EXITS A", OUT_COUNT, 8},
	{"exits_b", "EXITS B", OUT_COUNT, 8},
	{"per_s_a", "A/S", OUT_REAL, 0},
	{"per_s_b", "B/S", OUT_REAL, 0},
	{"ratio", "B/A", OUT_REAL, 0},
	{"change", "CHANGE", OUT_TEXT, 0},
	{"busy_of_vcpu_a", "BUSY/VCPU A", OUT_SHARE, 5},
	{"busy_of_vcpu_b", "BUSY/VCPU B", OUT_SHARE, 4},
	{"p50_a", "P50 A", OUT_TIME, 2},
	{"p50_b", "P50 B", OUT_TIME, 2},
	{"p50_change", "P50", OUT_TEXT, 1},
	{"p99_a", "P99 A", OUT_TIME, 3},
	{"p99_b", "P99 B", OUT_TIME, 3},
	{"p99_change", "P99", OUT_TEXT, 3},
	{"handler_a", "HANDLER A", OUT_TIME, OUT_HIDDEN},
	{"handler_b", "HANDLER B", OUT_TIME, OUT_HIDDEN},
	{"change_p", "P(CHANGE)", OUT_NUMBER, OUT_HIDDEN},
	{"p50_p", "P(P50)", OUT_NUMBER, OUT_HIDDEN},
	{"p99_p", "P(P99)", OUT_NUMBER, OUT_HIDDEN},
	{"fails", "FAILS", OUT_TEXT, 0},
	{"why", "WHY", OUT_TEXT, 0},
};

#define N_COLUMNS (int)(sizeof(columns) / sizeof(columns[0]))

/* Read the sums of a run that other_run_open() has opened by @word. */
static int read_side(struct app *app, const char *word, struct side *side)
{
	if (side_read(side)) {
		memcpy(app->error, side->app.error, sizeof(app->error));
		return -1;
	}
	if (!side->by_reason.groups && !side->app.run.exits)
		return app_fail(app, "%s: no exit was recorded", word);
	return 0;
}

static int open_sides(struct app *app, char **words, struct side *a, struct side *b)
{
	if (other_run_open(app, words[0], &a->app) || other_run_open(app, words[1], &b->app) ||
	    other_run_join_windows(app, &a->app, &b->app) || read_side(app, words[0], a) ||
	    read_side(app, words[1], b))
		return -1;
	return 0;
}

static void close_side(struct side *side)
{
	side_free(side);
	other_run_close(&side->app);
}

static double sort_value(const struct change *c, int sort)
{
	switch (sort) {
	case 0:
		return fabs(c->rate_b - c->rate_a);
	case 1:
		return isnan(c->busy_a) || isnan(c->busy_b) ? 0 : fabs(c->busy_b - c->busy_a);
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

	/* The sum stands below what it is the sum of. */
	if ((x->key == CHANGE_ALL) != (y->key == CHANGE_ALL))
		return x->key == CHANGE_ALL ? 1 : -1;
	if (vx != vy)
		return vx < vy ? 1 : -1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/*
 * struct printing - what to print
 * @ept: ept_difference()
 * @gate: limits of --fail-on; NULL: none were given
 * @result: what the limits give
 * @failing: changes that fail or are open
 */
struct printing {
	const struct options *opt;
	struct side *a, *b;
	struct change *change;
	uint32_t changes;
	int ept;
	const struct gate *gate;
	enum gate_result result;
	uint32_t failing;
};

static void put_value(struct out *out, bool known, double value)
{
	if (known)
		out_real(out, value);
	else
		out_none(out);
}

static void put_rate(struct out *out, const struct printing *p, const struct change *c)
{
	bool known_a = side_has_rate(p->a), known_b = side_has_rate(p->b);
	bool total = p->opt->extra[TOTAL] != NULL;

	out_int(out, c->a ? (int64_t)group_exits(c->a) : 0);
	out_int(out, c->b ? (int64_t)group_exits(c->b) : 0);
	if (!total) {
		put_value(out, known_a, c->rate_a);
		put_value(out, known_b, c->rate_b);
	}
	put_value(out, c->a && c->b && (total || (known_a && known_b)), c->rate.change + 1);
	out_text(out, change_word(c));
	put_value(out, !isnan(c->busy_a), c->busy_a);
	put_value(out, !isnan(c->busy_b), c->busy_b);
}

/* Whether the durations of a group are known. */
static bool has_times(const struct side *side, const struct group *g)
{
	return g && g->n && !side->app.run.no_durations;
}

static void put_quantile(struct out *out, const struct printing *p, const struct change *c,
			 const struct difference *q)
{
	char text[64];

	put_value(out, has_times(p->a, c->a), q->a);
	put_value(out, has_times(p->b, c->b), q->b);
	out_text(out, quantile_word(q, text, sizeof(text)));
}

/* The exact mean of an exit's time in KVM's handler: one instruction more shows in it. */
static void put_handler(struct out *out, const struct side *side, const struct group *g)
{
	bool known = has_times(side, g) && side->app.run.has_split;

	put_value(out, known, known ? (double)group_handler(g) / (double)g->n : 0);
}

/* Columns that --total leaves out, and those of --fail-on without it. */
static bool is_shown(const struct printing *p, const struct out_column *column,
		     enum out_format format)
{
	if (!strncmp(column->name, "per_s", 5))
		return !p->opt->extra[TOTAL];
	if (!strcmp(column->name, "fails"))
		return p->gate != NULL;

	/* In tables the reasons why stand below: they are sentences. */
	return format != OUT_TABLE || strcmp(column->name, "why") != 0;
}

static const char *name_change(struct app *app, const struct change *c, char *text, size_t size)
{
	if (c->key == CHANGE_ALL)
		return "(all)";
	return reason_name(app, app->run.isa, c->key, text, size);
}

static void put_fails(struct out *out, const struct gate *gate, const struct change *c)
{
	char names[64], text[80];
	enum gate_result result = gate_check(gate, c, names, sizeof(names));

	snprintf(text, sizeof(text), "%s%s", result == GATE_OPEN ? "open:" : "", names);
	out_text(out, result == GATE_PASSED ? NULL : text);
}

static int put_change(struct app *app, const struct printing *p, struct out *out,
		      const struct change *c)
{
	char text[64];
	const char *name = name_change(app, c, text, sizeof(text));

	if (!name)
		return -1;
	if (c->key == CHANGE_ALL)
		out_none(out);
	else
		out_int(out, reason_basic(app->run.isa, c->key));
	out_text(out, name);
	put_rate(out, p, c);
	put_quantile(out, p, c, &c->p50);
	put_quantile(out, p, c, &c->p99);
	put_handler(out, p->a, c->a);
	put_handler(out, p->b, c->b);
	put_value(out, c->rate.verdict != CHANGE_UNKNOWN, c->rate.p);
	put_value(out, c->p50.verdict != CHANGE_UNKNOWN, c->p50.p);
	put_value(out, c->p99.verdict != CHANGE_UNKNOWN, c->p99.p);

	if (p->gate)
		put_fails(out, p->gate, c);
	if (out->format != OUT_TABLE)
		out_text(out, change_why(c, app->run.isa, p->ept));
	return 0;
}

/* Why each reason changed, below the table. */
static int note_whys(struct app *app, const struct printing *p, struct out *out)
{
	int64_t limit = p->opt->limit;
	char text[64];

	for (uint32_t i = 0; i < p->changes && (limit <= 0 || i < limit); i++) {
		const char *why = change_why(&p->change[i], app->run.isa, p->ept);

		if (!why)
			continue;
		if (!name_change(app, &p->change[i], text, sizeof(text)))
			return -1;
		out_note(out, "%s: %s", text, why);
	}
	return 0;
}

static int put_changes(struct app *app, const struct printing *p, struct out *out)
{
	struct out_column shown[N_COLUMNS];
	int64_t limit = p->opt->limit;
	int columns_shown = 0;

	for (int i = 0; i < N_COLUMNS; i++) {
		if (is_shown(p, &columns[i], out->format))
			shown[columns_shown++] = columns[i];
	}
	out_table(out, "rows", shown, columns_shown);
	for (uint32_t i = 0; i < p->changes; i++) {
		const struct change *c = &p->change[i];

		/* In JSON the sum is a table of its own; rows of CSV can be added up. */
		if (c->key == CHANGE_ALL ? out->format != OUT_TABLE : limit > 0 && i >= limit)
			continue;
		if (put_change(app, p, out, c))
			return -1;
	}
	out_table_end(out);

	if (out->format == OUT_JSON) {
		const struct change *last = &p->change[p->changes - 1];

		out_table(out, "total", shown, columns_shown);
		if (put_change(app, p, out, last))
			return -1;
		out_table_end(out);
	}
	return out->format == OUT_TABLE ? note_whys(app, p, out) : 0;
}

/* -1: A alone uses EPT, 1: B alone, 0: no difference. */
static int ept_difference(const struct side *a, const struct side *b)
{
	bool known = *a->app.run.ept && *b->app.run.ept;
	bool ept_a = !strchr("N0", *a->app.run.ept), ept_b = !strchr("N0", *b->app.run.ept);

	return !known || ept_a == ept_b ? 0 : ept_a ? -1 : 1;
}

static const char *rate_text(const struct side *side, char text[UNITS_TEXT])
{
	if (!side_has_rate(side))
		return "-";
	return units_real((double)group_exits(&side->all) / side_seconds(side), text);
}

static void put_totals(struct out *out, const struct side *a, const struct side *b)
{
	char text[4][UNITS_TEXT];

	out_line(out, "exits: A %s (%s/s), B %s (%s/s)",
		 units_count((int64_t)group_exits(&a->all), text[0]), rate_text(a, text[1]),
		 units_count((int64_t)group_exits(&b->all), text[2]), rate_text(b, text[3]));
}

static void note_stamps(struct out *out, const struct run *a, const struct run *b)
{
	bool b_traced = run_is_traced(b);
	const struct run *exact = b_traced ? a : b;
	const struct run *traced = b_traced ? b : a;

	out_note(
		out,
		"%s's times are taken in KVM (source %s), %s's at its tracepoints (source %s): they differ by that alone, so no change of a time is shown.",
		b_traced ? "A" : "B", exact->source, b_traced ? "B" : "A", traced->source);
}

/* What the limits of --fail-on give: a note, the JSON member "gate" and the exit status. */
static void put_result(struct app *app, const struct printing *p, struct out *out)
{
	static const int status[] = {
		[GATE_PASSED] = 0, [GATE_OPEN] = STATUS_OPEN, [GATE_FAILED] = STATUS_FAILED};
	const char *limits = p->opt->extra[FAIL_ON];

	app->status = status[p->result];
	if (out->format == OUT_JSON)
		json_text(&out->json, "gate", gate_result_name(p->result));
	switch (p->result) {
	case GATE_FAILED:
		out_note(out, "--fail-on %s: failed (%" PRIu32 " of %" PRIu32 " rows).", limits,
			 p->failing, p->changes);
		break;
	case GATE_OPEN:
		out_note(
			out,
			"--fail-on %s: open: nothing fails, but dropped exits, too few of them, too short a run or times that are not known could hide it (%" PRIu32
			" of %" PRIu32 " rows).",
			limits, p->failing, p->changes);
		break;
	case GATE_PASSED:
		out_note(out, "--fail-on %s: passed.", limits);
		break;
	}
}

static void put_legend(struct out *out, const struct printing *p)
{
	bool lost = false;

	for (uint32_t i = 0; i < p->changes; i++) {
		const struct change *c = &p->change[i];

		if (c->rate.verdict == CHANGE_LOST || c->p50.verdict == CHANGE_LOST ||
		    c->p99.verdict == CHANGE_LOST)
			lost = true;
	}
	out_note(
		out,
		"more, fewer, +%%, -%%: a difference of 5 %% or more; of those that are named, chance alone makes at most 1 in 20. ~, ?: it may be chance, or is less.");
	if (lost)
		out_note(out, "lost: dropped or filtered exits could explain the difference.");
}

static void put_notes(struct out *out, const struct printing *p)
{
	const struct run *a = &p->a->app.run, *b = &p->b->app.run;

	if (sides_differ_in_stamps(p->a, p->b))
		note_stamps(out, a, b);
	if (p->ept)
		out_note(out, "%s is on in %s and off in %s, where KVM keeps shadow page tables.",
			 a->isa == 1 ? "EPT" : "NPT", p->ept < 0 ? "A" : "B",
			 p->ept < 0 ? "B" : "A");
	put_legend(out, p);
	if (a->tsc_khz != b->tsc_khz && p->opt->style.cycles)
		out_note(out, "B's cycles are scaled to A's TSC frequency.");
}

static int print(struct app *app, const struct printing *p)
{
	struct out out;
	int rc;

	out_begin(&out, &p->opt->style, p->a->app.run.tsc_khz);
	out_line(&out, "%s", "A:");
	out.counts_dropped = true;
	out.has_rates = true;
	out.whose = 'A';
	out_run(&out, "a", &p->a->app.run);
	out_line(&out, "%s", "B:");
	out.whose = 'B';
	out_run(&out, "b", &p->b->app.run);
	out.whose = 0;
	/* It is B's; each side says for itself which of its times are known. */
	out.no_durations = false;
	put_totals(&out, p->a, p->b);
	rc = put_changes(&p->a->app, p, &out);

	put_notes(&out, p);
	if (p->gate)
		put_result(app, p, &out);
	return out_end(&out, app, rc < 0);
}

/* Hold all changes against the limits of --fail-on. */
static void check_limits(struct printing *p)
{
	char names[64];

	for (uint32_t i = 0; i < p->changes; i++) {
		enum gate_result result = gate_check(p->gate, &p->change[i], names, sizeof(names));

		if (result > p->result) {
			p->result = result;
			p->failing = 0;
		}
		if (result == p->result && result != GATE_PASSED)
			p->failing++;
	}
}

/* Compute what is printed of both sides. */
static int prepare(struct app *app, struct printing *p)
{
	if (p->a->app.run.isa != p->b->app.run.isa)
		return app_fail(
			app,
			"one run is of VMX, the other of SVM: their exit reasons can't be compared");
	if (changes_make(app, p->a, p->b, p->opt->extra[TOTAL] != NULL, &p->change, &p->changes))
		return -1;
	if (!p->changes)
		return app_fail(app, "no exit of either run matches the options");

	p->ept = ept_difference(p->a, p->b);
	if (p->gate)
		check_limits(p);
	return 0;
}

static int compare(struct app *app, const struct options *opt)
{
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "count", sort_names);
	struct side a = {0}, b = {0};
	struct printing p = {.opt = opt, .a = &a, .b = &b};
	struct gate gate;
	int rc;

	if (sort < 0)
		return -1;
	if (opt->n_words != 2)
		return app_fail(app, "compare needs two runs: numbers, labels, files or FILE:RUN");
	if (opt->extra[FAIL_ON]) {
		if (gate_parse(app, opt->extra[FAIL_ON], &gate))
			return -1;
		p.gate = &gate;
	}

	rc = open_sides(app, opt->words, &a, &b);
	if (!rc)
		rc = prepare(app, &p);
	if (!rc) {
		qsort_r(p.change, p.changes, sizeof(*p.change), compare_changes, &sort);
		rc = print(app, &p);
	}
	/* What failed while one of the runs was read. */
	if (rc < 0 && !*app->error)
		app_fail(app, "%s", *a.app.error ? a.app.error : b.app.error);
	free(p.change);
	close_side(&a);
	close_side(&b);
	return rc;
}

const struct cmd cmd_compare = {
	.name = "compare",
	.summary = "what differs between two runs",
	.usage = "A B [--total] [--fail-on LIMITS] [--sort KEY] [OPTION...]",
	.help = help_compare,
	.options = OPT_WHO | OPT_RANGE | OPT_FORMAT | OPT_SORT | OPT_LIMIT | OPT_OWN_DB,
	.words = 2,
	.extra = extra,
	.run = compare,
};
