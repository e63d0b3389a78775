// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer sequences - which exit follows which, bursts, and waking from HLT
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/exits/commands.h"
#include "analyzer/commands/exits/queries.h"
#include "analyzer/commands/options/choice.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/where.h"
#include "base/units.h"
#include "base/wrap.h"
#include "sql/hist.h"

#define DEFAULT_LIMIT 20
#define DEFAULT_GAP   "10us"

static const char *const table_names[] = {"pairs", "bursts", "wakes", NULL};
static const struct extra_option extra[] = {
	{"table", "TABLE", "one of pairs, bursts, wakes (default: all; CSV: pairs)"},
	{"gap", "TIME", "guest time that ends a burst (default: 10us)"},
	{0}};

/* The exit of a vCPU that came last. */
struct last {
	bool known;
	int64_t seq;
	int64_t key;
	int64_t end;	/* TSC at its VM entry */
	uint64_t burst; /* exits in the present burst */
	int64_t burst_begin;
	uint64_t halted;
};

/*
 * struct sequences - what is counted
 * @pairs: {key, key of the next}: n; cycles: guest time between; dist of that
 * @bursts: {bit length of the number of exits}: n bursts; cycles: their length; last: most
 *	exits of one
 * @wakes: {key of the exit after a halt}: n; cycles: the time it was halted
 * @gaps: neighbours that are not known, for records are missing between them
 */
struct sequences {
	struct agg pairs;
	struct agg bursts;
	struct agg wakes;
	int64_t gap;
	uint64_t gaps;
	struct last *last;
};

static int count(struct agg *agg, int64_t a, int64_t b, uint64_t n, uint64_t cycles)
{
	struct group *g = agg_group(agg, (int64_t[4]){a, b});

	if (!g)
		return -1;
	group_add(g, &(struct group){.n = 1,
				     .cycles = cycles,
				     .min = cycles,
				     .max = cycles,
				     .last = (int64_t)n});
	return dist_add(&g->dist, hist_bucket(cycles), 1);
}

static int end_burst(struct sequences *s, struct last *last)
{
	if (!last->burst)
		return 0;
	return count(&s->bursts, 63 - __builtin_clzll(last->burst), 0, last->burst,
		     (uint64_t)wrap_subtract(last->end, last->burst_begin));
}

/* One exit: the pair it makes with the one before, and the burst it is in. */
static int add_exit(struct sequences *s, struct last *last, int64_t key, int64_t seq, int64_t tsc,
		    int64_t cycles, uint64_t halted)
{
	int64_t guest = wrap_subtract(tsc, last->end);
	bool next = last->known && seq == last->seq + 1;
	int rc = 0;

	/* A pair and a wake need both exits: nothing is known across a gap. */
	s->gaps += last->known && !next;
	if (guest < 0)
		guest = 0;
	if (next && count(&s->pairs, last->key, key, 1, (uint64_t)guest))
		rc = -1;
	if (next && last->halted && count(&s->wakes, key, 0, 1, last->halted))
		rc = -1;

	/* A burst ends where the guest ran long enough, or at a gap. */
	if (!next || guest >= s->gap) {
		rc |= end_burst(s, last);
		last->burst = 0;
		last->burst_begin = tsc;
	}

	last->burst++;
	last->known = true;
	last->seq = seq;
	last->key = key;
	last->end = wrap_add(tsc, cycles);
	last->halted = halted;
	return rc;
}

