// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify.c - compare the two sides of each equation; see verify.h
 */
#include "analyzer/verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/verify/equations.h"
#include "analyzer/verify/verify_intervals.h"
#include "analyzer/verify/verify_leaf.h"
#include "analyzer/verify/verify_life.h"
#include "analyzer/verify/verify_rows.h"
#include "analyzer/verify/verify_steps.h"
#include "analyzer/verify/verify_sums.h"
#include "base/array.h"
#include "sql/hist.h"
#include "sql/hist_text.h"

static int64_t id_or_all(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? -1
		       : sqlite3_column_int64(stmt, column);
}

/* The explanation without the last ", ". */
static char *trimmed(sqlite3_stmt *stmt, int column)
{
	char *text = db_text(stmt, column);
	size_t length = text ? strlen(text) : 0;

	if (length >= 2 && !strcmp(text + length - 2, ", "))
		text[length - 2] = '\0';
	return text;
}

int checks_add(struct app *app, struct checks *checks, const struct check *check)
{
	struct check *more = array_reserve(checks->check, (size_t)checks->count, 1, sizeof(*more));

	if (!more) {
		free(check->why);
		return app_fail(app, "out of memory");
	}

	checks->check = more;
	more[checks->count++] = *check;
	checks->failed += check->unexplained != 0;
	return 0;
}

static int add_row(struct app *app, sqlite3_stmt *stmt, int equation, struct checks *checks)
{
	const struct check check = {
		.equation = equation,
		.vm = id_or_all(stmt, 0),
		.vcpu = id_or_all(stmt, 1),
		.reason = id_or_all(stmt, 2),
		.left = sqlite3_column_int64(stmt, 3),
		.right = sqlite3_column_int64(stmt, 4),
		.unexplained = sqlite3_column_int64(stmt, 5),
		.why = trimmed(stmt, 6),
	};

	if (!check.why)
		return app_fail(app, "out of memory");
	return checks_add(app, checks, &check);
}

