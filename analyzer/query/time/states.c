// SPDX-License-Identifier: GPL-2.0-only
/*
 * states.c - in which state the vCPUs were; see states.h
 *
 * A vCPU runs its guest whenever it is not in an exit. So the guest's part is what its wall
 * time has more than its exits, if all of them are known.
 */
#include "analyzer/query/time/states.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/edges.h"
#include "analyzer/query/time/gaps.h"
#include "analyzer/query/time/queries.h"
#include "base/array.h"

const char *const state_names[STATES] = {
	[STATE_GUEST] = "guest",     [STATE_HANDLER] = "handler",
	[STATE_USER] = "user space", [STATE_POLLED] = "polled",
	[STATE_HALTED] = "halted",   [STATE_WAITING] = "waiting for a CPU",
	[STATE_UNKNOWN] = "unknown",
};

/* What the database knows of a vCPU in addition to its sums. Times in cycles. */
struct vcpu_facts {
	int64_t dropped; /* exits */
	int64_t filtered;
	bool has_totals; /* @total_cycles is of all exits, with and without a record */
	double total_cycles;
	bool is_open;	  /* an exit had not ended when the recording did, or may not have */
	int64_t last_end; /* when the last record ended at the latest, since the start */
};

static int read_facts(struct app *app, sqlite3_stmt *stmt, const struct run *run, int64_t vcpu,
		      struct vcpu_facts *facts)
{
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, run->tsc_start);
	rc = db_step(app, stmt);
	*facts = (struct vcpu_facts){.last_end = INT64_MAX};
	if (rc <= 0)
		return rc;

	facts->dropped = sqlite3_column_int64(stmt, 0);
	facts->filtered = sqlite3_column_int64(stmt, 4);
	/* Before the end nothing says whether an exit is open. */
	facts->is_open = sqlite3_column_int64(stmt, 1) || strcmp(run->state, "complete") != 0;
	/* Only a whole run can be compared with its totals. */
	facts->has_totals = run_is_whole(run) && sqlite3_column_type(stmt, 2) != SQLITE_NULL;
	facts->total_cycles = sqlite3_column_double(stmt, 2);
	if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
		facts->last_end = sqlite3_column_int64(stmt, 3);
	return 0;
}

void states_add(const struct run *run, const struct group *sum, double factor, double part[STATES])
{
	uint64_t polled = 0;

	/* No file may make the polled part larger than what it is a part of. */
	if (run->has_polled)
		polled = sum->polled < sum->halted ? sum->polled : sum->halted;

	part[STATE_HANDLER] += factor * (double)group_handler(sum);
	part[STATE_USER] += factor * (double)sum->userspace;
	part[STATE_POLLED] += factor * (double)polled;
	part[STATE_HALTED] += factor * (double)(sum->halted - polled);
	part[STATE_WAITING] += factor * (double)sum->preempted;
}

/* Where exits reach out of an interval of live there is less than none left: long times reach
 * farthest. */
void states_add_guest(double wall, double part[STATES])
{
	static const enum state order[] = {STATE_HALTED, STATE_POLLED,	STATE_WAITING,
					   STATE_USER,	 STATE_UNKNOWN, STATE_HANDLER};
	double rest = wall;

	for (int i = STATE_HANDLER; i < STATES; i++)
		rest -= part[i];
	part[STATE_GUEST] = fmax(rest, 0);

	for (size_t i = 0; rest < 0 && i < sizeof(order) / sizeof(*order); i++) {
		double less = fmin(-rest, part[order[i]]);

		part[order[i]] -= less;
		rest += less;
	}
}

/* Adds to the unknown time, of what the other parts leave. */
static void add_unknown(struct state_row *row, double cycles)
{
	double rest = row->wall;

	for (int i = STATE_HANDLER; i < STATES; i++)
		rest -= row->part[i];
	row->part[STATE_UNKNOWN] += fmin(cycles, fmax(rest, 0));
}

/* @gap: time in which exits are missing, in cycles; NULL: unknown. */
static void fill_row(const struct run *run, const struct vcpu_ref *vcpu, const struct group *sum,
		     const struct edge *edge, const struct vcpu_facts *facts, const double *gap,
		     struct state_row *row)
{
	bool has_gap = gap && !facts->has_totals;
	int64_t begin, end;

	run_clip_life(run, vcpu, &begin, &end);
	*row = (struct state_row){
		.vm = vcpu->vm,
		.vcpu = vcpu->vcpu_id,
		.vcpus = 1,
		.wall = (double)(end - begin),
		.is_certain = (!facts->dropped || gap) && !facts->filtered,
	};

	row->is_certain |= facts->has_totals || (run->window_is_complete && !facts->filtered);

