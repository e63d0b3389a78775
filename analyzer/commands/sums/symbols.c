// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer symbols - which functions of the guest cause exits
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/sums/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/guest/symbols.h"
#include "analyzer/query/sums/agg.h"
#include "base/units.h"

#define DEFAULT_LIMIT 30

static const struct extra_option extra[] = {
	{"slide", "OFFSET", "offset that KASLR added, or auto (default)"}, {0}};

static const struct out_column columns[] = {
	{"function", "FUNCTION", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"share", "SHARE", OUT_SHARE, 0},
	{"share_bar", "", OUT_BAR, 9},
	{"places", "PLACES", OUT_COUNT, 3},
	{"time", "TIME", OUT_TIME, 0},
	{"time_share", "OF TIME", OUT_SHARE, 1},
	{"mean", "MEAN", OUT_TIME, 0},
	{"p99", "P99", OUT_TIME, 2},
	{"max", "MAX", OUT_TIME, 4},
};

/* Key of a function: its index among the symbols; what has none: by privilege. */
#define NOWHERE_KERNEL (-1)
#define NOWHERE_USER   (-2)

static int64_t function_of(const struct symbols *symbols, uint64_t rip)
{
	uint64_t offset;
	const struct symbol *symbol = symbols_find(symbols, rip, &offset);

	if (symbol)
		return symbol - symbols->symbol;
	return rip >> 63 ? NOWHERE_KERNEL : NOWHERE_USER;
}

/* Groups by function of groups by RIP; group.example counts the RIPs. */
static int by_function(struct app *app, const struct symbols *symbols, const struct agg *by_rip,
		       struct agg *agg)
{
	for (uint32_t i = 0; i < by_rip->groups; i++) {
		const struct group *from = &by_rip->group[i];
		struct group *to =
			agg_group(agg, (int64_t[4]){function_of(symbols, (uint64_t)from->key[0])});

		if (!to)
			return app_fail(app, "out of memory");
		group_add(to, from);
		to->example++;
		if (dist_add_all(&to->dist, &from->dist))
			return app_fail(app, "out of memory");
	}
	return 0;
}

static void put_functions(const struct options *opt, struct out *out, const struct symbols *symbols,
			  const struct agg *agg)
{
	struct group total = agg_total(agg);
	int64_t limit = opt->limit < 0 ? DEFAULT_LIMIT : opt->limit ? opt->limit : INT64_MAX;

	out_table(out, "rows", columns, 10);
	for (uint32_t i = 0; i < agg->groups && i < limit; i++) {
		const struct group *g = &agg->group[i];

		out_text(out, g->key[0] >= 0		    ? symbols->symbol[g->key[0]].name
			      : g->key[0] == NOWHERE_KERNEL ? "(upper half, no symbol)"
							    : "(lower half, no symbol)");
		out_int(out, (int64_t)g->n);
		out_real(out, (double)g->n / (double)total.n);
		out_real(out, (double)g->n / (double)total.n);
		out_int(out, g->example);
		out_time(out, g->cycles);
		out_real(out, total.cycles ? (double)g->cycles / (double)total.cycles : 0);
		out_real(out, (double)g->cycles / (double)g->n);
		out_time(out, group_quantile(g, 0.99));
		out_time(out, g->max);
	}
	out_table_end(out);
	if (agg->groups > limit)
		out_line(out, "(%" PRId64 " more: --limit 0 shows all)", agg->groups - limit);
}

static int print(struct app *app, const struct options *opt, const struct symbols *symbols,
		 double guessed, struct agg *agg)
{
	struct out out;

	agg_sort_by_count(agg);
	out_begin(&out, &opt->style, app->run.tsc_khz);
	out_run(&out, "run", &app->run);
	out_slide_note(&out, symbols->slide, guessed);
	put_functions(opt, &out, symbols, agg);
	return out_end(&out, app, false);
}

static int symbols(struct app *app, const struct options *opt)
{
	struct agg by_rip = {0}, agg = {0};
	struct symbols symbols = {0};
	double guessed;
	int rc;

	if (!opt->n_words)
		return app_fail(
			app, "symbols needs a file: the guest's System.map, kallsyms or vmlinux");
	if (run_open(app, app->filter.run, &app->run) || run_rows(app, &app->run))
		return -1;
	rc = symbols_open(app, opt->words[0], opt->extra[0], &symbols, &guessed);
	if (!rc)
		rc = agg_read(app, &app->run, BY_RIP, AGG_DIST, &by_rip);
	if (!rc && !by_rip.groups)
		rc = run_nothing(app);
	if (!rc)
		rc = by_function(app, &symbols, &by_rip, &agg);
	if (!rc)
		rc = print(app, opt, &symbols, guessed, &agg);
	agg_free(&by_rip);
	agg_free(&agg);
	symbols_free(&symbols);
	return rc;
}

const struct cmd cmd_symbols = {
	.name = "symbols",
	.summary = "which functions of the guest cause exits",
	.usage = "FILE [--slide OFFSET] [OPTION...]",
	.help = help_symbols,
	.options = OPT_FILTER | OPT_FORMAT | OPT_LIMIT,
	.limit = "30",
	.words = 1,
	.extra = extra,
	.run = symbols,
};
