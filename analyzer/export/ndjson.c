// SPDX-License-Identifier: GPL-2.0-only
/*
 * ndjson.c - single exits, a short JSON object on each line (https://ndjson.org)
 *
 * The first line is about the run. The lines of exits have the members of view exits that
 * say what the exit was, how long it took and where the time went; what is 0, false or
 * unknown is left out. A quarter of export_json()'s size.
 */
#include <inttypes.h>
#include <math.h>

#include "analyzer/export/export.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/where.h"
#include "base/json_quote.h"

#define LINE_SQL                                                                                   \
	"SELECT x.time_ns, x.vm, x.vcpu_id AS vcpu, x.seq, x.reason_name AS reason, x.key_text AS key, x.ns, x.halted_ns, x.userspace_ns, x.preempted_ns, x.user_reason_name AS to_user, x.rip, x.pcpu, x.fastpath, x.nested, x.synthesized, x.polled_ns, x.value_text AS value, x.requests, x.event_type AS event, x.event_vector, x.event_error_code, x.run_errno_name AS errno FROM exit e JOIN exits x ON x.id = e.rowid WHERE %s ORDER BY e.rowid"

/* Columns from here on are left out if they are 0. */
enum { ALWAYS = 4 };

static void put_member(FILE *file, const char *name, const char *text)
{
	fprintf(file, ",\"%s\":", name);
	json_quote(file, text);
}

/* Names of columns are our own, and need no escapes. */
static void put_run(FILE *file, const struct run *run)
{
	double coverage = out_coverage(run);

	fprintf(file, "{\"run\":%" PRId64, run->id);
	put_member(file, "label", run->label);
	put_member(file, "state", run->state);
	put_member(file, "source", run->source);
	put_member(file, "environment", run->environment);
	if (isfinite(coverage))
		fprintf(file, ",\"coverage\":%.10g", coverage);
	fprintf(file, ",\"recorded\":%" PRId64 ",\"dropped\":%" PRId64, run->shown_exits,
		run->shown_dropped);
	if (run->filter.vm)
		put_member(file, "only_vm", run->filter.vm);
	if (run->filter.vcpu)
		put_member(file, "only_vcpu", run->filter.vcpu);
	if (run->filter.reason)
		put_member(file, "only_reason", run->filter.reason);
	fprintf(file, ",\"from_ns\":%" PRId64 ",\"to_ns\":%" PRId64 "}\n",
		cycles_to_ns(run->from, run->tsc_khz),
		cycles_to_ns(run->to < run->length_cycles ? run->to : run->length_cycles,
			     run->tsc_khz));
}

static void put_exit(FILE *file, sqlite3_stmt *stmt)
{
	char before = '{';

	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		const char *text = NULL;

		if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
			continue;
		if (sqlite3_column_type(stmt, i) == SQLITE_TEXT)
			text = (const char *)sqlite3_column_text(stmt, i);
		else if (i >= ALWAYS && !sqlite3_column_int64(stmt, i))
			continue;
		if (text && i >= ALWAYS && !*text)
			continue;

		fprintf(file, "%c\"%s\":", before, sqlite3_column_name(stmt, i));
		before = ',';
		if (text)
			json_quote(file, text);
		else
			fprintf(file, "%lld", (long long)sqlite3_column_int64(stmt, i));
	}
	fputs("}\n", file);
}

int export_ndjson(struct app *app, FILE *file)
{
	sqlite3_stmt *stmt;
	int rc;

	if (where_prepare(app, &app->run, LINE_SQL, &stmt))
		return -1;
	put_run(file, &app->run);
	while ((rc = db_step(app, stmt)) > 0)
		put_exit(file, stmt);
	sqlite3_finalize(stmt);
	return rc;
}
