// SPDX-License-Identifier: GPL-2.0-only
/*
 * edges.c - exits that reach over an end of the window; see edges.h
 *
 * Exits of one vCPU do not overlap, so at most one reaches over each end, and it is the last one
 * that began before. The roll-ups say in which interval that was, and whether any exit of it was
 * long enough. Only then rows are read, from that interval on.
 */
#include "analyzer/query/time/edges.h"

#include <stdlib.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/rowids.h"
#include "analyzer/query/time/queries.h"
#include "analyzer/query/time/reach.h"
#include "analyzer/query/where.h"

/* An exit: when it began, as TSC, its reason key, and how long it took. */
struct reach {
	int64_t tsc;
	int64_t reason;
	struct group time;
};

/* Add what an exit has on the wrong side of the ends @from and @to. Times are TSC. */
static void add_reach(struct edge *edge, const struct reach *exit, int64_t from, int64_t to)
{
	int64_t end;
	struct group part;

	if (__builtin_add_overflow(exit->tsc, (int64_t)exit->time.cycles, &end) || end <= exit->tsc)
		return;

	if (exit->tsc < from && end > from) {
		part = group_cut(&exit->time, (uint64_t)((end < to ? end : to) - from));
		group_add_times(&edge->before, &part);
		edge->before.key[0] = exit->reason;
	} else if (exit->tsc >= from && exit->tsc < to && end > to) {
		part = group_cut(&exit->time, (uint64_t)(end - to));
		group_add_times(&edge->after, &part);
		edge->after.key[0] = exit->reason;
	}
}

/* Columns tsc, the times and the reason, from @i on. */
static struct reach read_reach(const struct run *run, sqlite3_stmt *stmt, int i)
{
	return (struct reach){
		.tsc = sqlite3_column_int64(stmt, i),
		.time = reach_read_times(stmt, i + 1),
		.reason = reason_key(run->isa, sqlite3_column_int64(stmt, i + 6)),
	};
}

/*
 * Let *low be the TSC from which the exit of a vCPU that may reach over @tsc is found. Exits of
 * two intervals may be the last one before @tsc: those of its own interval may all be after it.
 */
static int lower(struct app *app, const struct run *run, sqlite3_stmt *stmt, int64_t vcpu,
		 int64_t tsc, int64_t *low)
{
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, (tsc - run->tsc_start) / run->rollup_cycles);
	while ((rc = db_step(app, stmt)) > 0) {
		int64_t first = sqlite3_column_int64(stmt, 0);

		if (first < tsc && sqlite3_column_double(stmt, 1) > (double)tsc && first < *low)
			*low = first;
	}
	return rc;
}

/* From where rows must be read; INT64_MAX: no exit reaches over an end. */
static int find_low(struct app *app, const struct run *run, int64_t from, int64_t to, int64_t *low)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	*low = INT64_MAX;
	if (db_prepare(app, &stmt, query_edges_intervals))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		if (run->from)
			rc = lower(app, run, stmt, run->vcpus[i].id, from, low);
		if (!rc)
			rc = lower(app, run, stmt, run->vcpus[i].id, to, low);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* Note of which vCPUs an exit may reach over the end of the run. Returns how many, or -1. */
static int find_late(struct app *app, const struct run *run, int64_t to, bool *is_late)
{
	sqlite3_stmt *stmt;
	int count = 0;
	int rc = 0;

	if (db_prepare(app, &stmt, query_edges_intervals))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		int64_t low = INT64_MAX;

		rc = lower(app, run, stmt, run->vcpus[i].id, to, &low);
		is_late[i] = low < INT64_MAX;
		count += is_late[i];
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : count;
}

/*
 * struct way_back - from the last row to the last exit before @to of each vCPU that is_late[]
 * @count:	how many vCPUs are
 * @rows, @row:	all rows from the end, and one of them with its times
 */
struct way_back {
	struct app *app;
	const struct run *run;
	int64_t from, to;
	bool *is_late;
	int count;
	sqlite3_stmt *rows, *row;
	struct edge *edges;
};

/* Takes the present row, which is the last one of vCPU @i, unless it began after the run. */
static int take_row(struct way_back *w, ptrdiff_t i)
{
	struct reach exit;
	int rc;

	sqlite3_reset(w->row);
	sqlite3_bind_int64(w->row, 1, sqlite3_column_int64(w->rows, 0));
	rc = db_step(w->app, w->row);
	if (rc <= 0)
		return rc;

	exit = read_reach(w->run, w->row, 0);
	if (exit.tsc >= w->to)
		return 0;
	add_reach(&w->edges[i], &exit, w->from, w->to);
	w->is_late[i] = false;
	w->count--;
	return 0;
}

