// SPDX-License-Identifier: GPL-2.0-only
/* verify_sums.c - adds up roll-ups and histograms; see verify_sums.h */
#include "analyzer/verify/verify_sums.h"

#include <stdlib.h>

#include "analyzer/query/db.h"
#include "analyzer/query/sums/hists.h"
#include "analyzer/verify/queries.h"
#include "base/array.h"

#define COLUMNS(row) ((int)(sizeof(row) / sizeof(int64_t)))

int sums_read_vcpus(struct app *app, struct sums *sums)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_vcpus))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		struct vcpu_sum *more =
			array_reserve(sums->vcpu, sums->vcpu_count, 1, sizeof(*more));

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		sums->vcpu = more;
		more[sums->vcpu_count++] = (struct vcpu_sum){
			.id = sqlite3_column_int64(stmt, 0),
			.vm = sqlite3_column_int64(stmt, 1),
		};
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int by_id(const void *a, const void *b)
{
	const struct vcpu_sum *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct vcpu_sum *sums_find_vcpu(const struct sums *sums, int64_t id)
{
	const struct vcpu_sum key = {.id = id};

	if (!sums->vcpu_count)
		return NULL;
	return bsearch(&key, sums->vcpu, sums->vcpu_count, sizeof(key), by_id);
}

static bool has_key(const void *items, uint32_t i, const void *key)
{
	const struct rolled_sum *a = (const struct rolled_sum *)items + i, *b = key;

	return a->vcpu == b->vcpu && a->reason == b->reason;
}

static uint32_t *find_place(const struct sums *sums, const struct rolled_sum *key)
{
	uint64_t hash = hash_mix(hash_mix(0, (uint64_t)key->vcpu), (uint64_t)key->reason);

	return hash_place(&sums->hash, hash, has_key, sums->rolled, key);
}

static int grow(struct sums *sums)
{
	struct rolled_sum *more = array_reserve(sums->rolled, sums->rolled_count, 1, sizeof(*more));
	int rc;

	if (!more)
		return -1;
	sums->rolled = more;

	rc = hash_make_room(&sums->hash, sums->rolled_count);
	for (uint32_t i = 0; rc > 0 && i < sums->rolled_count; i++)
		*find_place(sums, &more[i]) = i + 1;
	return rc < 0 ? -1 : 0;
}

/* The sum of a vCPU and reason, made of @first if there is none; NULL without memory. */
static struct rolled_sum *find_or_add(struct sums *sums, const struct rolled_sum *first)
{
	uint32_t found = sums->rolled_count ? *find_place(sums, first) : 0;

	if (found)
		return &sums->rolled[found - 1];
	if (grow(sums))
		return NULL;

	sums->rolled[sums->rolled_count] = (struct rolled_sum){
		.vcpu = first->vcpu,
		.reason = first->reason,
		.least = first->least,
		.most = first->most,
		.first = first->first,
		.last = first->last,
	};
	*find_place(sums, first) = ++sums->rolled_count;
	return &sums->rolled[sums->rolled_count - 1];
}

/* Arguments of take_rollup() in roll_ups.sql. */
enum {
	U_VCPU,
	U_VM,
	U_VCPU_ID,
	U_SLOT,
	U_REASON,
	U_MIN,
	U_MAX,
	U_FIRST,
	U_LAST,
	U_N,
	U_FASTPATH,
	U_NESTED,
	U_USER,
	U_SYNTH,
	U_CYCLES,
	U_HALTED,
	U_USERSPACE,
	U_PREEMPTED,
	U_POLLED,
	U_ARGS,
};

static bool is_known(sqlite3_value *value)
{
	return sqlite3_value_type(value) != SQLITE_NULL;
}

static int64_t known_or_minus_1(sqlite3_value *value)
{
	return is_known(value) ? sqlite3_value_int64(value) : -1;
}

static struct rolled_sum read_rollup(sqlite3_value **value)
{
	return (struct rolled_sum){
		.vcpu = sqlite3_value_int64(value[U_VCPU]),
		.reason = sqlite3_value_int64(value[U_REASON]),
		.n = sqlite3_value_int64(value[U_N]),
		.n_fastpath = sqlite3_value_int64(value[U_FASTPATH]),
		.n_nested = sqlite3_value_int64(value[U_NESTED]),
		.n_user = sqlite3_value_int64(value[U_USER]),
		.n_synth = sqlite3_value_int64(value[U_SYNTH]),
		.cycles = sqlite3_value_int64(value[U_CYCLES]),
		.halted_cycles = sqlite3_value_int64(value[U_HALTED]),
		.userspace_cycles = sqlite3_value_int64(value[U_USERSPACE]),
		.preempted_cycles = sqlite3_value_int64(value[U_PREEMPTED]),
		.polled_cycles = sqlite3_value_int64(value[U_POLLED]),
		.least = known_or_minus_1(value[U_MIN]),
		.most = sqlite3_value_int64(value[U_MAX]),
		.first = known_or_minus_1(value[U_FIRST]),
		.last = sqlite3_value_int64(value[U_LAST]),
	};
}

/* Whether the parts are more than the time. */
static bool is_uneven(const struct rolled_sum *u)
{
	int64_t parts;

	return __builtin_add_overflow(u->halted_cycles, u->userspace_cycles, &parts) ||
	       __builtin_add_overflow(parts, u->preempted_cycles, &parts) || parts > u->cycles ||
	       u->polled_cycles > u->halted_cycles;
}

/* Adds the roll-up @u to @sum. True: a sum does not fit. */
static bool add(struct rolled_sum *sum, const struct rolled_sum *u)
{
	bool overflow = __builtin_add_overflow(sum->n, u->n, &sum->n);

	overflow |= __builtin_add_overflow(sum->n_fastpath, u->n_fastpath, &sum->n_fastpath);
	overflow |= __builtin_add_overflow(sum->n_nested, u->n_nested, &sum->n_nested);
	overflow |= __builtin_add_overflow(sum->n_user, u->n_user, &sum->n_user);
	overflow |= __builtin_add_overflow(sum->n_synth, u->n_synth, &sum->n_synth);
	if (is_uneven(u))
		overflow |= __builtin_add_overflow(sum->uneven, u->n, &sum->uneven);

	overflow |= __builtin_add_overflow(sum->cycles, u->cycles, &sum->cycles);
	overflow |=
		__builtin_add_overflow(sum->halted_cycles, u->halted_cycles, &sum->halted_cycles);
	overflow |= __builtin_add_overflow(sum->userspace_cycles, u->userspace_cycles,
					   &sum->userspace_cycles);
	overflow |= __builtin_add_overflow(sum->preempted_cycles, u->preempted_cycles,
					   &sum->preempted_cycles);
	overflow |=
		__builtin_add_overflow(sum->polled_cycles, u->polled_cycles, &sum->polled_cycles);

	sum->least = u->least < sum->least ? u->least : sum->least;
	sum->most = u->most > sum->most ? u->most : sum->most;
	sum->first = u->first < sum->first ? u->first : sum->first;
	sum->last = u->last > sum->last ? u->last : sum->last;
	return overflow;
}

static int compare(sqlite3_value **value, const struct rolled_sum *u, struct intervals *intervals)
{
	const struct rolled_interval rolled = {
		.vcpu = u->vcpu,
		.vm = sqlite3_value_int64(value[U_VM]),
		.vcpu_id = sqlite3_value_int64(value[U_VCPU_ID]),
		.slot = sqlite3_value_int64(value[U_SLOT]),
		.reason = u->reason,
		.value = {u->least, u->most, u->first, u->last},
		/* Unknown in files that version 1 of the schema damaged. */
		.unknown = {!is_known(value[U_MIN]), false, !is_known(value[U_FIRST]), false},
	};

	return intervals_compare(intervals, &rolled);
}

struct rollup_pass {
	struct sums *sums;
	struct intervals *intervals; /* NULL: not compared */
};

/* An SQL aggregate function (db_add_aggregate()) that takes each roll-up. */
static void take_rollup(sqlite3_context *context, int args, sqlite3_value **value)
{
	const struct rollup_pass *pass = sqlite3_user_data(context);
	struct rolled_sum u = read_rollup(value);
	struct rolled_sum *sum = find_or_add(pass->sums, &u);

	(void)args;
	if (!sum || (pass->intervals && compare(value, &u, pass->intervals)))
		sqlite3_result_error_nomem(context);
	else if (add(sum, &u))
		sqlite3_result_error(
			context,
			"roll-ups add up to more than 64 bits (was it changed by another program?)",
			-1);
}

int sums_read_rollups(struct app *app, struct sums *sums, struct intervals *intervals)
{
	struct rollup_pass pass = {.sums = sums, .intervals = intervals};
	const struct db_pass roll_ups = {
		.name = "take_rollup",
		.args = U_ARGS,
		.take = take_rollup,
		.context = &pass,
		.sql = verify_sql_roll_ups,
		.value = &app->run.id,
		.values = 1,
	};

	return db_run_pass(app, &roll_ups);
}

/* The exits @n of a bucket in a checksum. It may overflow: both sides do so alike. */
static uint64_t weigh(int64_t reason, int part, int64_t bucket, uint64_t n)
{
	return n * ((uint64_t)bucket + 1) * (2 * ((uint64_t)reason & 0xff) + (uint64_t)part + 1);
}

static void add_wrapping(int64_t *sum, uint64_t more)
{
	*sum = (int64_t)((uint64_t)*sum + more);
}

static int add_buckets(void *context, const struct hist_buckets *at)
{
	struct vcpu_sum *vcpu = context;

	for (uint32_t i = 0; i < at->count; i++) {
		const struct hist_bucket *b = &at->bucket[i];

		add_wrapping(&vcpu->hist_checksum, weigh(at->reason, at->part, b->bucket, b->n));
		if (at->part == 0)
			add_wrapping(&vcpu->hist_n, b->n);
	}
	return 0;
}

static int read_intervals(struct app *app, struct sums *sums)
{
	struct hists hists;
	int rc = hists_open(app, &hists);

	for (size_t i = 0; i < sums->vcpu_count && !rc; i++)
		rc = hists_read(&hists, sums->vcpu[i].id, INT64_MIN, INT64_MAX,
				HISTS_CYCLES | HISTS_HANDLER, add_buckets, &sums->vcpu[i]);
	hists_close(&hists);
	return rc;
}

static int read_totals(struct app *app, struct sums *sums)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(app, &stmt, verify_sql_hist_total))
		return -1;
	for (size_t i = 0; i < sums->vcpu_count && rc >= 0; i++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, sums->vcpu[i].id);
		while ((rc = db_step(app, stmt)) > 0)
			add_wrapping(&sums->vcpu[i].total_checksum,
				     weigh(sqlite3_column_int64(stmt, 0),
					   sqlite3_column_int(stmt, 1),
					   sqlite3_column_int64(stmt, 2),
					   (uint64_t)sqlite3_column_int64(stmt, 3)));
	}
	sqlite3_finalize(stmt);
	return rc;
}

