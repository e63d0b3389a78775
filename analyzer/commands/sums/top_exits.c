// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer top-exits - how many exits of what kind, and how long they took
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/options/guest.h"
#include "analyzer/commands/sums/commands.h"
#include "analyzer/output/label.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/findings/findings.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"

#define DEFAULT_LIMIT 30 /* except by reason, of which there are few */

static const char *const by_names[] = {"reason",	   "subkey", "vm",  "vcpu",   "rip",
				       "userspace-reason", "pcpu",   "cr3", "region", NULL};
static const char *const sort_names[] = {"count",     "time",	   "busy", "mean",    "p50",
					 "p99",	      "max",	   "key",  "handler", "halted",
					 "userspace", "preempted", NULL};
static const struct extra_option extra[] = {
	{"symbols", "FILE", "System.map, kallsyms or ELF file for --by rip"},
	{"slide", "OFFSET", "offset that KASLR added, or auto (default)"},
	GUEST_OPTIONS,
	{0}};
enum { EXTRA_SYMBOLS, EXTRA_SLIDE, EXTRA_GUEST };
enum sort {
	SORT_COUNT,
	SORT_TIME,
	SORT_BUSY,
	SORT_MEAN,
	SORT_P50,
	SORT_P99,
	SORT_MAX,
	SORT_KEY,
	SORT_HANDLER,
	SORT_HALTED,
	SORT_USERSPACE,
	SORT_PREEMPTED,
};

static double sort_value(const struct group *g, enum sort sort)
{
	switch (sort) {
	case SORT_COUNT:
		return (double)group_exits(g);
	case SORT_TIME:
		return (double)g->cycles;
	case SORT_BUSY:
		return (double)(g->cycles - g->halted);

	case SORT_MEAN:
		return g->n ? (double)g->cycles / (double)g->n : 0;
	case SORT_P50:
		return (double)group_quantile(g, 0.50);
	case SORT_P99:
		return (double)group_quantile(g, 0.99);
	case SORT_MAX:
		return (double)g->max;

	case SORT_HANDLER:
		return (double)group_handler(g);
	case SORT_HALTED:
		return (double)g->halted;
	case SORT_USERSPACE:
		return (double)g->userspace;
	case SORT_PREEMPTED:
		return (double)g->preempted;

	case SORT_KEY:
		break;
	}
	return 0;
}

