// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg.c - sums and distributions of exits from roll-ups, or from rows; see agg.h
 */
#include "analyzer/query/sums/agg.h"

#include <errno.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/agg_rows.h"
#include "analyzer/query/sums/hists.h"

bool agg_needs_rows(const struct run *run, enum agg_by by, unsigned int flags)
{
	return run->by_rows || (flags & AGG_EXACT) ||
	       (by != BY_REASON && by != BY_VM && by != BY_VCPU && by != BY_SLOT);
}

/* Whether a vCPU is one that a rate of @group is of. */
static bool is_rate_of(enum agg_by by, const struct group *group, const struct vcpu_ref *vcpu)
{
	if (by == BY_VM)
		return group->key[0] == vcpu->vm;
	return by != BY_VCPU || group->key[0] == vcpu->id;
}

void agg_rate_window(const struct run *run, enum agg_by by, const struct group *group,
		     int64_t *from, int64_t *to)
{
	bool has_lives = by == BY_VM || by == BY_VCPU || run->filter.vm || run->filter.vcpu;
	int64_t begin = INT64_MAX, end = 0;

	*from = run_grid_from(run);
	*to = *from + run_grid_length(run);
	if (!has_lives)
		return;

	for (unsigned int i = 0; i < run->n_vcpus; i++) {
		const struct vcpu_ref *vcpu = &run->vcpus[i];

		if (!is_rate_of(by, group, vcpu))
			continue;
		begin = vcpu->begin < begin ? vcpu->begin : begin;
		end = vcpu->end > end ? vcpu->end : end;
	}
	begin = begin > *from ? begin : *from;
	*from = begin < *to ? begin : *to;
	end = end < *to ? end : *to;
	*to = end > *from ? end : *from;
}

int64_t agg_rate_time(const struct run *run, enum agg_by by, const struct group *group)
{
	int64_t from, to;

	agg_rate_window(run, by, group, &from, &to);
	return to - from;
}

bool agg_has_rate(const struct run *run, enum agg_by by, const struct group *group)
{
	int64_t time = agg_rate_time(run, by, group);
	uint64_t exits = by == BY_VM || by == BY_VCPU
				 ? group_exits(group)
				 : (uint64_t)(run->shown_exits + run->shown_dropped);

	/* Exits around events are no part of a time. */
	if (run->by_rows && run->has_raw == RAW_EVENTS)
		return false;
	return time > 0 && (exits != 1 || time >= run_grid_length(run));
}

int64_t agg_known_rate_time(const struct run *run, enum agg_by by, const struct group *group)
{
	return agg_has_rate(run, by, group) ? agg_rate_time(run, by, group) : 0;
}

/* The intervals of @width cycles that the run's filter takes. */
static int64_t first_slot(const struct run *run, int64_t width)
{
	return run->from ? run_grid_from(run) / width : INT64_MIN;
}

static int64_t last_slot(const struct run *run, int64_t width)
{
	return (run_grid_to(run) - 1) / width;
}

/* Bind vCPU, first and last interval of @width cycles, and what ?4 is. */
static void bind_slots(sqlite3_stmt *stmt, const struct run *run, int64_t vcpu, int64_t width,
		       int other)
{
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, first_slot(run, width));
	sqlite3_bind_int64(stmt, 3, last_slot(run, width));
	sqlite3_bind_int(stmt, 4, other);
}

/* Cycles of an interval of @level of the roll-ups. */
static int64_t level_width(const struct run *run, int level)
{
	return run->rollup_cycles * ((int64_t)1 << (3 * level));
}

void agg_bind_slots(sqlite3_stmt *stmt, const struct run *run, int64_t vcpu, int level)
{
	bind_slots(stmt, run, vcpu, level_width(run, level), level);
}

/*
 * Arguments of take_rollup() below, in its order; of AGG_COUNTS the first R_COUNTS, of AGG_SPLIT
 * the first R_TIMES.
 */
enum {
	R_SLOT,
	R_REASON,
	R_N,
	R_CYCLES,
	R_HALTED,
	R_COUNTS,
	R_USER = R_COUNTS,
	R_PREEMPTED,
	R_POLLED,
	R_TIMES,
	R_MIN = R_TIMES,
	R_MAX,
	R_FASTPATH,
	R_NESTED,
	R_TO_USER,
	R_SYNTH,
	R_FIRST,
	R_LAST,
	R_ARGS
};

