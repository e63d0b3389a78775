// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer baseline - what an exit costs here, against a recording of nothing but exits
 */
#include <inttypes.h>
#include <string.h>

#include "analyzer/commands/compare/commands.h"
#include "analyzer/commands/options/other_run.h"
#include "analyzer/output/label.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/sums/agg.h"

#define LEAST_EXITS 100	 /* of a reason, on each side: below that a median says little */
#define ALIKE	    1.25 /* times as long, or as short: no difference */

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_ID, 5},
	{"name", "NAME", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"p50", "P50", OUT_TIME, 0},
	{"reference_p50", "REF P50", OUT_TIME, 0},
	{"times", "TIMES", OUT_REAL, 0},
	{"p99", "P99", OUT_TIME, 1},
	{"reference_p99", "REF P99", OUT_TIME, 2},
	{"above", "ABOVE", OUT_TIME, 0},
	{"verdict", "", OUT_TEXT, 0},
	{"reference_exits", "REF EXITS", OUT_COUNT, 6},
};

/* The two runs, and their exits by reason; distributions are of KVM's own time where it is known.
 */
struct baseline {
	struct app *app;
	struct app reference;
	struct agg here;
	struct agg there;
	bool handler;
};

/* Cycles of the reference as cycles of this run. */
static double convert(const struct baseline *b, uint64_t cycles)
{
	return (double)cycles * (double)b->app->run.tsc_khz / (double)b->reference.run.tsc_khz;
}

static uint64_t own_time(const struct baseline *b, const struct group *g)
{
	return b->handler ? group_handler(g) : g->cycles;
}

/* A quantile of the same time, in cycles. */
static uint64_t quantile(const struct baseline *b, const struct group *g, double q)
{
	return b->handler ? dist_quantile(&g->dist, q) : group_quantile(g, q);
}

static const char *verdict_of(double times)
{
	if (times > ALIKE)
		return "slower";
	return times < 1 / ALIKE ? "faster" : "alike";
}

static void put_reference(struct out *out, const struct baseline *b, const struct group *here,
			  const struct group *there)
{
	uint64_t p50 = quantile(b, here, 0.5), p99 = quantile(b, here, 0.99);
	double ref_p50 = there ? convert(b, quantile(b, there, 0.5)) : 0;
	bool is_known = ref_p50 > 0 && here->n >= LEAST_EXITS && there->n >= LEAST_EXITS;
	double above = 0;

	if (is_known)
		above = (double)own_time(b, here) -
			convert(b, own_time(b, there)) / (double)there->n * (double)here->n;

	out_time(out, p50);
	if (!is_known) {
		out_none(out);
		out_none(out);
		out_time(out, p99);
		out_none(out);
		out_none(out);
		out_text(out, ref_p50 > 0 ? "too few" : "no reference");
	} else {
		out_real(out, ref_p50);
		out_real(out, (double)p50 / ref_p50);
		out_time(out, p99);
		out_real(out, convert(b, quantile(b, there, 0.99)));
		out_real(out, above > 0 ? above : 0);
		out_text(out, verdict_of((double)p50 / ref_p50));
	}
	out_int(out, there ? (int64_t)there->n : 0);
}

static int put_rows(struct out *out, const struct baseline *b, int64_t limit)
{
	static const struct symbols none;

	out_table(out, "rows", columns, (int)(sizeof(columns) / sizeof(columns[0])));
	for (uint32_t i = 0; i < b->here.groups && (limit <= 0 || i < limit); i++) {
		const struct group *here = &b->here.group[i];

		if (!here->n)
			continue;
		if (label_put(b->app, out, BY_REASON, &none, here))
			return -1;
		out_int(out, (int64_t)here->n);
		put_reference(out, b, here, agg_find(&b->there, here->key));
	}
	out_table_end(out);
	return 0;
}

/* What a run was recorded on, in the order of fact_names[]; the row is read. */
static int read_facts(struct app *app, sqlite3_stmt **stmt)
{
	if (db_prepare(
		    app, stmt,
		    "SELECT cpu_model, microcode, kernel, source, environment FROM runs WHERE run = ?1"))
		return -1;
	sqlite3_bind_int64(*stmt, 1, app->run.id);
	return db_step(app, *stmt) < 0 ? -1 : 0;
}