/* In the order of arrival; per vCPU that is the order of the exits. */
static int read_sequences(struct app *app, struct sequences *s)
{
	const struct run *run = &app->run;
	sqlite3_stmt *stmt;
	int rc;

	s->last = calloc(run->n_vcpus + 1, sizeof(*s->last));
	if (!s->last)
		return app_fail(app, "out of memory");
	if (where_prepare(app, run, commands_sql_sequences, &stmt))
		return -1;
	while ((rc = db_step(app, stmt)) > 0) {
		const struct vcpu_ref *vcpu = run_find_vcpu(run, sqlite3_column_int64(stmt, 0));
		int64_t key = reason_key(run->isa, sqlite3_column_int64(stmt, 3));

		/* A forged file may have exits of a vCPU that it doesn't have. */
		if (!vcpu)
			continue;
		if (add_exit(s, &s->last[vcpu - run->vcpus], key, sqlite3_column_int64(stmt, 1),
			     sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 4),
			     (uint64_t)sqlite3_column_int64(stmt, 5))) {
			rc = app_fail(app, "out of memory");
			break;
		}
	}
	sqlite3_finalize(stmt);
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++)
		if (end_burst(s, &s->last[i]))
			rc = app_fail(app, "out of memory");
	return rc;
}

static int put_name(struct app *app, struct out *out, int64_t key)
{
	char name[64];

	if (!reason_name(app, app->run.isa, key, name, sizeof(name)))
		return -1;
	out_text(out, name);
	return 0;
}

static const struct out_column pair_columns[] = {
	{"name", "EXIT", OUT_TEXT, 0},		 {"next", "NEXT EXIT", OUT_TEXT, 0},
	{"pairs", "PAIRS", OUT_COUNT, 0},	 {"share", "OF ALL", OUT_SHARE, 4},
	{"of_exit", "OF EXIT", OUT_SHARE, 1},	 {"guest_p50", "GUEST P50", OUT_TIME, 2},
	{"guest_p99", "GUEST P99", OUT_TIME, 3}, {"guest_time", "GUEST TIME", OUT_TIME, 0},
};

static uint64_t pairs_from(const struct agg *pairs, int64_t key)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < pairs->groups; i++)
		if (pairs->group[i].key[0] == key)
			n += pairs->group[i].n;
	return n;
}

static int put_pairs(struct app *app, const struct options *opt, struct out *out, struct agg *pairs)
{
	struct group total = agg_total(pairs);
	int64_t limit = opt->limit < 0 ? DEFAULT_LIMIT : opt->limit ? opt->limit : INT64_MAX;

	agg_sort_by_count(pairs);
	out_table(out, "pairs", pair_columns, 8);
	for (uint32_t i = 0; i < pairs->groups && i < limit; i++) {
		const struct group *g = &pairs->group[i];

		if (put_name(app, out, g->key[0]) || put_name(app, out, g->key[1]))
			return -1;
		out_int(out, (int64_t)g->n);
		out_real(out, (double)g->n / (double)total.n);
		out_real(out, (double)g->n / (double)pairs_from(pairs, g->key[0]));
		if (app->run.no_durations) {
			/* From exit to exit is not guest time. */
			for (int column = 0; column < 3; column++)
				out_none(out);
			continue;
		}
		out_time(out, group_quantile(g, 0.5));
		out_time(out, group_quantile(g, 0.99));
		out_time(out, g->cycles);
	}
	out_table_end(out);
	if (pairs->groups > limit)
		out_line(out, "(%" PRId64 " more: --limit 0 shows all)", pairs->groups - limit);
	return 0;
}

static const struct out_column burst_columns[] = {
	{"from", "EXITS FROM", OUT_COUNT, 0},	   {"to", "TO", OUT_COUNT, 0},
	{"bursts", "BURSTS", OUT_COUNT, 0},	   {"longest", "MOST EXITS", OUT_COUNT, 0},
	{"length_p50", "LENGTH P50", OUT_TIME, 0}, {"length_max", "LENGTH MAX", OUT_TIME, 0},
};

static int put_bursts(struct app *app, const struct options *opt, struct out *out,
		      struct agg *bursts)
{
	(void)opt;
	out_table(out, "bursts", burst_columns, 6);
	for (int64_t power = 0; power < 64 && !app->run.no_durations; power++) {
		const struct group *g = agg_find(bursts, (int64_t[4]){power});

		if (!g)
			continue;
		out_int(out, (int64_t)1 << power);
		out_int(out, (int64_t)((UINT64_C(2) << power) - 1));
		out_int(out, (int64_t)g->n);
		out_int(out, g->last);
		out_time(out, group_quantile(g, 0.5));
		out_time(out, g->max);
	}
	out_table_end(out);
	return 0;
}

