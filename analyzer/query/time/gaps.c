// SPDX-License-Identifier: GPL-2.0-only
/*
 * gaps.c - the time of which nothing is known; see gaps.h
 */
#include "analyzer/query/time/gaps.h"

#include <math.h>
#include <stdlib.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/queries.h"

/* What is told the times of a gap, or with @sign -1 of the exit that it begins with. */
typedef void gap_seen(void *context, const struct vcpu_ref *vcpu, int64_t from, int64_t to,
		      int sign);

struct walk {
	struct app *app;
	const struct run *run;
	gap_seen *see;
	void *context;
};

/* Cut to the vCPU's life and the window. */
static void see(const struct walk *walk, const struct vcpu_ref *vcpu, int64_t from, int64_t to,
		int sign)
{
	int64_t begin, end;

	run_clip_life(walk->run, vcpu, &begin, &end);
	from = from > begin ? from : begin;
	to = to < end ? to : end;
	if (to > from)
		walk->see(walk->context, vcpu, from, to, sign);
}

static int see_gaps(const struct walk *walk, sqlite3_stmt *stmt, const struct vcpu_ref *vcpu)
{
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu->id);
	while ((rc = db_step(walk->app, stmt)) > 0) {
		int64_t from = INT64_MIN, to = INT64_MAX;

		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			from = run_since(walk->run, sqlite3_column_int64(stmt, 0));
		if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
			to = run_since(walk->run, sqlite3_column_int64(stmt, 1));
		see(walk, vcpu, from, to, 1);
	}
	return rc;
}

/* The exits with which the gaps begin: what they are is known. */
static int see_exits_before(const struct walk *walk)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(walk->app, &stmt, query_gaps_before))
		return -1;
	sqlite3_bind_int64(stmt, 1, walk->run->id);
	while ((rc = db_step(walk->app, stmt)) > 0) {
		const struct vcpu_ref *vcpu =
			run_find_vcpu(walk->run, sqlite3_column_int64(stmt, 0));
		int64_t from = run_since(walk->run, sqlite3_column_int64(stmt, 1));

		if (vcpu)
			see(walk, vcpu, from, wrap_add(from, sqlite3_column_int64(stmt, 2)), -1);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int each_gap(const struct walk *walk)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(walk->app, &stmt, query_gaps))
		return -1;
	for (unsigned int i = 0; i < walk->run->n_vcpus && !rc; i++)
		rc = see_gaps(walk, stmt, &walk->run->vcpus[i]);
	sqlite3_finalize(stmt);
	return rc ? rc : see_exits_before(walk);
}

/* Whether gaps have known ends: an exit that was recorded has its row. */
static bool has_gaps(const struct run *run)
{
	return run->has_raw == RAW_ALL && run->shown_dropped && run->n_vcpus;
}

struct per_vcpu {
	const struct run *run;
	double *cycles;
};

static void add_to_vcpu(void *context, const struct vcpu_ref *vcpu, int64_t from, int64_t to,
			int sign)
{
	const struct per_vcpu *sums = context;
	double *cycles = &sums->cycles[vcpu - sums->run->vcpus];

	*cycles = fmax(*cycles + sign * ((double)to - (double)from), 0);
}

int gaps_read(struct app *app, const struct run *run, double **cycles)
{
	struct per_vcpu sums = {.run = run};

	*cycles = NULL;
	if (!has_gaps(run))
		return 0;
	*cycles = sums.cycles = calloc(run->n_vcpus, sizeof(**cycles));
	if (!*cycles)
		return app_fail(app, "out of memory");
	return each_gap(&(struct walk){app, run, add_to_vcpu, &sums});
}

static void add_to_bins(void *context, const struct vcpu_ref *vcpu, int64_t from, int64_t to,
			int sign)
{
	const struct gap_bins *bins = context;
	int64_t first = (from - bins->begin) / bins->width,
		last = (to - 1 - bins->begin) / bins->width;

	(void)vcpu;
	for (int64_t bin = first > 0 ? first : 0; bin <= last && bin < bins->count; bin++) {
		int64_t begin = bins->begin + bin * bins->width, end = begin + bins->width;
		double part = (double)(to < end ? to : end) - (double)(from > begin ? from : begin);

		bins->cycles[bin] = fmax(bins->cycles[bin] + sign * part, 0);
	}
}

int gaps_read_bins(struct app *app, const struct run *run, struct gap_bins *bins)
{
	bins->cycles = NULL;
	if (!has_gaps(run))
		return 0;
	bins->cycles = calloc((size_t)bins->count, sizeof(*bins->cycles));
	if (!bins->cycles)
		return app_fail(app, "out of memory");
	return each_gap(&(struct walk){app, run, add_to_bins, bins});
}
