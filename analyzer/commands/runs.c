// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer runs - what recordings the file holds
 */
#include <string.h>

#include "analyzer/commands/commands.h"
#include "analyzer/commands/queries.h"
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
};

static const struct extra_option extra[] = {{"vcpus", NULL, "a row for each VM and vCPU"}, {0}};

static int runs(struct app *app, const struct options *opt)
{
	const bool vcpus = opt->extra[0];
	struct out out;
	int rc;

	out_begin(&out, &opt->style, 0);
	if (vcpus)
		rc = out_query(&out, app, "vcpus", vcpu_columns, COLUMNS(vcpu_columns),
			       commands_sql_runs_vcpus, 0);
	else
		rc = out_query(&out, app, "runs", run_columns, COLUMNS(run_columns),
			       commands_sql_runs, app->written);
	return out_end(&out, app, rc < 0);
}

const struct cmd cmd_runs = {
	.name = "runs",
	.summary = "the recordings of the file, or their VMs and vCPUs",
	.usage = "[--vcpus] [OPTION...]",
	.help = help_runs,
	.options = OPT_FORMAT,
	.extra = extra,
	.run = runs,
};