/* Largest first; what is equal by its key, so that the order is always the same. */
static int compare(const void *a, const void *b, void *sort)
{
	const struct group *x = a, *y = b;
	double vx = sort_value(x, *(enum sort *)sort), vy = sort_value(y, *(enum sort *)sort);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	for (int i = 0; i < 4; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return 0;
}

static const struct out_column sum_columns[] = {
	{"exits", "EXITS", OUT_COUNT, 0},
	{"share", "SHARE", OUT_SHARE, 3},
	{"share_bar", "", OUT_BAR, 99},
	{"per_s", "EXITS/S", OUT_REAL, 6},
	{"recorded", "RECORDED", OUT_COUNT, 20},
	{"time", "TIME", OUT_TIME, 0},
	{"time_share", "OF TIME", OUT_SHARE, 4},
	{"busy_share", "BUSY%", OUT_SHARE, 7},
	{"mean", "MEAN", OUT_TIME, 5},
	{"min", "MIN", OUT_TIME, 15},
	{"p50", "P50", OUT_TIME, 0},
	{"p99", "P99", OUT_TIME, 0},
	{"max", "MAX", OUT_TIME, 2},
	{"p90_by_p10", "P90/P10", OUT_REAL, 16},
	{"handler", "HANDLER", OUT_TIME, 11},
	{"halted", "HALTED", OUT_TIME, 12},
	{"userspace", "USERSPACE", OUT_TIME, 13},
	{"preempted", "PREEMPTED", OUT_TIME, 14},
	{"split", "SPLIT", OUT_SPLIT, 1},
};

/* What EXITS/S is of, where that is not the same for all rows. */
static const struct out_column lived_column = {"lived", "LIVED", OUT_TIME, 8};

#define RECORDED_COLUMN 4 /* says nothing where no record was lost */
#define N_SUM		(int)(sizeof(sum_columns) / sizeof(sum_columns[0]))

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* A share of no time is unknown. */
static void put_share(struct out *out, uint64_t part, uint64_t whole)
{
	if (whole)
		out_real(out, share(part, whole));
	else
		out_none(out);
}

static void show_times(struct out *out, const struct run *run, const struct group *g,
		       const struct group *total)
{
	uint64_t p10 = group_quantile(g, 0.10);

	out_time(out, g->cycles);
	put_share(out, g->cycles, total->cycles);
	put_share(out, g->cycles - g->halted, run->has_split ? total->cycles - total->halted : 0);
	out_real(out, (double)g->cycles / (double)g->n);
	if (group_min_is_known(g))
		out_time(out, g->min);
	else
		out_none(out);
	out_time(out, group_quantile(g, 0.50));
	out_time(out, group_quantile(g, 0.99));
	out_time(out, g->max);
	if (p10)
		out_real(out, (double)group_quantile(g, 0.90) / (double)p10);
	else
		out_none(out);
}

/* The four parts, and a bar of them. */
static void show_split(struct out *out, const struct run *run, const struct group *g)
{
	uint64_t parts[] = {group_handler(g), g->halted, g->userspace, g->preempted};

	for (int i = 0; i < 4; i++) {
		if (run->has_split)
			out_time(out, parts[i]);
		else
			out_none(out);
	}
	if (run->has_split)
		out_split(out, parts);
	else
		out_none(out);
}

/* @cycles: what the rate is of; 0: it is unknown */
static void show_sums(struct out *out, const struct run *run, int64_t cycles, const struct group *g,
		      const struct group *total)
{
	uint64_t exits = group_exits(g), all = group_exits(total);

	out_int(out, (int64_t)exits);
	out_real(out, share(exits, all));
	out_real(out, share(exits, all));
	if (cycles > 0)
		out_real(out, (double)exits * (double)run->tsc_khz * 1e3 / (double)cycles);
	else
		out_none(out);
	out_int(out, (int64_t)g->n);

	/* Of a reason whose exits were all dropped no time is known. */
	if (g->n) {
		show_times(out, run, g, total);
		show_split(out, run, g);
	} else {
		for (int i = 5; i < N_SUM; i++)
			out_none(out);
	}
}

/*
 * struct top - what is shown
 * @limit: most rows; 0 or less: all
 * @guessed: share of symbols_guess_slide(), -1: nothing was guessed
 */
struct top {
	enum agg_by by;
	int64_t limit;
	struct symbols symbols;
	double guessed;
	struct agg agg;
	struct group total; /* of all groups, also those that --limit leaves out */
};

static bool has_lives(enum agg_by by)
{
	return by == BY_VM || by == BY_VCPU;
}

/* The cells after the key. @by: what the rate is of; BY_REASON: all that is shown. */
static void show_row(struct app *app, struct out *out, const struct top *top, enum agg_by by,
		     const struct group *g)
{
	if (has_lives(top->by))
		out_time(out, (uint64_t)agg_rate_time(&app->run, by, g));
	show_sums(out, &app->run, agg_known_rate_time(&app->run, by, g), g, &top->total);
}

/* The last row: everything that passes the filter. */
static void show_total(struct app *app, struct out *out, int keys, const struct top *top)
{
	if (keys == 1)
		out_text(out, "all");
	else
		out_none(out);
	if (keys >= 2)
		out_text(out, "(all)");
	if (keys == LABEL_COLUMNS)
		out_none(out);
	show_row(app, out, top, BY_REASON, &top->total);
}

static int show_groups(struct app *app, struct out *out, const struct top *top)
{
	struct out_column column[LABEL_COLUMNS + 1 + N_SUM];
	int keys = label_columns(top->by, column), before = keys;
	uint32_t limit = top->agg.groups;

	if (has_lives(top->by))
		column[before++] = lived_column;
	memcpy(column + before, sum_columns, sizeof(sum_columns));
	if (!app->run.shown_dropped)
		column[before + RECORDED_COLUMN].drop = OUT_HIDDEN;
	if (top->limit > 0 && top->limit < limit)
		limit = (uint32_t)top->limit;

	if (label_read_examples(app, out, top->by, top->agg.group, limit))
		return -1;
	out_table(out, "rows", column, before + N_SUM);
	for (uint32_t i = 0; i < limit; i++) {
		if (label_put(app, out, top->by, &top->symbols, &top->agg.group[i]))
			return -1;
		show_row(app, out, top, top->by, &top->agg.group[i]);
	}

	/* A table has the sum below its rows; JSON has it in a member of its own. */
	if (out->format == OUT_TABLE && top->agg.groups > 1)
		show_total(app, out, keys, top);
	out_table_end(out);
	if (out->format == OUT_JSON) {
		out_table(out, "total", sum_columns, N_SUM);
		show_sums(out, &app->run, agg_known_rate_time(&app->run, BY_REASON, NULL),
			  &top->total, &top->total);
		out_table_end(out);
	}

	if (limit < top->agg.groups)
		out_line(out, "(%" PRIu32 " more: --limit 0 shows all)", top->agg.groups - limit);
	return 0;
}

/* Says which VM waited most for a CPU: its exits look like those of any other. */
static int note_steal(struct app *app, struct out *out)
{
	struct findings steal;
	int rc = findings_read_steal(app, &app->run, &steal);

	if (!rc && steal.count)
		out_note(out, "%s (analyzer findings)", steal.finding[0].title);
	findings_free(&steal);
	return rc;
}

static int print_top(struct app *app, const struct options *opt, const struct top *top)
{
	struct out out;
	int rc;

	out_begin(&out, &opt->style, app->run.tsc_khz);
	/* By anything else KVM's totals know nothing. */
	out.counts_dropped = top->by == BY_REASON || top->by == BY_VM || top->by == BY_VCPU;
	out.has_rates = true;
	out_run(&out, "run", &app->run);
	out_slide_note(&out, top->symbols.slide, top->guessed);
	rc = show_groups(app, &out, top);
	if (!rc)
		rc = note_steal(app, &out);
	return out_end(&out, app, rc < 0);
}

/* Whether percentiles are shown or sorted by: by sub-key they cost as much as all else. */
static bool needs_percentiles(const struct options *opt, int sort)
{
	static const char *const columns[] = {"p50", "p99", "p90_by_p10"};
	bool needs = sort == SORT_P50 || sort == SORT_P99;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		needs |= out_may_show(&opt->style, columns[i]);
	return needs;
}

/* Options that change nothing with this --by. */
static int check_options(struct app *app, const struct options *opt, enum agg_by by)
{
	if (opt->extra[EXTRA_SYMBOLS] && by != BY_RIP)
		return app_fail(app, "--symbols: only with --by rip");
	if (opt->extra[EXTRA_SLIDE] && !opt->extra[EXTRA_SYMBOLS])
		return app_fail(app, "--slide: only with --symbols");
	return guest_check_by(app, opt->extra + EXTRA_GUEST, by);
}

static int top_exits(struct app *app, const struct options *opt)
{
	int by = choice_parse(app, "--by", opt->by ? opt->by : "reason", by_names);
	/* Of a VM its work counts: idle VMs halt often. */
	const char *order = opt->sort ? opt->sort : by == BY_VM ? "busy" : "count";
	int sort = choice_parse(app, "--sort", order, sort_names);
	unsigned int flags = opt->exact ? AGG_EXACT : 0;
	struct top top = {.by = (enum agg_by)by, .guessed = -1};
	struct guest guest;
	int rc;

	if (by < 0 || sort < 0 || check_options(app, opt, (enum agg_by)by) ||
	    run_open(app, app->filter.run, &app->run))
		return -1;

	if (needs_percentiles(opt, sort))
		flags |= AGG_DIST;
	top.limit = opt->limit < 0 && by != BY_REASON ? DEFAULT_LIMIT : opt->limit;
	if (agg_needs_rows(&app->run, top.by, flags) && run_rows(app, &app->run))
		return -1;

	rc = guest_open(app, opt->extra + EXTRA_GUEST, &guest);
	if (!rc)
		rc = symbols_open(app, opt->extra[EXTRA_SYMBOLS], opt->extra[EXTRA_SLIDE],
				  &top.symbols, &top.guessed);
	if (!rc)
		rc = agg_read(app, &app->run, top.by, flags, &top.agg);
	if (!rc && !top.agg.groups)
		rc = run_nothing(app);
	if (!rc && by == BY_CR3)
		rc = guest_check_cr3(app, &top.agg);
	if (!rc && agg_sum(&top.agg, &top.total))
		rc = app_fail(app, "out of memory");
	if (!rc) {
		qsort_r(top.agg.group, top.agg.groups, sizeof(*top.agg.group), compare, &sort);
		rc = print_top(app, opt, &top);
	}

	dist_free(&top.total.dist);
	agg_free(&top.agg);
	symbols_free(&top.symbols);
	guest_close(app, &guest);
	return rc;
}

const struct cmd cmd_top_exits = {
	.name = "top-exits",
	.summary = "exits by reason: how many, how long, and where the time went",
	.usage = "[--by KEY] [--sort KEY] [OPTION...]",
	.help = help_top_exits,
	.options = OPT_FILTER | OPT_FORMAT | OPT_SORT | OPT_BY | OPT_LIMIT | OPT_EXACT,
	.limit = "all by reason, else 30",
	.extra = extra,
	.run = top_exits,
};