static const char *fact_text(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text ? text : "";
}

/* Says what differs between the machines: then a difference of costs may be theirs. */
static int put_differences(struct out *out, struct baseline *b)
{
	static const char *const fact_names[] = {"CPU", "microcode", "kernel", "source", "machine"};
	sqlite3_stmt *here = NULL, *there = NULL;
	int rc = read_facts(b->app, &here);

	if (!rc && read_facts(&b->reference, &there))
		rc = app_fail(b->app, "%s", b->reference.error);

	for (int i = 0; !rc && i < (int)(sizeof(fact_names) / sizeof(fact_names[0])); i++) {
		if (strcmp(fact_text(here, i), fact_text(there, i)))
			out_note(out, "Another %s: \"%s\"; reference: \"%s\".", fact_names[i],
				 fact_text(here, i), fact_text(there, i));
	}
	sqlite3_finalize(here);
	sqlite3_finalize(there);
	return rc;
}

static int put_notes(struct out *out, struct baseline *b)
{
	out_note(
		out,
		b->handler
			? "Times are KVM's own: without halted, user-space and preempted parts."
			: "The parts of the time are not known of both: times are from exit to entry.");
	return put_differences(out, b);
}

static int print_baseline(const struct options *opt, struct baseline *b)
{
	struct out out;
	int rc;

	agg_sort_by_count(&b->here);
	out_begin(&out, &opt->style, b->app->run.tsc_khz);
	out_run(&out, "run", &b->app->run);
	out_line(&out, "reference: run %" PRId64 " \"%s\" of %s", b->reference.run.id,
		 b->reference.run.label, b->reference.path);
	rc = put_rows(&out, b, opt->limit);
	if (!rc)
		rc = put_notes(&out, b);
	return out_end(&out, b->app, rc < 0);
}

static int read_sides(struct baseline *b)
{
	struct app *app = b->app;
	unsigned int flags;

	if (app->run.isa != b->reference.run.isa)
		return app_fail(
			app, "baseline: one run is of VMX, the other of SVM: their reasons differ");
	if (app->run.no_durations || b->reference.run.no_durations)
		return app_fail(app, "baseline: run \"%s\" has no durations",
				app->run.no_durations ? app->run.label : b->reference.run.label);

	b->handler = app->run.has_split && b->reference.run.has_split;
	flags = AGG_DIST | (b->handler ? AGG_HANDLER : 0);
	if (agg_read(&b->reference, &b->reference.run, BY_REASON, flags, &b->there))
		return app_fail(app, "%s", b->reference.error);
	if (!b->there.groups)
		return app_fail(
			app, "baseline: run %" PRId64 " \"%s\" of %s has no exits to compare with",
			b->reference.run.id, b->reference.run.label, b->reference.path);
	if (agg_read(app, &app->run, BY_REASON, flags, &b->here))
		return -1;
	return b->here.groups ? 0 : run_nothing(app);
}

static int baseline(struct app *app, const struct options *opt)
{
	struct baseline b = {.app = app};
	struct filter filter = app->filter;
	int rc;

	if (!opt->n_words)
		return app_fail(
			app,
			"baseline: against what? (a run, FILE or FILE:RUN; analyzer baseline --help says how to record one)");
	if (run_open(app, app->filter.run, &app->run))
		return -1;

	/* The reference has VMs of its own. */
	app->filter.vm = NULL;
	app->filter.vcpu = NULL;
	rc = other_run_open(app, opt->words[0], &b.reference);
	app->filter = filter;
	if (!rc)
		rc = read_sides(&b);
	if (!rc)
		rc = print_baseline(opt, &b);
	agg_free(&b.here);
	agg_free(&b.there);
	other_run_close(&b.reference);
	return rc;
}

const struct cmd cmd_baseline = {
	.name = "baseline",
	.summary = "what exits cost here, against a reference recorded on this machine",
	.usage = "REFERENCE [OPTION...]",
	.help = help_baseline,
	.options = OPT_RUN | OPT_WHO | OPT_FORMAT | OPT_LIMIT,
	.words = 1,
	.run = baseline,
};
