// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer top-exits - how many exits of what kind, and how long they took
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/choice.h"
#include "analyzer/commands/commands.h"
#include "analyzer/output/label.h"
#include "analyzer/output/out.h"
#include "analyzer/query/agg.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"

#define DEFAULT_LIMIT 30 /* except by reason, of which there are few */

static const char *const by_names[] = {"reason",	   "subkey", "vcpu", "rip",
				       "userspace-reason", "pcpu",   NULL};
static const char *const sort_names[] = {"count", "time", "busy", "mean", "p50",
					 "p99",	  "max",  "key",  NULL};
static const struct extra_option extra[] = {
	{"symbols", "FILE", "System.map, kallsyms or ELF file for --by rip"},
	{"slide", "OFFSET", "offset that KASLR added, or auto (default)"},
	{0}};
enum sort { SORT_COUNT, SORT_TIME, SORT_BUSY, SORT_MEAN, SORT_P50, SORT_P99, SORT_MAX, SORT_KEY };

static double sort_value(const struct group *g, enum sort sort)
{
	switch (sort) {
	case SORT_COUNT:
		return (double)g->n;
	case SORT_TIME:
		return (double)g->cycles;
	case SORT_BUSY:
		return (double)(g->cycles - g->halted);
	case SORT_MEAN:
		return (double)g->cycles / (double)g->n;
	case SORT_P50:
		return (double)group_quantile(g, 0.50);
	case SORT_P99:
		return (double)group_quantile(g, 0.99);
	case SORT_MAX:
		return (double)g->max;
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

/* First columns by what is grouped by; the rest is the same for all. */
static const struct out_column key_columns[][2] = {
	[BY_REASON] = {{"reason", "REASON", OUT_ID, 0}, {"name", "NAME", OUT_TEXT, 0}},
	[BY_SUBKEY] = {{"name", "NAME", OUT_TEXT, 0}, {"key", "KEY", OUT_TEXT, 0}},
	[BY_VCPU] = {{"vm", "VM", OUT_ID, 0}, {"vcpu", "VCPU", OUT_ID, 0}},
	[BY_RIP] = {{"rip", "RIP", OUT_TEXT, 0}, {"symbol", "SYMBOL", OUT_TEXT, 0}},
	[BY_USER_REASON] = {{"user_reason", "USER-REASON", OUT_ID, 0},
			    {"name", "NAME", OUT_TEXT, 0}},
	[BY_PCPU] = {{"pcpu", "PCPU", OUT_ID, 0}},
};

static const struct out_column sum_columns[] = {
	{"exits", "EXITS", OUT_COUNT, 0},
	{"share", "SHARE", OUT_SHARE, 0},
	{"share_bar", "", OUT_BAR, 99},
	{"per_s", "EXITS/S", OUT_REAL, 5},
	{"time", "TIME", OUT_TIME, 0},
	{"time_share", "TIME%", OUT_SHARE, 2},
	{"busy_share", "BUSY%", OUT_SHARE, 4},
	{"mean", "MEAN", OUT_TIME, 0},
	{"p50", "P50", OUT_TIME, 6},
	{"p99", "P99", OUT_TIME, 3},
	{"max", "MAX", OUT_TIME, 1},
	{"handler", "HANDLER", OUT_TIME, 10},
	{"halted", "HALTED", OUT_TIME, 11},
	{"userspace", "USERSPACE", OUT_TIME, 12},
	{"preempted", "PREEMPTED", OUT_TIME, 13},
};

#define N_SUM (int)(sizeof(sum_columns) / sizeof(sum_columns[0]))

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void put_sums(struct out *out, const struct run *run, double seconds, const struct group *g,
		     const struct group *total)
{
	out_int(out, (int64_t)g->n);
	out_real(out, share(g->n, total->n));
	out_real(out, share(g->n, total->n));
	if (seconds > 0)
		out_real(out, (double)g->n / seconds);
	else
		out_none(out);
	out_time(out, g->cycles);
	out_real(out, share(g->cycles, total->cycles));
	if (run->has_split)
		out_real(out, share(g->cycles - g->halted, total->cycles - total->halted));
	else
		out_none(out);
	out_real(out, (double)g->cycles / (double)g->n);
	out_time(out, group_quantile(g, 0.50));
	out_time(out, group_quantile(g, 0.99));
	out_time(out, g->max);
	for (int i = 0; i < 4; i++) {
		uint64_t parts[] = {g->cycles - g->halted - g->userspace - g->preempted, g->halted,
				    g->userspace, g->preempted};

		if (run->has_split)
			out_time(out, parts[i]);
		else
			out_none(out);
	}
}

/*
 * struct top - what is shown
 * @limit: most rows; 0 or less: all
 * @rows: it was read from rows, not from roll-ups
 * @guessed: share of symbols_guess_slide(), -1: nothing was guessed
 */
struct top {
	enum agg_by by;
	int64_t limit;
	bool rows;
	struct symbols symbols;
	double guessed;
	struct agg agg;
};

static int put_groups(struct app *app, struct out *out, const struct top *top)
{
	int keys = top->by == BY_PCPU ? 1 : 2;
	struct out_column column[2 + N_SUM];
	struct group total = agg_total(&top->agg);
	uint32_t limit = top->agg.groups;
	double seconds = (double)(top->rows ? run_length(&app->run) : run_grid_length(&app->run)) /
			 (double)app->run.tsc_khz / 1e3;

	memcpy(column, key_columns[top->by], (size_t)keys * sizeof(*column));
	memcpy(column + keys, sum_columns, sizeof(sum_columns));
	if (top->limit > 0 && top->limit < limit)
		limit = (uint32_t)top->limit;
	out_table(out, "rows", column, keys + N_SUM);
	for (uint32_t i = 0; i < limit; i++) {
		if (label_put(app, out, top->by, &top->symbols, &top->agg.group[i]))
			return -1;
		put_sums(out, &app->run, seconds, &top->agg.group[i], &total);
	}
	out_table_end(out);
	if (limit < top->agg.groups)
		out_line(out, "(%" PRIu32 " more: --limit 0 shows all)", top->agg.groups - limit);
	return 0;
}

static int print_top(struct app *app, const struct options *opt, const struct top *top)
{
	struct out out;
	int rc;

	out_begin(&out, &opt->style, app->run.tsc_khz);
	out_run(&out, "run", &app->run);
	if (!top->rows)
		out_range_note(&out, &app->run);
	out_slide_note(&out, top->symbols.slide, top->guessed);
	rc = put_groups(app, &out, top);
	return out_end(&out, app, rc < 0);
}

static int top_exits(struct app *app, const struct options *opt)
{
	int by = choice_parse(app, "--by", opt->by ? opt->by : "reason", by_names);
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "count", sort_names);
	unsigned int flags = AGG_DIST | (opt->exact ? AGG_EXACT : 0);
	struct top top = {.by = (enum agg_by)by, .guessed = -1};
	int rc;

	if (by < 0 || sort < 0 || run_open(app, app->filter.run, &app->run))
		return -1;
	top.limit = opt->limit < 0 && by != BY_REASON ? DEFAULT_LIMIT : opt->limit;
	top.rows = agg_needs_rows(top.by, flags);
	if (top.rows && run_rows(app, &app->run))
		return -1;
	rc = symbols_open(app, opt->extra[0], opt->extra[1], &top.symbols, &top.guessed);
	if (!rc)
		rc = agg_read(app, &app->run, top.by, flags, &top.agg);
	if (!rc && !top.agg.groups)
		rc = run_nothing(app);
	if (!rc) {
		qsort_r(top.agg.group, top.agg.groups, sizeof(*top.agg.group), compare, &sort);
		rc = print_top(app, opt, &top);
	}
	agg_free(&top.agg);
	symbols_free(&top.symbols);
	return rc;
}

const struct cmd cmd_top_exits = {
	.name = "top-exits",
	.summary = "exits by reason: how many, how long, and where the time went",
	.usage = "[--by KEY] [--sort KEY] [OPTION...]",
	.help = help_top_exits,
	.options = OPT_FILTER | OPT_FORMAT | OPT_SORT | OPT_BY | OPT_LIMIT | OPT_EXACT,
	.extra = extra,
	.run = top_exits,
};
