// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer slowest - the exits that took longest, with all that is known of them
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/commands/exits/commands.h"
#include "analyzer/commands/exits/queries.h"
#include "analyzer/commands/options/choice.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/where.h"
#include "base/units.h"

#define DEFAULT_LIMIT 10

static const char *const sort_names[] = {"busy", "time", "handler", "userspace", "preempted", NULL};
static const char *const sort_columns[] = {
	"e.cycles - e.halted_cycles", "e.cycles",
	"e.cycles - e.halted_cycles - e.userspace_cycles - e.preempted_cycles",
	"e.userspace_cycles", "e.preempted_cycles"};

static const struct extra_option extra[] = {
	{"around", "N", "also N exits of the vCPU before and after each"}, {0}};

static const struct out_column columns[] = {
	{"rank", "RANK", OUT_ID, 0},
	{"at", "AT", OUT_MOMENT, 0},
	{"vm", "VM", OUT_VM, 9},
	{"vcpu", "VCPU", OUT_ID, 8},
	{"pcpu", "PCPU", OUT_ID, 11},
	{"seq", "SEQ", OUT_ID, 10},
	{"name", "NAME", OUT_TEXT, 0},
	{"key", "KEY", OUT_TEXT, 1},
	{"time", "TIME", OUT_TIME, 0},
	{"handler", "HANDLER", OUT_TIME, 2},
	{"halted", "HALTED", OUT_TIME, 4},
	{"userspace", "USERSPACE", OUT_TIME, 3},
	{"preempted", "PREEMPTED", OUT_TIME, 5},
	{"rip", "RIP", OUT_TEXT, 6},
	{"user_reason", "TO USER", OUT_TEXT, 7},
	{"qualification", "QUALIFICATION", OUT_TEXT, 13},
	{"flags", "FLAGS", OUT_TEXT, 12},
};

#define N_COLUMNS (int)(sizeof(columns) / sizeof(columns[0]))

static void put_exit(struct app *app, struct out *out, sqlite3_stmt *stmt, int64_t rank)
{
	if (rank)
		out_int(out, rank);
	else
		out_none(out);
	for (int i = 1; i < N_COLUMNS; i++) {
		int64_t value = sqlite3_column_int64(stmt, i - 1);

		if (sqlite3_column_type(stmt, i - 1) == SQLITE_NULL)
			out_none(out);
		else if (i == 1)
			out_time(out, (uint64_t)run_since(&app->run, value));
		else if (columns[i].type == OUT_VM)
			out_vm(out, &app->run, value);
		else if (columns[i].type == OUT_TIME)
			out_time(out, (uint64_t)value);
		else
			out_sql_value(out, stmt, i - 1);
	}
}

/* One of the slowest, with its neighbours on the same vCPU. */
static int put_around(struct app *app, struct out *out, sqlite3_stmt *stmt, int64_t id,
		      int64_t around, int64_t rank)
{
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, around);
	while ((rc = db_step(app, stmt)) > 0)
		put_exit(app, out, stmt,
			 sqlite3_column_int64(stmt, N_COLUMNS - 1) == id ? rank : 0);
	return rc;
}

/* All rows of @ids; it stands on the first. */
static int put_slowest(struct app *app, struct out *out, sqlite3_stmt *ids, int64_t around)
{
	int64_t rank = 0;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, commands_sql_slowest_around))
		return -1;
	out_table(out, "rows", columns, N_COLUMNS);
	for (rc = 1; rc > 0; rc = db_step(app, ids))
		if (put_around(app, out, stmt, sqlite3_column_int64(ids, 0), around, ++rank)) {
			rc = -1;
			break;
		}
	sqlite3_finalize(stmt);
	if (!rc)
		out_table_end(out);
	return rc;
}

static int parse_around(struct app *app, const struct options *opt, int64_t *around)
{
	const char *text = opt->extra[0];

	*around = 0;
	if (text && units_parse_whole(text, 0, INT64_MAX, around))
		return app_fail(app, "--around %s: not a number", text);
	return 0;
}

/* As SQL's LIMIT; -1: all. */
static int64_t row_limit(const struct options *opt)
{
	if (opt->limit < 0)
		return DEFAULT_LIMIT;
	return opt->limit ? opt->limit : -1;
}

static int slowest(struct app *app, const struct options *opt)
{
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "busy", sort_names);
	sqlite3_stmt *ids;
	char sql[256];
	struct out out;
	int64_t around;
	int rc;

	if (sort < 0 || parse_around(app, opt, &around) ||
	    run_open(app, app->filter.run, &app->run) || run_rows(app, &app->run))
		return -1;
	if (!app->run.has_split && sort > 1)
		return app_fail(
			app, "--sort %s: source %s does not tell the parts of an exit's time apart",
			sort_names[sort], app->run.source);

	snprintf(sql, sizeof(sql),
		 "SELECT e.rowid FROM exit e WHERE %%s ORDER BY %s DESC, e.rowid LIMIT %lld",
		 sort_columns[sort], (long long)row_limit(opt));
	if (where_prepare(app, &app->run, sql, &ids))
		return -1;

	rc = db_step(app, ids);
	if (!rc)
		rc = run_nothing(app);
	if (rc > 0) {
		out_begin(&out, &opt->style, app->run.tsc_khz);
		out_run(&out, "run", &app->run);
		rc = put_slowest(app, &out, ids, around);
		rc = out_end(&out, app, rc < 0);
	}
	sqlite3_finalize(ids);
	return rc;
}

const struct cmd cmd_slowest = {
	.name = "slowest",
	.summary = "the exits that took longest, with their context",
	.usage = "[--sort KEY] [--around N] [OPTION...]",
	.help = help_slowest,
	.options = OPT_FILTER | OPT_FORMAT | OPT_SORT | OPT_LIMIT,
	.limit = "10",
	.extra = extra,
	.run = slowest,
};