#define TAKE_ROLLUP                                                                                \
	"SELECT take_rollup(slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles, min_cycles, max_cycles, n_fastpath, n_nested, n_user, n_synth, first_tsc, last_tsc) "
#define TAKE_TIMES                                                                                 \
	"SELECT take_rollup(slot, reason, n, cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles) "
#define TAKE_COUNTS  "SELECT take_rollup(slot, reason, n, cycles, halted_cycles) "
#define FROM_ROLLUPS "FROM exit_rollup WHERE vcpu = ?1 AND slot BETWEEN ?2 AND ?3 AND ?4 = 0"
#define FROM_COARSE                                                                                \
	"FROM exit_rollup_coarse WHERE vcpu = ?1 AND level = ?4 AND slot BETWEEN ?2 AND ?3"

/* How much of the roll-ups is read. */
enum rollup_sums { SUMS_ALL, SUMS_TIMES, SUMS_COUNTS };

static const int rollup_args[] = {
	[SUMS_ALL] = R_ARGS, [SUMS_TIMES] = R_TIMES, [SUMS_COUNTS] = R_COUNTS};

/* By that, and whether they are coarse. */
static const char *const rollup_sql[][2] = {
	[SUMS_ALL] = {TAKE_ROLLUP FROM_ROLLUPS, TAKE_ROLLUP FROM_COARSE},
	[SUMS_TIMES] = {TAKE_TIMES FROM_ROLLUPS, TAKE_TIMES FROM_COARSE},
	[SUMS_COUNTS] = {TAKE_COUNTS FROM_ROLLUPS, TAKE_COUNTS FROM_COARSE},
};

static const char hist_total_sql[] =
	"SELECT take_bucket(reason, bucket, n) FROM exit_hist_total WHERE vcpu = ?1 AND part = ?4 AND ?2 < ?3";

/* Level of the roll-ups to read. */
static int read_level(const struct run *run, const struct agg_bins *bins)
{
	if (bins)
		return bins->level;
	return run->coarse && run_is_whole(run) ? AGG_LEVELS : 0;
}

/* The group that roll-ups of @reason and @vcpu go to; @begin: of their interval. */
static struct group *rollup_target(struct agg *agg, enum agg_by by, const struct agg_bins *bins,
				   int64_t reason, const struct vcpu_ref *vcpu, int64_t begin)
{
	if (by == BY_SLOT)
		return agg_group(agg, (int64_t[4]){agg_bin(bins, begin), reason});
	if (by == BY_VM)
		return agg_group(agg, (int64_t[4]){vcpu->vm});
	return agg_group(agg, (int64_t[4]){by == BY_VCPU ? vcpu->id : reason});
}

#define MEMOS 64 /* a power of two */

/* The group of roll-ups of @reason and of a bin or vCPU, @at. @place 0: none. */
struct rollup_memo {
	int64_t at;
	int64_t reason;
	uint32_t place; /* of the group in the array, + 1 */
};

/* Where roll-ups go. */
struct rollup_reader {
	const struct run *run;
	const struct vcpu_ref *vcpu;
	enum agg_by by;
	const struct agg_bins *bins;
	int64_t width; /* cycles of an interval */
	struct agg *agg;
	struct rollup_memo memo[MEMOS];
};

static uint64_t unsigned_value(sqlite3_value *value)
{
	return (uint64_t)sqlite3_value_int64(value);
}

static void add_rollup(struct group *to, sqlite3_value **value)
{
	bool has_first = sqlite3_value_type(value[R_FIRST]) != SQLITE_NULL;

	group_add(to, &(struct group){
			      .n = unsigned_value(value[R_N]),
			      .cycles = unsigned_value(value[R_CYCLES]),
			      .halted = unsigned_value(value[R_HALTED]),
			      .userspace = unsigned_value(value[R_USER]),
			      .preempted = unsigned_value(value[R_PREEMPTED]),
			      .polled = unsigned_value(value[R_POLLED]),
			      .min = unsigned_value(value[R_MIN]),
			      .max = unsigned_value(value[R_MAX]),
			      .fastpath = unsigned_value(value[R_FASTPATH]),
			      .nested = unsigned_value(value[R_NESTED]),
			      .to_user = unsigned_value(value[R_TO_USER]),
			      .synthesized = unsigned_value(value[R_SYNTH]),
			      .first = has_first ? sqlite3_value_int64(value[R_FIRST]) : INT64_MIN,
			      .last = sqlite3_value_int64(value[R_LAST]),
		      });
}

