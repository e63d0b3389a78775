// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify_leaf.c - bounds of what each leaf must have shown, and the alignment; see verify_leaf.h
 */
#include "analyzer/verify/verify_leaf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/verify/leaf_bounds.h"
#include "analyzer/verify/leaf_reading.h"
#include "analyzer/verify/queries.h"
#include "base/array.h"
#include "base/wrap.h"

#define EVERY LEAF_EVERY /* all reasons, or all VMs */

/* Most cells of the table of the alignment; more readings are taken in order. */
#define ALIGN_CELLS (INT64_C(4) << 20)

/* An alignment with one more right value is better than with any number of others. */
#define SCORE_VALUE 4096
#define SCORE_LEAF  1

/* @readings: @reading_count that each have an exit, then @again_count that were there before */
struct leaves {
	struct leaf_reading *readings;
	int reading_count;
	int again_count;
	struct leaf_bounds bounds;
};

static bool is_time(int64_t leaf)
{
	return leaf == LEAF_CYCLES || leaf == LEAF_REASON_CYCLES;
}

static bool is_of_all_reasons(int64_t leaf)
{
	return leaf >= LEAF_CYCLES;
}

static int read_readings(struct app *app, struct leaves *l)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_leaf_readings))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		struct leaf_reading *more =
			array_reserve(l->readings, (size_t)l->reading_count, 1, sizeof(*more));
		int64_t leaf = sqlite3_column_int64(stmt, 0);
		uint64_t high = (uint64_t)sqlite3_column_int64(stmt, 3) << 32;

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		l->readings = more;
		more[l->reading_count++] = (struct leaf_reading){
			.leaf = leaf,
			.reason = is_of_all_reasons(leaf) ? EVERY : sqlite3_column_int64(stmt, 1),
			.value = (int64_t)(high | (uint64_t)sqlite3_column_int64(
							  stmt, is_time(leaf) ? 4 : 2)),
			.undefined = sqlite3_column_int64(stmt, 5) == 0xffffffff,
			.exit = -1,
		};
	}
	sqlite3_finalize(stmt);
	return rc;
}

static void sort_exits(struct leaves *l, int (*compare)(const void *a, const void *b))
{
	array_sort(l->bounds.exits, (size_t)l->bounds.exit_count, sizeof(struct leaf_exit),
		   compare);
}

static int read_exits(struct app *app, struct leaves *l)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_leaf_exits))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	sqlite3_bind_int(stmt, 2, app->run.isa);

	while ((rc = db_step(app, stmt)) > 0) {
		struct leaf_exit *more = array_reserve(
			l->bounds.exits, (size_t)l->bounds.exit_count, 1, sizeof(*more));
		int64_t leaf = sqlite3_column_int64(stmt, 5);

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		l->bounds.exits = more;
		more[l->bounds.exit_count++] = (struct leaf_exit){
			.vcpu = sqlite3_column_int64(stmt, 0),
			.vm = sqlite3_column_int64(stmt, 1),
			.vcpu_id = sqlite3_column_int64(stmt, 2),
			.tsc = sqlite3_column_int64(stmt, 3),
			.end = wrap_add(sqlite3_column_int64(stmt, 3),
					sqlite3_column_int64(stmt, 4)),
			.leaf = leaf,
			.reason = is_of_all_reasons(leaf) ? EVERY : sqlite3_column_int64(stmt, 6),
		};
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_scope(struct app *app, struct leaves *l)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(
		    app, &stmt,
		    "SELECT json_valid(module_parameters) AND json_extract(module_parameters, '$.kvm.leaf_scope') = 'host' FROM run WHERE id = ?1"))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	rc = db_step(app, stmt);
	if (rc > 0)
		l->bounds.host = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

int leaves_open(struct app *app, struct leaves **leaves)
{
	struct leaves *l = calloc(1, sizeof(*l));

	*leaves = NULL;
	if (!l)
		return app_fail(app, "out of memory");

	if (read_readings(app, l))
		goto fail;
	if (!l->reading_count) {
		leaves_close(l);
		return 0;
	}
	if (read_scope(app, l) || read_exits(app, l))
		goto fail;
	if (leaf_bounds_open(&l->bounds)) {
		app_fail(app, "out of memory");
		goto fail;
	}

	*leaves = l;
	return 0;
fail:
	leaves_close(l);
	return -1;
}