static int evaluate(struct app *app, int equation, struct checks *checks)
{
	char *sql = sqlite3_mprintf("%s%s", equation_common, verify_equations[equation].sql);
	sqlite3_stmt *stmt;
	int rc = sql ? db_prepare(app, &stmt, sql) : app_fail(app, "out of memory");

	sqlite3_free(sql);
	if (rc)
		return -1;

	sqlite3_bind_int64(stmt, 1, app->run.id);
	sqlite3_bind_int(stmt, 2, app->run.isa);
	sqlite3_bind_text(stmt, 3, verify_equations[equation].name, -1, SQLITE_STATIC);
	while ((rc = db_step(app, stmt)) > 0) {
		if (add_row(app, stmt, equation, checks)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* SQL function part(n, words): "12 words, ", or "" for 0. */
static void sql_part(sqlite3_context *context, int count, sqlite3_value **values)
{
	int64_t n = sqlite3_value_int64(values[0]);
	char *text;

	(void)count;
	if (!n) {
		sqlite3_result_text(context, "", 0, SQLITE_STATIC);
		return;
	}
	text = sqlite3_mprintf("%lld %s, ", n, sqlite3_value_text(values[1]));
	if (text)
		sqlite3_result_text(context, text, -1, sqlite3_free);
	else
		sqlite3_result_error_nomem(context);
}

/* SQL function bucket_of(cycles): the bucket of exit_hist; NULL of NULL. */
static void sql_bucket_of(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	if (sqlite3_value_type(values[0]) != SQLITE_NULL)
		sqlite3_result_int64(context,
				     hist_bucket((uint64_t)sqlite3_value_int64(values[0])));
}

/*
 * SQL functions lowest_bucket(text) and highest_bucket(text) of a histogram of exit_hist_packed;
 * NULL of an empty one. A tenth of what MIN and MAX over table hist_buckets(text) take.
 */
static void sql_outer_bucket(sqlite3_context *context, bool is_highest, sqlite3_value *value)
{
	const void *text = sqlite3_value_text(value);
	struct hist_text reader;
	uint32_t bucket;
	bool is_empty = true;
	uint64_t n;

	hist_text_begin(&reader, text, text ? (uint32_t)sqlite3_value_bytes(value) : 0);
	while ((is_empty || is_highest) && hist_text_next(&reader, &bucket, &n) > 0)
		is_empty = false;
	if (!is_empty)
		sqlite3_result_int64(context, bucket);
}

static void sql_lowest_bucket(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sql_outer_bucket(context, false, values[0]);
}

static void sql_highest_bucket(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sql_outer_bucket(context, true, values[0]);
}

static const struct {
	const char *name;
	int args;
	void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
} functions[] = {
	{"part", 2, sql_part},
	{"bucket_of", 1, sql_bucket_of},
	{"lowest_bucket", 1, sql_lowest_bucket},
	{"highest_bucket", 1, sql_highest_bucket},
};

#define N_FUNCTIONS (sizeof(functions) / sizeof(*functions))

static int add_functions(struct app *app)
{
	const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_DETERMINISTIC;

	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		if (sqlite3_create_function(app->db, functions[i].name, functions[i].args, flags,
					    NULL, functions[i].call, NULL, NULL))
			return app_fail(app, "%s", sqlite3_errmsg(app->db));
	}
	return 0;
}

static void remove_functions(struct app *app)
{
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		sqlite3_create_function(app->db, functions[i].name, functions[i].args, SQLITE_UTF8,
					NULL, NULL, NULL, NULL);
}

/* What the equations share: one pass over each table. */
struct passes {
	struct sums sums;
	struct life *life;
	struct intervals *intervals;
	struct leaves *leaves;
};

/* One pass over the rows. Unless all were kept, neither their sums nor the leaves are known. */
static int read_rows(struct app *app, struct passes *passes)
{
	struct row_readers to;

	if (app->run.has_raw == RAW_NONE)
		return 0;

	if (life_open(app, &passes->life))
		return -1;
	if (app->run.has_raw == RAW_ALL) {
		passes->intervals = intervals_new(&app->run);
		if (!passes->intervals)
			return app_fail(app, "out of memory");
		if (leaves_open(app, &passes->leaves))
			return -1;
	}

	to = (struct row_readers){
		.sums = &passes->sums,
		.life = passes->life,
		.intervals = passes->intervals,
		.leaves = passes->leaves,
	};
	return rows_read(app, &to);
}

static int read_all(struct app *app, struct passes *passes)
{
	if (sums_read_vcpus(app, &passes->sums) || read_rows(app, passes) ||
	    sums_read_rollups(app, &passes->sums, passes->intervals))
		return -1;
	return sums_read_histograms(app, &passes->sums);
}

static int check_equation(struct app *app, int equation, const struct passes *passes,
			  struct checks *checks)
{
	enum equation_kind kind = verify_equations[equation].kind;

	if (kind == EQUATION_SQL)
		return evaluate(app, equation, checks);
	if (kind == EQUATION_LEAF)
		return passes->leaves ? leaves_check(app, passes->leaves, equation, checks) : 0;
	if (kind == EQUATION_LIFE)
		return passes->life ? life_check(app, passes->life, equation, checks) : 0;
	if (kind == EQUATION_STEPS)
		return steps_check(app, equation, checks);
	return passes->intervals ? intervals_check(app, passes->intervals, kind, equation, checks)
				 : 0;
}

/* All that is read is of one instant, also of a run that goes on. */
static int read_snapshot(struct app *app, struct passes *passes, struct checks *checks)
{
	int rc = read_all(app, passes);

	if (!rc)
		rc = sums_register(app, &passes->sums);
	if (!rc)
		rc = add_functions(app);
	for (int i = 0; !rc && i < verify_equation_count; i++)
		rc = check_equation(app, i, passes, checks);

	remove_functions(app);
	sums_remove(app);
	return rc;
}

int verify_read(struct app *app, struct checks *checks)
{
	struct passes passes = {.life = NULL};
	int rc;

	if (sqlite3_exec(app->db, "BEGIN", NULL, NULL, NULL))
		return app_fail_sql(app);
	rc = read_snapshot(app, &passes, checks);
	sqlite3_exec(app->db, "COMMIT", NULL, NULL, NULL);

	leaves_close(passes.leaves);
	life_close(passes.life);
	intervals_free(passes.intervals);
	sums_free(&passes.sums);
	return rc;
}

void verify_free(struct checks *checks)
{
	for (int i = 0; i < checks->count; i++)
		free(checks->check[i].why);
	free(checks->check);
	memset(checks, 0, sizeof(*checks));
}

struct check_sum verify_sum(const struct checks *checks, int equation)
{
	struct check_sum sum = {0};

	for (int i = 0; i < checks->count; i++) {
		const struct check *c = &checks->check[i];

		if (c->equation != equation)
			continue;
		sum.left += c->left;
		sum.right += c->right;
		sum.count++;
		sum.equal += c->left == c->right && !c->unexplained;
		sum.failed += c->unexplained != 0;
	}
	return sum;
}

const char *verify_verdict(int64_t unexplained, bool equal)
{
	return unexplained ? "UNEXPLAINED" : equal ? "equal" : "explained";
}