static void add_counts(struct group *to, sqlite3_value **value)
{
	to->n += unsigned_value(value[R_N]);
	to->cycles += unsigned_value(value[R_CYCLES]);
	to->halted += unsigned_value(value[R_HALTED]);
}

static void add_times(struct group *to, sqlite3_value **value)
{
	add_counts(to, value);
	to->userspace += unsigned_value(value[R_USER]);
	to->preempted += unsigned_value(value[R_PREEMPTED]);
	to->polled += unsigned_value(value[R_POLLED]);
}

/*
 * The same as rollup_target(). In a bin the same few reasons come again and again, and few words
 * are compared faster than a hash of them is computed.
 */
static struct group *find_rollup_target(struct rollup_reader *reader, int64_t reason, int64_t begin)
{
	struct rollup_memo *memo = &reader->memo[reason & (MEMOS - 1)];
	int64_t at = reader->by == BY_SLOT ? agg_bin(reader->bins, begin) : reader->vcpu->id;
	struct group *to;

	if (memo->place && memo->at == at && memo->reason == reason)
		return &reader->agg->group[memo->place - 1];

	to = rollup_target(reader->agg, reader->by, reader->bins, reason, reader->vcpu, begin);
	if (to)
		*memo = (struct rollup_memo){at, reason, (uint32_t)(to - reader->agg->group) + 1};
	return to;
}

/* An SQL aggregate function (db_add_aggregate()) that takes each roll-up. */
static void take_rollup(sqlite3_context *context, int argc, sqlite3_value **value)
{
	struct rollup_reader *reader = sqlite3_user_data(context);
	int64_t key = reason_key(reader->run->isa, sqlite3_value_int64(value[R_REASON]));
	int64_t begin = run_slot_begin(sqlite3_value_int64(value[R_SLOT]), reader->width);
	struct group *to;

	if (!reason_passes(reader->run, key))
		return;
	to = find_rollup_target(reader, key, begin);
	if (!to)
		sqlite3_result_error_nomem(context);
	else if (argc == R_COUNTS)
		add_counts(to, value);
	else if (argc == R_TIMES)
		add_times(to, value);
	else
		add_rollup(to, value);
}

static int read_rollups(struct app *app, const struct run *run, enum agg_by by,
			const struct agg_bins *bins, enum rollup_sums sums, struct agg *agg)
{
	int args = rollup_args[sums], level = read_level(run, bins), rc;
	struct rollup_reader reader = {
		.run = run,
		.by = by,
		.bins = bins,
		.width = level_width(run, level),
		.agg = agg,
	};
	sqlite3_stmt *stmt = NULL;

	if (db_add_aggregate(app, "take_rollup", args, take_rollup, &reader))
		return -1;

	rc = db_prepare(app, &stmt, rollup_sql[sums][level > 0]);
	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		reader.vcpu = &run->vcpus[i];
		agg_bind_slots(stmt, run, run->vcpus[i].id, level);
		rc = db_step(app, stmt);
	}

	sqlite3_finalize(stmt);
	db_remove_aggregate(app, "take_rollup", args);
	return rc < 0 ? -1 : 0;
}

/* Where buckets go: the last group, as those of an interval and reason come together. */
struct hist_target {
	struct app *app;
	const struct run *run;
	const struct vcpu_ref *vcpu;
	const struct agg_bins *bins;
	struct agg *agg;
	enum agg_by by;

	bool is_known;
	int64_t slot;
	int64_t reason;
	struct group *group; /* NULL: the reason does not pass the filter */
};

static int find_target(struct hist_target *target, int64_t slot, int64_t reason)
{
	int64_t key = reason_key(target->run->isa, reason);

	target->group = NULL;
	if (reason_passes(target->run, key)) {
		target->group =
			rollup_target(target->agg, target->by, target->bins, key, target->vcpu,
				      run_slot_begin(slot, target->run->hist_cycles));
		if (!target->group)
			return app_fail(target->app, "out of memory");
	}
	target->is_known = true;
	target->slot = slot;
	target->reason = reason;
	return 0;
}