static int go_back(struct way_back *w)
{
	int rc = 1;

	while (w->count && (rc = db_step(w->app, w->rows)) > 0) {
		const struct vcpu_ref *vcpu =
			run_find_vcpu(w->run, sqlite3_column_int64(w->rows, 1));

		if (vcpu && w->is_late[vcpu - w->run->vcpus] && take_row(w, vcpu - w->run->vcpus))
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

/* Rows of a vCPU stand in the order of its exits: its last one comes first from the end. */
static int read_last_rows(struct app *app, const struct run *run, int64_t from, int64_t to,
			  struct edge *edges)
{
	struct way_back w = {.app = app, .run = run, .from = from, .to = to, .edges = edges};
	int64_t last;
	int rc = -1;

	w.is_late = calloc(run->n_vcpus, sizeof(*w.is_late));
	if (!w.is_late)
		return app_fail(app, "out of memory");
	w.count = find_late(app, run, to, w.is_late);
	if (w.count >= 0 && !rowids_find_last(app, run, &last) &&
	    !db_prepare(app, &w.rows, query_edges_back) &&
	    !db_prepare(app, &w.row, query_edges_row)) {
		sqlite3_bind_int64(w.rows, 1, last);
		rc = go_back(&w);
	}
	sqlite3_finalize(w.rows);
	sqlite3_finalize(w.row);
	free(w.is_late);
	return rc;
}

static int read_rows(struct app *app, const struct run *run, int64_t from, int64_t to,
		     struct edge *edges)
{
	static const char sql[] =
		"SELECT e.vcpu, e.tsc, e.cycles, e.halted_cycles, e.userspace_cycles, e.preempted_cycles, e.polled_cycles, e.reason FROM exit e WHERE %s AND e.tsc + e.cycles > ?1 AND (e.tsc < ?1 OR e.tsc + e.cycles > ?2)";
	struct run wide = *run;
	sqlite3_stmt *stmt;
	int64_t low;
	int rc = find_low(app, run, from, to, &low);

	if (rc || low == INT64_MAX)
		return rc;

	/* Rows stand in the order of the exits' ends: the window's range of rows is another one. */
	wide.by_rows = true;
	wide.from = low > run->tsc_start ? low - run->tsc_start : 0;
	if (rowids_find(app, &wide) || where_prepare(app, &wide, sql, &stmt))
		return -1;
	sqlite3_bind_int64(stmt, 1, from);
	sqlite3_bind_int64(stmt, 2, to);
	while ((rc = db_step(app, stmt)) > 0) {
		const struct vcpu_ref *vcpu = run_find_vcpu(run, sqlite3_column_int64(stmt, 0));
		struct reach exit = read_reach(run, stmt, 1);

		if (vcpu)
			add_reach(&edges[vcpu - run->vcpus], &exit, from, to);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * The last exit that a vCPU began in an interval before @tsc: the start of one, or the run's end.
 * No time if the filter by reason leaves it out.
 */
static int read_interval(struct app *app, const struct run *run, sqlite3_stmt *stmt, int64_t vcpu,
			 int64_t tsc, struct reach *exit)
{
	int64_t most, room;
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2,
			   (tsc - run->tsc_start + run->rollup_cycles - 1) / run->rollup_cycles);
	rc = db_step(app, stmt);
	*exit = (struct reach){0};
	if (rc <= 0)
		return rc;

	*exit = read_reach(run, stmt, 0);
	if (!reason_passes(run, exit->reason)) {
		exit->time = (struct group){0};
		return 0;
	}
	most = sqlite3_column_int64(stmt, 7);
	room = sqlite3_column_int64(stmt, 8);
	if (sqlite3_column_type(stmt, 8) != SQLITE_NULL && room < most)
		most = room;
	exit->time = group_cut(&exit->time, most > 0 ? (uint64_t)most : 0);
	return 0;
}

static int read_intervals(struct app *app, const struct run *run, int64_t from, int64_t to,
			  struct edge *edges)
{
	sqlite3_stmt *stmt;
	struct reach exit;
	int rc = 0;

	if (db_prepare(app, &stmt, query_edges_last))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		if (run->from)
			rc = read_interval(app, run, stmt, run->vcpus[i].id, from, &exit);
		if (run->from && !rc)
			add_reach(&edges[i], &exit, from, to);

		if (!rc)
			rc = read_interval(app, run, stmt, run->vcpus[i].id, to, &exit);
		/* What began before the window was added above. */
		if (!rc && exit.tsc >= from)
			add_reach(&edges[i], &exit, from, to);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int edges_read(struct app *app, const struct run *run, struct edge **edges)
{
	int64_t from = run->tsc_start + run->from, to;
	bool by_rows = run->by_rows || (run_is_whole(run) && run->has_raw == RAW_ALL);
	int rc;

	*edges = NULL;
	if (!run->n_vcpus)
		return 0;
	if (__builtin_add_overflow(run->tsc_start,
				   run->to < run->length_cycles ? run->to : run->length_cycles,
				   &to))
		to = INT64_MAX;
	*edges = calloc(run->n_vcpus, sizeof(**edges));
	if (!*edges)
		return app_fail(app, "out of memory");

	if (!by_rows)
		rc = read_intervals(app, run, from, to, *edges);
	else if (run_is_whole(run) && !run->reasons && !app->has_chunks)
		rc = read_last_rows(app, run, from, to, *edges);
	else
		rc = read_rows(app, run, from, to, *edges);
	if (rc < 0) {
		free(*edges);
		*edges = NULL;
	}
	return rc < 0 ? -1 : 0;
}