	if (sum)
		states_add(run, sum, 1, row->part);
	if (edge) {
		states_add(run, &edge->before, 1, row->part);
		states_add(run, &edge->after, -1, row->part);
	}
	if (facts->dropped + facts->filtered && facts->has_totals)
		row->part[STATE_UNKNOWN] =
			fmax(facts->total_cycles - (sum ? (double)sum->cycles : 0), 0);
	if (facts->is_open && end > facts->last_end)
		row->part[STATE_UNKNOWN] +=
			(double)(end - (facts->last_end > begin ? facts->last_end : begin));
	if (has_gap)
		add_unknown(row, *gap);
	states_add_guest(row->wall, row->part);
}

static void add_row(struct state_row *to, const struct state_row *row)
{
	to->vcpus += row->vcpus;
	to->wall += row->wall;
	to->is_certain &= row->is_certain;
	for (int i = 0; i < STATES; i++)
		to->part[i] += row->part[i];
}

/* A row of its own, or added to the one of its VM: vCPUs come in the order of VMs. */
static int take_row(struct app *app, bool by_vcpu, const struct state_row *row,
		    struct states *states)
{
	struct state_row *last = states->rows ? &states->row[states->rows - 1] : NULL;
	struct state_row *more;

	add_row(&states->total, row);
	if (!by_vcpu && last && last->vm == row->vm) {
		add_row(last, row);
		return 0;
	}

	more = array_reserve(states->row, states->rows, 1, sizeof(*more));
	if (!more)
		return app_fail(app, "out of memory");
	states->row = more;
	more[states->rows] = *row;
	if (!by_vcpu)
		more[states->rows].vcpu = -1;
	states->rows++;
	return 0;
}

static int check_run(struct app *app, const struct run *run)
{
	if (run->filter.reason)
		return app_fail(app,
				"--reason: shares of the wall time need all exits (leave it out)");
	if (!run->has_split || run->no_durations)
		return app_fail(
			app,
			"run %lld \"%s\": source %s does not tell halted, user-space and preempted time apart (record with --source ring or bpf)",
			(long long)run->id, run->label, run->source);
	return 0;
}

int states_read(struct app *app, const struct run *run, bool by_vcpu, struct states *states)
{
	struct agg agg = {0};
	struct edge *edges = NULL;
	double *gaps = NULL;
	sqlite3_stmt *stmt = NULL;
	int rc = check_run(app, run);

	memset(states, 0, sizeof(*states));
	states->has_polled = run->has_polled;
	states->total = (struct state_row){.vm = -1, .vcpu = -1, .is_certain = true};
	if (!rc)
		rc = agg_read(app, run, BY_VCPU, 0, &agg);
	if (!rc)
		rc = edges_read(app, run, &edges);
	if (!rc)
		rc = gaps_read(app, run, &gaps);
	if (!rc)
		rc = db_prepare(app, &stmt, query_states_facts);

	for (unsigned int i = 0; !rc && i < run->n_vcpus; i++) {
		const struct vcpu_ref *vcpu = &run->vcpus[i];
		struct vcpu_facts facts;
		struct state_row row;

		rc = read_facts(app, stmt, run, vcpu->id, &facts);
		if (rc)
			break;
		fill_row(run, vcpu, agg_find(&agg, (int64_t[4]){vcpu->id}),
			 edges ? &edges[i] : NULL, &facts, gaps ? &gaps[i] : NULL, &row);
		rc = take_row(app, by_vcpu, &row, states);
	}

	sqlite3_finalize(stmt);
	free(edges);
	free(gaps);
	agg_free(&agg);
	return rc;
}

void states_free(struct states *states)
{
	free(states->row);
	memset(states, 0, sizeof(*states));
}

double state_share(const struct state_row *row, enum state state)
{
	return row->wall > 0 ? row->part[state] / row->wall : 0;
}

double state_runnable_share(const struct state_row *row, enum state state)
{
	double runnable = row->wall - row->part[STATE_HALTED] - row->part[STATE_POLLED] -
			  row->part[STATE_UNKNOWN];

	return runnable > 0 ? row->part[state] / runnable : 0;
}

void states_over_time(const struct series *series, const struct run *run, double (*share)[STATES])
{
	for (int bin = 0; bin < series->bins; bin++) {
		double room = series_capacity(series, run, bin);

		memset(share[bin], 0, sizeof(share[bin]));
		if (room <= 0)
			continue;
		states_add(run, &series->within[bin], 1, share[bin]);
		if (series->lost)
			share[bin][STATE_UNKNOWN] = fmin(series->lost[bin], room);
		states_add_guest(room, share[bin]);
		for (int i = 0; i < STATES; i++)
			share[bin][i] /= room;
	}
}
