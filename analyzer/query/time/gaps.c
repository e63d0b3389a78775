// SPDX-License-Identifier: GPL-2.0-only
/*
 * gaps.c - the time of which nothing is known; see gaps.h
 */
#include "analyzer/query/time/gaps.h"

#include <stdlib.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/queries.h"

/* A time of the file as cycles since the run's start; any number may stand there. */
static int64_t since_start(const struct run *run, int64_t tsc)
{
	int64_t time;

	if (__builtin_sub_overflow(tsc, run->tsc_start, &time))
		return tsc < run->tsc_start ? INT64_MIN : INT64_MAX;
	return time;
}

/* How much of [from, to) is within the vCPU's life and the window. */
static double within(const struct run *run, const struct vcpu_ref *vcpu, int64_t from, int64_t to)
{
	int64_t begin, end;

	run_clip_life(run, vcpu, &begin, &end);
	from = from > begin ? from : begin;
	to = to < end ? to : end;
	return to > from ? (double)to - (double)from : 0;
}

static int add_gaps(struct app *app, sqlite3_stmt *stmt, const struct run *run,
		    const struct vcpu_ref *vcpu, double *cycles)
{
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu->id);
	while ((rc = db_step(app, stmt)) > 0) {
		int64_t from = INT64_MIN, to = INT64_MAX;

		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			from = since_start(run, sqlite3_column_int64(stmt, 0));
		if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
			to = since_start(run, sqlite3_column_int64(stmt, 1));
		*cycles += within(run, vcpu, from, to);
	}
	return rc;
}

/* Takes the exits away with which the gaps begin: what they are is known. */
static int take_exits_before(struct app *app, const struct run *run, double *cycles)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, query_gaps_before))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	while ((rc = db_step(app, stmt)) > 0) {
		const struct vcpu_ref *vcpu = run_find_vcpu(run, sqlite3_column_int64(stmt, 0));
		int64_t from = since_start(run, sqlite3_column_int64(stmt, 1)), to;
		double *left = vcpu ? &cycles[vcpu - run->vcpus] : NULL;

		if (!left)
			continue;
		if (__builtin_add_overflow(from, sqlite3_column_int64(stmt, 2), &to))
			to = INT64_MAX;
		*left -= within(run, vcpu, from, to);
		*left = *left > 0 ? *left : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

int gaps_read(struct app *app, const struct run *run, double **cycles)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	*cycles = NULL;
	if (run->has_raw != RAW_ALL || !run->shown_dropped || !run->n_vcpus)
		return 0;
	*cycles = calloc(run->n_vcpus, sizeof(**cycles));
	if (!*cycles)
		return app_fail(app, "out of memory");

	if (db_prepare(app, &stmt, query_gaps))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++)
		rc = add_gaps(app, stmt, run, &run->vcpus[i], &(*cycles)[i]);
	sqlite3_finalize(stmt);
	return rc ? rc : take_exits_before(app, run, *cycles);
}