int sums_read_histograms(struct app *app, struct sums *sums)
{
	return read_intervals(app, sums) || read_totals(app, sums) ? -1 : 0;
}

int sums_register(struct app *app, struct sums *sums)
{
	sums->vcpus = (struct int_table){
		.declaration =
			"CREATE TABLE x (vcpu, vm, rows, uneven, hist_n, hist_checksum, total_checksum)",
		.value = (const int64_t *)sums->vcpu,
		.rows = sums->vcpu_count,
		.columns = COLUMNS(struct vcpu_sum),
	};
	sums->rolleds = (struct int_table){
		.declaration =
			"CREATE TABLE x (vcpu, reason, n, n_fastpath, n_nested, n_user, n_synth, uneven, cycles, halted_cycles, userspace_cycles, preempted_cycles, polled_cycles, least, most, first, last)",
		.value = (const int64_t *)sums->rolled,
		.rows = sums->rolled_count,
		.columns = COLUMNS(struct rolled_sum),
	};

	if (int_table_register(app->db, "vcpu_sums", &sums->vcpus) ||
	    int_table_register(app->db, "rolled_sums", &sums->rolleds))
		return app_fail_sql(app);
	return 0;
}

void sums_remove(struct app *app)
{
	int_table_remove(app->db, "vcpu_sums");
	int_table_remove(app->db, "rolled_sums");
}

void sums_free(struct sums *sums)
{
	free(sums->vcpu);
	free(sums->rolled);
	hash_free(&sums->hash);
}
