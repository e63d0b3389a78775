// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer verify - whether all sources of a recording agree
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/file/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/verify/verify.h"

static const struct out_column summary_columns[] = {
	{"equation", "EQUATION", OUT_TEXT, 0},
	{"left", "LEFT SIDE", OUT_TEXT, 5},
	{"left_sum", "SUM", OUT_COUNT, 0},
	{"right", "RIGHT SIDE", OUT_TEXT, 6},
	{"right_sum", "SUM", OUT_COUNT, 0},
	{"checks", "CHECKS", OUT_COUNT, 2},
	{"equal", "EQUAL", OUT_COUNT, 4},
	{"explained", "EXPLAINED", OUT_COUNT, 3},
	{"unexplained", "UNEXPLAINED", OUT_COUNT, 0},
	{"verdict", "VERDICT", OUT_TEXT, 0},
};

static const struct out_column check_columns[] = {
	{"equation", "EQUATION", OUT_TEXT, 0},
	{"vm", "VM", OUT_VM, 0},
	{"vcpu", "VCPU", OUT_ID, 0},
	{"reason", "REASON", OUT_ID, 4},
	{"name", "NAME", OUT_TEXT, 0},
	{"left", "LEFT", OUT_COUNT, 2},
	{"right", "RIGHT", OUT_COUNT, 1},
	{"difference", "DIFFERENCE", OUT_COUNT, 3},
	{"unexplained", "UNEXPLAINED", OUT_COUNT, 0},
	{"why", "EXPLANATION", OUT_TEXT, 5},
	{"verdict", "VERDICT", OUT_TEXT, 0},
};

static const struct out_column delta_columns[] = {
	{"vm", "VM", OUT_VM, 0},	  {"vcpu", "VCPU", OUT_ID, 0},
	{"reason", "REASON", OUT_ID, 2},  {"name", "NAME", OUT_TEXT, 0},
	{"exits", "EXITS", OUT_COUNT, 0}, {"min", "MIN", OUT_TIME, 0},
	{"p50", "P50", OUT_TIME, 0},	  {"p99", "P99", OUT_TIME, 0},
	{"max", "MAX", OUT_TIME, 1},
};

#define COLUMNS(c) (int)(sizeof(c) / sizeof((c)[0]))

static void show_id(struct out *out, int64_t id)
{
	if (id < 0)
		out_none(out);
	else
		out_int(out, id);
}

static int show_reason(struct app *app, struct out *out, int64_t reason)
{
	char name[64] = "";

	show_id(out, reason);
	if (reason >= 0 && !reason_name(app, app->run.isa, reason, name, sizeof(name)))
		return -1;
	out_text(out, reason < 0 ? "all" : name);
	return 0;
}

/* One line per equation. */
static void show_summary(struct out *out, const struct checks *all)
{
	out_table(out, "equations", summary_columns, COLUMNS(summary_columns));
	for (int i = 0; i < verify_equation_count; i++) {
		const struct equation *e = &verify_equations[i];
		struct check_sum sum = verify_sum(all, i);

		if (!sum.count)
			continue;
		out_text(out, e->name);
		out_text(out, e->left);
		out_int(out, sum.left);
		out_text(out, e->right);
		out_int(out, sum.right);
		out_int(out, sum.count);
		out_int(out, sum.equal);
		out_int(out, sum.count - sum.equal - sum.failed);
		out_int(out, sum.failed);
		out_text(out, verify_verdict(sum.failed, sum.equal == sum.count));
	}
	out_table_end(out);
}

/* The comparisons: those that need an explanation, or all. */
static int show_checks(struct app *app, struct out *out, const struct checks *all, bool every)
{
	out_table(out, "checks", check_columns, COLUMNS(check_columns));
	for (int i = 0; i < all->count; i++) {
		const struct check *c = &all->check[i];
		bool equal = c->left == c->right && !c->unexplained;

		if (equal && !every)
			continue;
		out_text(out, verify_equations[c->equation].name);
		out_vm(out, &app->run, c->vm);
		show_id(out, c->vcpu);
		if (show_reason(app, out, c->reason))
			return -1;
		out_int(out, c->left);
		out_int(out, c->right);
		out_int(out, c->left - c->right);
		out_int(out, c->unexplained);
		out_text(out, c->why);
		out_text(out, verify_verdict(c->unexplained, equal));
	}
	out_table_end(out);
	return 0;
}

/* The distribution of one vCPU and reason: values in rising order. */
struct delta {
	int64_t vm, vcpu, reason;
	int64_t n;
	int64_t value[64 * 64];
	int64_t count[64 * 64];
	int values;
};

static int64_t delta_quantile(const struct delta *d, double q)
{
	int64_t rank = (int64_t)((double)(d->n - 1) * q), sum = 0;

	for (int i = 0; i < d->values; i++) {
		sum += d->count[i];
		if (sum > rank)
			return d->value[i];
	}
	return 0;
}