void leaves_add(struct leaves *l, const struct leaf_row *row)
{
	leaf_bounds_add(&l->bounds, row);
}

static bool same_leaf(const struct leaf_reading *r, const struct leaf_exit *e)
{
	return r->leaf == e->leaf && r->reason == e->reason;
}

static void bounds(const struct leaf_exit *e, int64_t *low, int64_t *high)
{
	*low = is_time(e->leaf) ? e->cycles_low : e->exits_low;
	*high = is_time(e->leaf) ? e->cycles_high : e->exits_high;
}

static int score(const struct leaf_reading *r, const struct leaf_exit *e)
{
	int64_t low, high;

	if (!same_leaf(r, e))
		return 0;
	bounds(e, &low, &high);
	return r->value >= low && r->value <= high ? SCORE_VALUE + SCORE_LEAF : SCORE_LEAF;
}

static int by_time(const void *a, const void *b)
{
	const struct leaf_exit *x = a, *y = b;

	return (x->tsc > y->tsc) - (x->tsc < y->tsc);
}

static int by_vm(const void *a, const void *b)
{
	const struct leaf_exit *x = a, *y = b;

	return x->vm != y->vm ? (x->vm < y->vm ? -1 : 1) : by_time(a, b);
}

/* The n-th reading is the n-th exit. Whether all leaves are the same then. */
static bool pair_in_order(struct leaves *l)
{
	bool same = l->reading_count == l->bounds.exit_count;

	for (int i = 0; i < l->reading_count; i++) {
		l->readings[i].exit = i < l->bounds.exit_count ? i : -1;
		same = same && same_leaf(&l->readings[i], &l->bounds.exits[i]);
	}
	return same;
}

/*
 * Pairs readings and exits, both in order, so that the score is best: the usual table of the
 * best scores of all beginnings. @choose: also set reading.exit. Returns the score, -1: no memory.
 */
static int64_t pair_best(struct leaves *l, bool choose)
{
	int rows = l->reading_count + 1, columns = l->bounds.exit_count + 1;
	int32_t *best = calloc((size_t)rows * (size_t)columns, sizeof(*best));
	int64_t result;

	if (!best)
		return -1;

	for (int r = 1; r < rows; r++) {
		for (int e = 1; e < columns; e++) {
			int32_t *cell = &best[(int64_t)r * columns + e];
			int pair = score(&l->readings[r - 1], &l->bounds.exits[e - 1]);

			*cell = cell[-1] > cell[-columns] ? cell[-1] : cell[-columns];
			if (pair && cell[-columns - 1] + pair > *cell)
				*cell = cell[-columns - 1] + pair;
		}
	}
	result = best[(int64_t)rows * columns - 1];

	for (int r = rows - 1, e = columns - 1; choose && r > 0;) {
		int32_t *cell = &best[(int64_t)r * columns + e];

		if (e > 0 && *cell == cell[-1]) {
			e--;
		} else if (*cell == cell[-columns]) {
			l->readings[--r].exit = -1;
		} else {
			l->readings[--r].exit = --e;
		}
	}
	free(best);
	return result;
}

/* Finds the exit of each reading: guests may have read one after the other or at once. */
static int align(struct leaves *l)
{
	int64_t in_time, in_vms;

	sort_exits(l, by_time);
	if (pair_in_order(l))
		return 0;
	if ((int64_t)(l->reading_count + 1) * (l->bounds.exit_count + 1) > ALIGN_CELLS)
		return 0;

	in_time = pair_best(l, true);
	sort_exits(l, by_vm);
	in_vms = pair_best(l, false);
	if (in_time < 0 || in_vms < 0)
		return -1;
	if (in_vms > in_time)
		return pair_best(l, true) < 0 ? -1 : 0;
	sort_exits(l, by_time);
	return 0;
}

/* Readings whose exit shows the value that was read. */
static int count_right(const struct leaves *l)
{
	int right = 0;

	for (int i = 0; i < l->reading_count; i++) {
		const struct leaf_reading *r = &l->readings[i];

		if (r->exit >= 0 && score(r, &l->bounds.exits[r->exit]) > SCORE_LEAF)
			right++;
	}
	return right;
}

/* Puts those that were there before behind all others; each part keeps its order. @from: a copy. */
static void part_again(struct leaves *l, const struct leaf_reading *from, int again)
{
	int count = l->reading_count, first = 0, last = count - again;

	for (int i = 0; i < count; i++)
		l->readings[from[i].again ? last++ : first++] = from[i];
	l->reading_count = count - again;
	l->again_count = again;
}

