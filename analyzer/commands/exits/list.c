// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer list - single exits in the order of time
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analyzer/commands/exits/commands.h"
#include "analyzer/commands/options/guest.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/where.h"

#define DEFAULT_LIMIT 50
#define NS_PER_SECOND 1000000000

static const struct extra_option extra[] = {GUEST_OPTIONS, {0}};

static const struct out_column columns[] = {
	{"clock", "CLOCK (UTC)", OUT_TEXT, 9},
	{"seconds", "SECONDS", OUT_TEXT, 0},
	{"vm", "VM", OUT_VM, 0},
	{"vcpu", "VCPU", OUT_ID, 0},
	{"pcpu", "PCPU", OUT_ID, 8},
	{"seq", "SEQ", OUT_ID, 7},
	{"name", "NAME", OUT_TEXT, 0},
	{"key", "KEY", OUT_TEXT, 0},
	{"meaning", "MEANING", OUT_TEXT, 5},
	{"time", "TIME", OUT_TIME, 0},
	{"handler", "HANDLER", OUT_TIME, 1},
	{"halted", "HALTED", OUT_TIME, 3},
	{"userspace", "USERSPACE", OUT_TIME, 2},
	{"preempted", "PREEMPTED", OUT_TIME, 4},
	{"rip", "RIP", OUT_TEXT, 6},
	{"user_reason", "TO USER", OUT_TEXT, 7},
	{"flags", "FLAGS", OUT_TEXT, 10},
	{"polled", "POLLED", OUT_TIME, OUT_HIDDEN},
	{"value", "VALUE", OUT_TEXT, OUT_HIDDEN},
	{"requests", "REQUESTS", OUT_TEXT, OUT_HIDDEN},
	{"event", "EVENT", OUT_TEXT, OUT_HIDDEN},
	{"errno", "ERRNO", OUT_TEXT, OUT_HIDDEN},
	{"cr3", "CR3", OUT_TEXT, OUT_HIDDEN},
	{"process", "PROCESS", OUT_TEXT, OUT_HIDDEN},
};

/* Columns of the statement. */
enum {
	L_NS,
	L_VM,
	L_VCPU,
	L_PCPU,
	L_SEQ,
	L_NAME,
	L_KEY_TEXT,
	L_CYCLES,
	L_HANDLER,
	L_HALTED,
	L_USER,
	L_PREEMPTED,
	L_RIP,
	L_USER_REASON,
	L_FLAGS,
	L_POLLED,
	L_VALUE,
	L_REQUESTS,
	L_EVENT,
	L_ERRNO,
	L_CR3,
	L_REASON,
	L_KEY,
	L_AUX
};

#define SHOWN                                                                                      \
	"x.time_ns, x.vm, x.vcpu_id, x.pcpu, x.seq, x.reason_name, x.key_text, x.cycles, x.handler_cycles, x.halted_cycles, x.userspace_cycles, x.preempted_cycles, x.rip, x.user_reason_name, ltrim(CASE WHEN x.fastpath THEN ',fastpath' ELSE '' END || CASE WHEN x.nested THEN ',nested' ELSE '' END || CASE WHEN x.synthesized THEN ',synthesized' ELSE '' END || CASE WHEN x.no_reentry THEN ',no_reentry' ELSE '' END || CASE WHEN x.tsc_back THEN ',tsc_back' ELSE '' END, ','), x.polled_cycles, x.value_text, CASE x.requests WHEN 0 THEN '0' ELSE x.request_names END, x.event_type || ' ' || x.event_vector || CASE WHEN x.event_error_code IS NOT NULL THEN ', error code ' || x.event_error_code ELSE '' END, CASE x.run_errno WHEN 0 THEN '0' ELSE x.run_errno_name END, x.cr3, x.basic_reason, x.key, x.key_aux"

/* When the run started, in ns since 1970; 0: unknown. */
static int read_start(struct app *app, int64_t *started_ns)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(app, &stmt, "SELECT started_ns FROM runs WHERE run = ?1");

	*started_ns = 0;
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	rc = db_step(app, stmt);
	if (rc > 0)
		*started_ns = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

static void put_clock(struct out *out, int64_t started_ns, int64_t ns)
{
	int64_t at;
	time_t seconds;
	struct tm tm;
	char text[64];

	if (started_ns <= 0 || __builtin_add_overflow(started_ns, ns, &at) || at < 0) {
		out_none(out);
		return;
	}
	seconds = (time_t)(at / NS_PER_SECOND);
	if (!gmtime_r(&seconds, &tm)) {
		out_none(out);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + 19, sizeof(text) - 19, ".%09" PRId64 "Z", at % NS_PER_SECOND);
	out_text(out, text);
}

