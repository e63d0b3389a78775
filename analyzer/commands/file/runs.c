// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer runs - what recordings the file holds
 */
#include <string.h>

#include "analyzer/commands/file/commands.h"
#include "analyzer/commands/file/queries.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"

#define COLUMNS(c) (int)(sizeof(c) / sizeof((c)[0]))

static const struct out_column run_columns[] = {
	{"run", "RUN", OUT_ID, 0},
	{"label", "LABEL", OUT_TEXT, 0},
	{"state", "STATE", OUT_TEXT, 0},
	{"started", "STARTED", OUT_TEXT, 7},
	{"duration_ns", "DURATION", OUT_NS, 0},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"dropped", "DROPPED", OUT_COUNT, 0},
	{"coverage", "COVERAGE", OUT_SHARE, 0},
	{"vms", "VMS", OUT_COUNT, 3},
	{"vcpus", "VCPUS", OUT_COUNT, 2},
	{"raw", "ROWS", OUT_TEXT, 4},
	{"isa", "ISA", OUT_TEXT, 5},
	{"ept", "EPT", OUT_TEXT, 1},
	{"environment", "MACHINE", OUT_TEXT, 6},
	{"host", "HOST", OUT_TEXT, 8},
	{"kernel", "KERNEL", OUT_TEXT, 9},
	{"dropped_is_estimate", "ESTIMATE", OUT_ID, OUT_HIDDEN},
};

static const struct out_column vcpu_columns[] = {
	{"run", "RUN", OUT_ID, 0},
	{"vm", "VM", OUT_ID, 0},
	{"tgid", "PID", OUT_ID, 0},
	{"comm", "COMMAND", OUT_TEXT, 6},
	{"vm_name", "NAME", OUT_TEXT, 0},
	{"name_source", "NAMED BY", OUT_TEXT, OUT_HIDDEN},
	{"uuid", "UUID", OUT_TEXT, OUT_HIDDEN},
	{"vm_started", "VM STARTED", OUT_TEXT, OUT_HIDDEN},
	{"vcpu", "VCPU", OUT_ID, 0},
	{"tid", "THREAD", OUT_ID, 3},
	{"thread", "THREAD NAME", OUT_TEXT, OUT_HIDDEN},
	{"exits", "EXITS", OUT_COUNT, 0},
	{"dropped", "DROPPED", OUT_COUNT, 0},
	{"filtered", "FILTERED", OUT_COUNT, 0},
	{"unread", "UNREAD", OUT_COUNT, 0},
	{"coverage", "COVERAGE", OUT_SHARE, 0},
	{"dropped_is_estimate", "ESTIMATE", OUT_ID, OUT_HIDDEN},
};

static const struct extra_option extra[] = {{"vcpus", NULL, "a row for each VM and vCPU"}, {0}};

/* The rows of a query; its last column says whether dropped exits and coverage are estimates. */
static int put_rows(struct app *app, struct out *out, const char *name,
		    const struct out_column *column, int columns, const char *sql)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, sql))
		return -1;
	if (sqlite3_bind_parameter_count(stmt))
		sqlite3_bind_int64(stmt, 1, app->written);

	out_table(out, name, column, columns);
	while ((rc = db_step(app, stmt)) > 0) {
		const bool estimated = sqlite3_column_int(stmt, columns - 1);

		for (int i = 0; i < columns; i++) {
			out->about = estimated && (!strcmp(column[i].name, "dropped") ||
						   !strcmp(column[i].name, "coverage"));
			out_sql_value(out, stmt, i);
		}
	}
	out->about = false;
	if (!rc)
		out_table_end(out);
	sqlite3_finalize(stmt);
	return rc;
}

static int runs(struct app *app, const struct options *opt)
{
	const bool vcpus = opt->extra[0];
	struct out out;
	int rc;

	out_begin(&out, &opt->style, 0);
	if (vcpus)
		rc = put_rows(app, &out, "vcpus", vcpu_columns, COLUMNS(vcpu_columns),
			      commands_sql_runs_vcpus);
	else
		rc = put_rows(app, &out, "runs", run_columns, COLUMNS(run_columns),
			      commands_sql_runs);
	return out_end(&out, app, rc < 0);
}

const struct cmd cmd_runs = {
	.name = "runs",
	.summary = "the recordings of the file, or their VMs and vCPUs",
	.usage = "[--vcpus] [OPTION...]",
	.help = help_runs,
	.options = OPT_NO_TIME,
	.extra = extra,
	.run = runs,
};