static int add_buckets(void *context, const struct hist_buckets *at)
{
	struct hist_target *target = context;
	int rc = 0;

	if (!target->is_known || target->slot != at->slot || target->reason != at->reason) {
		if (find_target(target, at->slot, at->reason))
			return -1;
	}
	if (!target->group)
		return 0;

	for (uint32_t i = 0; !rc && i < at->count; i++) {
		int64_t bucket = at->bucket[i].bucket;

		rc = bucket < 0 || bucket > UINT32_MAX
			     ? -ERANGE
			     : dist_add(&target->group->dist, (uint32_t)bucket, at->bucket[i].n);
	}
	if (rc == -ENOMEM)
		return app_fail(target->app, "out of memory");
	if (rc)
		return app_fail(target->app, "the database is damaged: no such bucket");
	return 0;
}

/* Of intervals. */
static int read_slots(struct hist_target *target, unsigned int parts)
{
	const struct run *run = target->run;
	struct hists hists;
	int rc = hists_open(target->app, &hists);

	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		target->vcpu = &run->vcpus[i];
		target->is_known = false;
		rc = hists_read(&hists, run->vcpus[i].id, first_slot(run, run->hist_cycles),
				last_slot(run, run->hist_cycles), parts, add_buckets, target);
	}
	hists_close(&hists);
	return rc;
}

/* An SQL aggregate function (db_add_aggregate()) that takes a bucket of a whole run. */
static void take_bucket(sqlite3_context *context, int argc, sqlite3_value **value)
{
	struct hist_target *target = sqlite3_user_data(context);
	const struct hist_bucket bucket = {
		.bucket = sqlite3_value_int64(value[1]),
		.n = (uint64_t)sqlite3_value_int64(value[2]),
	};
	const struct hist_buckets at = {
		.reason = sqlite3_value_int64(value[0]),
		.count = 1,
		.bucket = &bucket,
	};

	(void)argc;
	if (add_buckets(target, &at))
		sqlite3_result_error(context, target->app->error, -1);
}

/* Of the whole run. */
static int read_totals(struct hist_target *target, int part)
{
	const struct run *run = target->run;
	struct app *app = target->app;
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (db_add_aggregate(app, "take_bucket", 3, take_bucket, target))
		return -1;

	rc = db_prepare(app, &stmt, hist_total_sql);
	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		target->vcpu = &run->vcpus[i];
		target->is_known = false;
		bind_slots(stmt, run, run->vcpus[i].id, run->hist_cycles, part);
		rc = db_step(app, stmt);
	}

	sqlite3_finalize(stmt);
	db_remove_aggregate(app, "take_bucket", 3);
	return rc < 0 ? -1 : 0;
}

static int read_hist(struct app *app, const struct run *run, enum agg_by by,
		     const struct agg_bins *bins, bool handler, struct agg *agg)
{
	struct hist_target target = {.app = app, .run = run, .bins = bins, .agg = agg, .by = by};

	if (run->coarse && run_is_whole(run) && !bins)
		return read_totals(&target, handler);
	return read_slots(&target, handler ? HISTS_HANDLER : HISTS_CYCLES);
}

int agg_read(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
	     struct agg *agg)
{
	if (agg_needs_rows(run, by, flags)) {
		if (agg_read_rows(app, run, by, flags, NULL, agg))
			return -1;
	} else {
		if (read_rollups(app, run, by, NULL, SUMS_ALL, agg))
			return -1;
		if ((flags & AGG_DIST) && read_hist(app, run, by, NULL, flags & AGG_HANDLER, agg))
			return -1;
	}

	if ((by == BY_REASON || by == BY_VM || by == BY_VCPU) && run_is_whole(run))
		return agg_add_dropped(app, run, by, agg);
	return 0;
}

int agg_read_bins(struct app *app, const struct run *run, const struct agg_bins *bins,
		  unsigned int flags, struct agg *agg)
{
	enum rollup_sums sums = flags & AGG_COUNTS  ? SUMS_COUNTS
				: flags & AGG_SPLIT ? SUMS_TIMES
						    : SUMS_ALL;

	if (run->by_rows || (flags & AGG_EXACT))
		return agg_read_rows(app, run, BY_SLOT, flags & ~AGG_EXACT, bins, agg);
	if (!(flags & AGG_DIST_ONLY) && read_rollups(app, run, BY_SLOT, bins, sums, agg))
		return -1;
	return (flags & (AGG_DIST | AGG_DIST_ONLY)) ? read_hist(app, run, BY_SLOT, bins, false, agg)
						    : 0;
}