static void put_meaning(struct app *app, struct out *out, sqlite3_stmt *stmt)
{
	char text[64];

	if (sqlite3_column_type(stmt, L_KEY) == SQLITE_NULL)
		out_none(out);
	else
		out_text(out,
			 regions_meaning(app, sqlite3_column_int64(stmt, L_VM),
					 sqlite3_column_int64(stmt, L_REASON),
					 sqlite3_column_int64(stmt, L_KEY),
					 sqlite3_column_int64(stmt, L_AUX), text, sizeof(text)));
}

/* The process of the exit's CR3, which is a text of hexadecimal digits. */
static void put_process(struct app *app, struct out *out, sqlite3_stmt *stmt)
{
	const char *cr3 = (const char *)sqlite3_column_text(stmt, L_CR3);

	if (cr3)
		out_text(out, processes_name(app->run.processes, strtoull(cr3, NULL, 16)));
	else
		out_none(out);
}

static void put_exit(struct app *app, struct out *out, sqlite3_stmt *stmt, int64_t started_ns)
{
	int64_t ns = sqlite3_column_int64(stmt, L_NS);
	uint64_t away = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[32];

	put_clock(out, started_ns, ns);
	snprintf(text, sizeof(text), "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "",
		 away / NS_PER_SECOND, away % NS_PER_SECOND);
	out_text(out, text);

	out_vm(out, &app->run, sqlite3_column_int64(stmt, L_VM));
	for (int i = L_VCPU; i <= L_KEY_TEXT; i++)
		out_sql_value(out, stmt, i);
	put_meaning(app, out, stmt);

	out_time(out, (uint64_t)sqlite3_column_int64(stmt, L_CYCLES));
	for (int i = L_HANDLER; i <= L_PREEMPTED; i++) {
		if (app->run.has_split)
			out_time(out, (uint64_t)sqlite3_column_int64(stmt, i));
		else
			out_none(out);
	}

	for (int i = L_RIP; i <= L_FLAGS; i++)
		out_sql_value(out, stmt, i);
	if (sqlite3_column_type(stmt, L_POLLED) == SQLITE_NULL)
		out_none(out);
	else
		out_time(out, (uint64_t)sqlite3_column_int64(stmt, L_POLLED));
	for (int i = L_VALUE; i <= L_CR3; i++)
		out_sql_value(out, stmt, i);
	put_process(app, out, stmt);
}

static int print_exits(struct app *app, const struct options *opt, sqlite3_stmt *stmt,
		       int64_t limit)
{
	int64_t started_ns, shown = 0;
	struct out out;
	int rc = read_start(app, &started_ns);

	if (rc)
		return rc;
	out_begin(&out, &opt->style, app->run.tsc_khz);
	out_run(&out, "run", &app->run);
	out_table(&out, "rows", columns, (int)(sizeof(columns) / sizeof(columns[0])));
	for (rc = 1; rc > 0 && (limit <= 0 || shown < limit); shown++) {
		put_exit(app, &out, stmt, started_ns);
		rc = db_step(app, stmt);
	}
	out_table_end(&out);
	if (rc > 0)
		out_line(&out, "(more: --limit 0 shows all, --from begins later)");
	return out_end(&out, app, rc < 0);
}

/* @stmt: of the exits, one more than @limit at most */
static int list_exits(struct app *app, const struct options *opt, sqlite3_stmt *stmt, int64_t limit)
{
	int rc = db_step(app, stmt);

	if (!rc)
		return run_nothing(app);
	return rc < 0 ? -1 : print_exits(app, opt, stmt, limit);
}

static int list(struct app *app, const struct options *opt)
{
	int64_t limit = opt->limit < 0 ? DEFAULT_LIMIT : opt->limit;
	sqlite3_stmt *stmt = NULL;
	struct guest guest;
	char sql[2000];
	int rc;

	if (run_open(app, app->filter.run, &app->run) || run_rows(app, &app->run))
		return -1;
	snprintf(
		sql, sizeof(sql),
		"SELECT " SHOWN
		" FROM (SELECT e.rowid AS id, e.tsc AS tsc FROM exit e WHERE %%s ORDER BY e.tsc, e.rowid LIMIT %lld) o JOIN exits x ON x.id = o.id ORDER BY o.tsc, o.id",
		(long long)(limit ? limit + 1 : -1));
	rc = guest_open(app, opt->extra, &guest);
	if (!rc)
		rc = where_prepare(app, &app->run, sql, &stmt);
	if (!rc)
		rc = list_exits(app, opt, stmt, limit);
	sqlite3_finalize(stmt);
	guest_close(app, &guest);
	return rc;
}

const struct cmd cmd_list = {
	.name = "list",
	.summary = "single exits in the order of time, with clock and run time",
	.usage = "[OPTION...]",
	.help = help_list,
	.options = OPT_FILTER | OPT_FORMAT | OPT_LIMIT,
	.limit = "50",
	.extra = extra,
	.run = list,
};