/*
 * As align(), with readings that are there twice: they were imported twice, unless that leaves
 * exits without a reading that would be right for them, those of a VM with the same totals.
 */
static int align_again(struct leaves *l, int again)
{
	int count = l->reading_count, right, kept = 0, rc = align(l);
	struct leaf_reading *all = rc ? NULL : malloc((size_t)count * sizeof(*all));

	if (!all)
		return -1;
	memcpy(all, l->readings, (size_t)count * sizeof(*all));
	right = count_right(l);

	part_again(l, all, again);
	rc = align(l);
	if (!rc && count_right(l) < right) {
		for (int i = 0; i < count; i++)
			if (all[i].again && all[i].exit >= 0) {
				all[i].again = false;
				kept++;
			}
		l->reading_count = count;
		part_again(l, all, again - kept);
		rc = align(l);
	}
	free(all);
	return rc;
}

/* Exits of the VM, or of all, that the recording does not have. -1 with the reason in @app. */
static int64_t count_missing(struct app *app, int64_t vm)
{
	sqlite3_stmt *stmt;
	int64_t missing = -1;

	if (db_prepare(app, &stmt, verify_sql_leaf_missing))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);
	if (vm != EVERY)
		sqlite3_bind_int64(stmt, 2, vm);
	if (db_step(app, stmt) > 0)
		missing = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return missing;
}

/* Fills in what a reading comes to. -1 with the reason in @app. */
static int compare(struct app *app, const struct leaves *l, const struct leaf_reading *r,
		   struct check *c)
{
	const struct leaf_exit *e = r->exit < 0 ? NULL : &l->bounds.exits[r->exit];
	int64_t low = 0, high = 0, missing = 0;
	char why[160], during[48] = "";

	if (r->again) {
		c->right = r->value;
		snprintf(why, sizeof(why), "leaf 0x%" PRIx64 ", imported before",
			 (uint64_t)r->leaf);
		goto explain;
	}
	if (!e || !same_leaf(r, e)) {
		snprintf(why, sizeof(why), "leaf 0x%" PRIx64 ", NO SUCH CPUID EXIT",
			 (uint64_t)r->leaf);
		c->unexplained = 1;
		goto explain;
	}

	c->vm = e->vm;
	c->vcpu = e->vcpu_id;
	bounds(e, &low, &high);
	c->right = low;
	missing = count_missing(app, l->bounds.host ? EVERY : e->vm);
	if (missing < 0)
		return -1;

	if (r->undefined)
		c->unexplained = r->value != 0 || low != 0;
	else if (r->value < low)
		c->unexplained = wrap_subtract(r->value, low);
	else if (r->value > high && !missing)
		c->unexplained = wrap_subtract(r->value, high);

	if (r->value > low && r->value <= high)
		snprintf(during, sizeof(during), ", %" PRId64 " while it was read",
			 wrap_subtract(r->value, low));
	snprintf(why, sizeof(why), "leaf 0x%" PRIx64 "%s%s", (uint64_t)r->leaf,
		 r->undefined ? ", not defined by the SDM" : "", during);
	if (missing && r->value > high)
		snprintf(why + strlen(why), sizeof(why) - strlen(why),
			 ", %" PRId64 " exits are missing in the recording", missing);
explain:
	c->why = strdup(why);
	return c->why ? 0 : app_fail(app, "out of memory");
}

int leaves_check(struct app *app, struct leaves *l, int equation, struct checks *checks)
{
	int again = leaf_readings_find_again(l->readings, l->reading_count, app->run.isa);

	leaf_bounds_sum(&l->bounds);
	if (again < 0 || (again ? align_again(l, again) : align(l)))
		return app_fail(app, "out of memory");

	for (int i = 0; i < l->reading_count + l->again_count; i++) {
		const struct leaf_reading *r = &l->readings[i];
		struct check c = {
			.equation = equation,
			.vm = -1,
			.vcpu = -1,
			.reason = r->reason,
			.left = r->value,
		};

		if (compare(app, l, r, &c) || checks_add(app, checks, &c))
			return -1;
	}
	return 0;
}

void leaves_close(struct leaves *l)
{
	if (!l)
		return;
	free(l->readings);
	leaf_bounds_free(&l->bounds);
	free(l);
}
