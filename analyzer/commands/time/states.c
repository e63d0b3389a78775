// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer states - in which state VMs and vCPUs were: shares of their wall time
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/time/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/output/state_columns.h"
#include "analyzer/query/db.h"
#include "analyzer/query/time/states.h"
#include "analyzer/query/vms.h"

#define DEFAULT_LIMIT 30

static const char *const by_names[] = {"vm", "vcpu", NULL};

/* As enum state, then the rest. */
static const char *const sort_names[] = {"guest",   "handler", "userspace", "polled", "halted",
					 "waiting", "unknown", "time",	    "key",    NULL};
enum sort { SORT_TIME = STATES, SORT_KEY };

static const struct out_column key_columns[][2] = {
	{{"vm", "VM", OUT_VM, 0}, {"vcpus", "VCPUS", OUT_COUNT, 2}},
	{{"vm", "VM", OUT_VM, 0}, {"vcpu", "VCPU", OUT_ID, 0}},
};

static const struct out_column state_columns[] = {
	{"comm", "COMMAND", OUT_TEXT, 5},
	{"wall", "TIME", OUT_TIME, 3},
	STATE_COLUMNS,
	{"unknown", "UNKNOWN", OUT_SHARE, 0},
	{"waiting_of_runnable", "OF RUNNABLE", OUT_SHARE, 4},
	{"bar", "", OUT_SPLIT, 0},
};

#define GUEST_COLUMN 2 /* the other states follow in the order of enum state */
#define N_STATE	     (int)(sizeof(state_columns) / sizeof(state_columns[0]))

static double sort_value(const struct state_row *row, int sort)
{
	if (sort == SORT_TIME)
		return row->wall;
	return sort == SORT_KEY ? 0 : state_share(row, (enum state)sort);
}

/* Largest first; what is equal by its number. */
static int compare(const void *a, const void *b, void *sort)
{
	const struct state_row *x = a, *y = b;
	double vx = sort_value(x, *(int *)sort), vy = sort_value(y, *(int *)sort);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	if (x->vm != y->vm)
		return x->vm < y->vm ? -1 : 1;
	return x->vcpu < y->vcpu ? -1 : x->vcpu > y->vcpu;
}

static void put_states(struct out *out, const struct states *states, const struct state_row *row)
{
	out_time(out, (uint64_t)row->wall);
	for (int i = 0; i < STATES; i++) {
		/* Of no time there are no shares. */
		if (row->wall <= 0 || (i == STATE_POLLED && !states->has_polled) ||
		    (i == STATE_UNKNOWN && !row->is_certain))
			out_none(out);
		else
			out_real(out, state_share(row, (enum state)i));
	}
	if (row->wall > 0)
		out_real(out, state_runnable_share(row, STATE_WAITING));
	else
		out_none(out);
	out_letters(out, "ghubzw?", row->part, STATES);
}

static void put_row(struct app *app, struct out *out, const struct states *states,
		    const struct state_row *row)
{
	const struct vm_ref *vm = vms_find(&app->run, row->vm);

	out_vm(out, &app->run, row->vm);
	out_int(out, row->vcpu < 0 ? row->vcpus : row->vcpu);
	out_text(out, vm && *vm->comm ? vm->comm : NULL);
	put_states(out, states, row);
}

static void put_notes(struct out *out, const struct states *states)
{
	out_line(
		out,
		"g guest, h KVM's handler, u user space (VMM), %sz halted, w waiting for a CPU (could run, has none)%s",
		states->has_polled ? "b polled (halted, but KVM keeps the CPU busy: halt_poll_ns), "
				   : "",
		states->total.part[STATE_UNKNOWN] > 0
			? ", ? unknown: exits without a record or that had not ended, and the time around them where nothing says how long they took"
			: "");
	if (!states->total.is_certain)
		out_note(
			out,
			"Exits are missing, and nothing says how long they took: their time counts as guest.");
	if (!states->has_polled && states->total.part[STATE_HALTED] > 0)
		out_note(
			out,
			"Halted includes polling (halt_poll_ns), during which the CPU is busy: this recording does not tell them apart.");
}

static int put_table(struct app *app, const struct options *opt, bool by_vcpu,
		     const struct states *states)
{
	struct out_column columns[2 + N_STATE];
	unsigned int limit = states->rows;
	int64_t most = opt->limit < 0 ? DEFAULT_LIMIT : opt->limit;
	struct out out;

	memcpy(columns, key_columns[by_vcpu], sizeof(key_columns[by_vcpu]));
	memcpy(columns + 2, state_columns, sizeof(state_columns));
	if (!states->has_polled)
		columns[2 + GUEST_COLUMN + STATE_POLLED].drop = OUT_HIDDEN;
	if (states->total.part[STATE_UNKNOWN] <= 0)
		columns[2 + GUEST_COLUMN + STATE_UNKNOWN].drop = OUT_HIDDEN;
	if (most > 0 && most < limit)
		limit = (unsigned int)most;

	out_begin(&out, &opt->style, app->run.tsc_khz);
	/* A terminal that is too narrow for all states has no room for the bar. */
	columns[2 + N_STATE - 1].drop = out.width ? 1 : 0;
	out_run(&out, "run", &app->run);
	out_table(&out, "rows", columns, 2 + N_STATE);
	for (unsigned int i = 0; i < limit; i++)
		put_row(app, &out, states, &states->row[i]);
	if (out.format == OUT_TABLE && states->rows > 1) {
		out_text(&out, "all");
		out_int(&out, states->total.vcpus);
		out_none(&out);
		put_states(&out, states, &states->total);
	}
	out_table_end(&out);
	if (limit < states->rows)
		out_line(&out, "(%u more: --limit 0 shows all)", states->rows - limit);
	put_notes(&out, states);
	return out_end(&out, app, false);
}

static int states(struct app *app, const struct options *opt)
{
	int by = choice_parse(app, "--by", opt->by ? opt->by : "vm", by_names);
	int sort = choice_parse(app, "--sort", opt->sort ? opt->sort : "waiting", sort_names);
	struct states states = {0};
	int rc;

	if (by < 0 || sort < 0 || run_open(app, app->filter.run, &app->run))
		return -1;

	/* One VM: its vCPUs say more. */
	if (!opt->by && app->run.n_vcpus &&
	    app->run.vcpus[0].vm == app->run.vcpus[app->run.n_vcpus - 1].vm)
		by = 1;
	rc = states_read(app, &app->run, by, &states);
	if (!rc && !states.rows)
		rc = run_nothing(app);
	if (!rc) {
		qsort_r(states.row, states.rows, sizeof(*states.row), compare, &sort);
		rc = put_table(app, opt, by, &states);
	}
	states_free(&states);
	return rc;
}

const struct cmd cmd_states = {
	.name = "states",
	.summary = "where the time of VMs and vCPUs goes: guest, KVM, VMM, halted, waiting",
	.usage = "[--by KEY] [--sort KEY] [OPTION...]",
	.help = help_states,
	.options = OPT_FILTER | OPT_FORMAT | OPT_SORT | OPT_BY | OPT_LIMIT,
	.limit = "30",
	.run = states,
};