static const struct out_column wake_columns[] = {
	{"next", "EXIT AFTER A HALT", OUT_TEXT, 0},  {"wakes", "WAKES", OUT_COUNT, 0},
	{"halted_p50", "HALTED P50", OUT_TIME, 0},   {"halted_p99", "HALTED P99", OUT_TIME, 0},
	{"halted_time", "HALTED TIME", OUT_TIME, 0},
};

static int put_wakes(struct app *app, const struct options *opt, struct out *out, struct agg *wakes)
{
	(void)opt;
	agg_sort_by_count(wakes);
	out_table(out, "wakes", wake_columns, 5);
	for (uint32_t i = 0; i < wakes->groups; i++) {
		const struct group *g = &wakes->group[i];

		if (put_name(app, out, g->key[0]))
			return -1;
		out_int(out, (int64_t)g->n);
		out_time(out, group_quantile(g, 0.5));
		out_time(out, group_quantile(g, 0.99));
		out_time(out, g->cycles);
	}
	out_table_end(out);
	return 0;
}

static int put_tables(struct app *app, const struct options *opt, struct out *out,
		      struct sequences *s, int table)
{
	int (*const put[])(struct app *, const struct options *, struct out *,
			   struct agg *) = {put_pairs, put_bursts, put_wakes};
	struct agg *const agg[] = {&s->pairs, &s->bursts, &s->wakes};
	int rc = 0;

	if (table < 0 && out->format == OUT_CSV)
		table = 0;
	for (int i = 0; i < 3 && !rc; i++) {
		if (table >= 0 && table != i)
			continue;
		if (table < 0 && i)
			out_line(out, "%s", "");
		rc = put[i](app, opt, out, agg[i]);
	}
	return rc;
}

static int sequences(struct app *app, const struct options *opt)
{
	const char *gap = opt->extra[1] ? opt->extra[1] : DEFAULT_GAP;
	int table = opt->extra[0] ? choice_parse(app, "--table", opt->extra[0], table_names) : -1;
	struct sequences s = {0};
	struct out out;
	int rc;

	if (opt->extra[0] && table < 0)
		return -1;
	if (units_parse_ns(gap, &s.gap))
		return app_fail(app, "--gap %s: not a time (such as 10us)", gap);

	if (run_open(app, app->filter.run, &app->run) || run_rows(app, &app->run))
		return -1;

	/* The TSC frequency is known only now. */
	s.gap = ns_to_cycles(s.gap, app->run.tsc_khz);
	rc = read_sequences(app, &s);
	if (!rc && !s.bursts.groups)
		rc = run_nothing(app);

	if (!rc) {
		out_begin(&out, &opt->style, app->run.tsc_khz);
		out_run(&out, "run", &app->run);
		if (app->run.no_durations)
			out_note(&out, "Without durations, guest times and bursts are not known.");
		if (s.gaps)
			out_note(
				&out,
				"%" PRIu64
				" times the next exit is not known: records are missing or filtered out.",
				s.gaps);
		rc = put_tables(app, opt, &out, &s, table);
		rc = out_end(&out, app, rc < 0);
	}
	agg_free(&s.pairs);
	agg_free(&s.bursts);
	agg_free(&s.wakes);

	free(s.last);
	return rc;
}

const struct cmd cmd_sequences = {
	.name = "sequences",
	.summary = "which exit follows which, bursts, and what ends a halt",
	.usage = "[--table TABLE] [--gap TIME] [OPTION...]",
	.help = help_sequences,
	.options = OPT_FILTER | OPT_FORMAT | OPT_LIMIT,
	.limit = "20",
	.extra = extra,
	.run = sequences,
};
