// SPDX-License-Identifier: GPL-2.0-only
/*
 * reach.c - exits that begin in one bin and end in another; see reach.h
 *
 * Exits of one vCPU do not overlap, so at most one of them reaches over the end of a bin, and it is
 * the last one of the last interval that has any.
 */
#include "analyzer/query/time/reach.h"

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/time/queries.h"
#include "analyzer/query/where.h"

/*
 * What the roll-ups of an interval say of its exits. Times are TSC.
 * @first, @last: when its first exit and its last one began
 * @time: sums of the reason that came last
 * @most: its longest exit, in cycles
 * @passes: whether that reason passes the filter
 */
struct interval {
	bool is_there;
	int64_t slot;
	int64_t first, last;
	struct group time;
	uint64_t most;
	bool passes;
};

struct reader {
	const struct run *run;
	reach_see *see;
	void *context;
	struct interval before, now;
};

/* Arguments of take_reach(), as reach_rollups.sql and reach_coarse.sql have them. */
enum { SLOT, REASON, FIRST, LAST, MOST, CYCLES, HALTED, USER, PREEMPTED, POLLED, ARGS };

/* Report the last exit of an interval; @next: when the vCPU's next exit began. */
static void report_last(struct reader *reader, const struct interval *interval, int64_t next)
{
	uint64_t cycles = interval->most;
	struct group exit;

	if (!interval->is_there || !interval->passes || next <= interval->last)
		return;
	if (cycles > (uint64_t)wrap_subtract(next, interval->last))
		cycles = (uint64_t)wrap_subtract(next, interval->last);
	/* Only a forged file says otherwise. */
	if (cycles > interval->time.cycles)
		cycles = interval->time.cycles;

	exit = group_cut(&interval->time, cycles);
	reader->see(reader->context, run_since(reader->run, interval->last), &exit);
}

static uint64_t cycles_of(sqlite3_value *value)
{
	int64_t cycles = sqlite3_value_int64(value);

	return cycles > 0 ? (uint64_t)cycles : 0;
}

static void take_reason(struct reader *reader, sqlite3_value **value)
{
	struct interval *now = &reader->now;
	int64_t last = sqlite3_value_int64(value[LAST]);
	int64_t first = sqlite3_value_type(value[FIRST]) == SQLITE_NULL
				? last
				: sqlite3_value_int64(value[FIRST]);

	if (!now->is_there || first < now->first)
		now->first = first;
	if (now->is_there && last <= now->last)
		return;

	now->last = last;
	now->most = cycles_of(value[MOST]);
	now->time = (struct group){.cycles = cycles_of(value[CYCLES]),
				   .halted = cycles_of(value[HALTED]),
				   .userspace = cycles_of(value[USER]),
				   .preempted = cycles_of(value[PREEMPTED]),
				   .polled = cycles_of(value[POLLED])};
	now->passes = reason_passes(
		reader->run, reason_key(reader->run->isa, sqlite3_value_int64(value[REASON])));
}

/* An SQL aggregate function that takes each roll-up of a vCPU, in the order of intervals. */
static void take_rollup(sqlite3_context *context, int argc, sqlite3_value **value)
{
	struct reader *reader = sqlite3_user_data(context);
	int64_t slot = sqlite3_value_int64(value[SLOT]);

	(void)argc;
	if (reader->now.is_there && reader->now.slot != slot) {
		report_last(reader, &reader->before, reader->now.first);
		reader->before = reader->now;
		reader->now.is_there = false;
	}
	take_reason(reader, value);
	reader->now.is_there = true;
	reader->now.slot = slot;
}

static int read_rollups(struct app *app, const struct run *run, int level, struct reader *reader)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (db_add_aggregate(app, "take_reach", ARGS, take_rollup, reader))
		return -1;

	rc = db_prepare(app, &stmt, level ? query_reach_coarse : query_reach_rollups);
	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		reader->before.is_there = reader->now.is_there = false;
		agg_bind_slots(stmt, run, run->vcpus[i].id, level);
		rc = db_step(app, stmt);

		report_last(reader, &reader->before, reader->now.first);
		report_last(reader, &reader->now, INT64_MAX);
	}

	sqlite3_finalize(stmt);
	db_remove_aggregate(app, "take_reach", ARGS);
	return rc < 0 ? -1 : 0;
}

struct group reach_read_times(sqlite3_stmt *stmt, int i)
{
	uint64_t part[5];

	for (int p = 0; p < 5; p++) {
		int64_t cycles = sqlite3_column_int64(stmt, i + p);

		part[p] = cycles > 0 ? (uint64_t)cycles : 0;
	}
	return (struct group){.cycles = part[0],
			      .halted = part[1],
			      .userspace = part[2],
			      .preempted = part[3],
			      .polled = part[4]};
}

static int read_rows(struct app *app, const struct run *run, const struct agg_bins *bins,
		     struct reader *reader)
{
	static const char sql[] =
		"SELECT e.tsc, e.cycles, e.halted_cycles, e.userspace_cycles, e.preempted_cycles, e.polled_cycles FROM exit e WHERE %s AND ((e.tsc - ?1 + e.cycles) / ?2 > (e.tsc - ?1) / ?2 OR e.tsc + e.cycles > ?3)";
	sqlite3_stmt *stmt;
	int rc;

	if (where_prepare(app, run, sql, &stmt))
		return -1;

	sqlite3_bind_int64(stmt, 1, run->tsc_start + bins->begin);
	sqlite3_bind_int64(stmt, 2, bins->width);
	sqlite3_bind_int64(stmt, 3, run->tsc_start + run_length(run));
	while ((rc = db_step(app, stmt)) > 0) {
		struct group exit = reach_read_times(stmt, 1);

		reader->see(reader->context, run_since(run, sqlite3_column_int64(stmt, 0)), &exit);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int reach_read(struct app *app, const struct run *run, const struct agg_bins *bins, reach_see *see,
	       void *context)
{
	struct reader reader = {.run = run, .see = see, .context = context};

	return run->by_rows ? read_rows(app, run, bins, &reader)
			    : read_rollups(app, run, bins->level, &reader);
}