static int show_delta(struct app *app, struct out *out, const struct delta *d)
{
	out_vm(out, &app->run, d->vm);
	out_int(out, d->vcpu);
	if (show_reason(app, out, d->reason))
		return -1;
	out_int(out, d->n);
	out_time(out, (uint64_t)d->value[0]);
	out_time(out, (uint64_t)delta_quantile(d, 0.50));
	out_time(out, (uint64_t)delta_quantile(d, 0.99));
	out_time(out, (uint64_t)d->value[d->values - 1]);
	return 0;
}

static void add_value(struct delta *d, sqlite3_stmt *stmt)
{
	if (d->values == COLUMNS(d->value))
		return;
	d->value[d->values] = sqlite3_column_int64(stmt, 3);
	d->count[d->values++] = sqlite3_column_int64(stmt, 4);
	d->n += sqlite3_column_int64(stmt, 4);
}

/* How much longer the records are than the traced intervals. */
static int show_deltas(struct app *app, struct out *out)
{
	struct delta *d = calloc(1, sizeof(*d));
	sqlite3_stmt *stmt;
	int rc, end;

	if (!d)
		return app_fail(app, "out of memory");
	rc = db_prepare(app, &stmt, equation_delta);
	if (rc) {
		free(d);
		return -1;
	}

	sqlite3_bind_int64(stmt, 1, app->run.id);
	out_table(out, "record_minus_interval", delta_columns, COLUMNS(delta_columns));

	/* Rows of one vCPU and reason come together; another one ends the distribution. */
	while ((end = db_step(app, stmt)) > 0 && !rc) {
		if (d->values && (d->vm != sqlite3_column_int64(stmt, 0) ||
				  d->vcpu != sqlite3_column_int64(stmt, 1) ||
				  d->reason != sqlite3_column_int64(stmt, 2))) {
			rc = show_delta(app, out, d);
			d->values = 0;
			d->n = 0;
		}
		d->vm = sqlite3_column_int64(stmt, 0);
		d->vcpu = sqlite3_column_int64(stmt, 1);
		d->reason = sqlite3_column_int64(stmt, 2);
		add_value(d, stmt);
	}

	if (!rc && end >= 0 && d->values)
		rc = show_delta(app, out, d);
	out_table_end(out);

	sqlite3_finalize(stmt);
	free(d);
	return rc || end < 0 ? -1 : 0;
}

/* Sources that could not be had, and equations without one. */
static int note_missing(struct app *app, struct out *out, const struct checks *all)
{
	sqlite3_stmt *stmt;
	int i, rc;

	if (db_prepare(app, &stmt,
		       "SELECT name FROM crosscheck WHERE run_id = ?1 AND source = 'unavailable'"))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	while ((rc = db_step(app, stmt)) > 0)
		out_note(out, "not to be had: %s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	for (i = 0; i < verify_equation_count; i++) {
		int j = 0;

		while (j < all->count && all->check[j].equation != i)
			j++;
		if (j == all->count)
			out_note(out, "%s: not checked, it needs %s", verify_equations[i].name,
				 verify_equations[i].source);
	}
	return rc;
}

static int show_all(struct app *app, const struct options *opt, const struct checks *all)
{
	const bool every = opt->extra[0];
	struct out out;
	int rc;

	out_begin(&out, &opt->style, app->run.tsc_khz);
	out_run(&out, "run", &app->run);
	rc = note_missing(app, &out, all);
	if (!rc && opt->style.format != OUT_CSV)
		show_summary(&out, all);
	if (!rc)
		rc = show_checks(app, &out, all, every || opt->style.format == OUT_CSV);
	if (!rc && opt->style.format != OUT_CSV)
		rc = show_deltas(app, &out);
	return out_end(&out, app, rc < 0);
}

static int verify(struct app *app, const struct options *opt)
{
	struct checks all = {0};
	int rc = run_open(app, app->filter.run, &app->run);

	if (!rc)
		rc = verify_read(app, &all);
	if (!rc)
		rc = show_all(app, opt, &all);
	if (!rc && all.failed)
		rc = app_fail(app, "run %" PRId64 ": %d comparisons are not explained", app->run.id,
			      all.failed);
	verify_free(&all);
	return rc;
}

static const struct extra_option extra[] = {
	{"all", NULL, "also the comparisons that are equal"},
	{0},
};

const struct cmd cmd_verify = {
	.name = "verify",
	.summary = "whether all sources of a recording agree, and if not, why",
	.usage = "[--all] [OPTION...]",
	.help = help_verify,
	.options = OPT_RUN | OPT_FORMAT,
	.extra = extra,
	.run = verify,
};
