// SPDX-License-Identifier: GPL-2.0-only
/* verify_rows.c - reads table exit once for all vCPUs: it has no index by vCPU */
#include "analyzer/verify/verify_rows.h"

#include <stdlib.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/verify/queries.h"
#include "base/array.h"

static int read_vcpus(struct app *app, struct row_counts *counts)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(
		    app, &stmt,
		    "SELECT c.id, c.vm_id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = ?1 ORDER BY c.id"))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		struct row_count *more =
			array_reserve(counts->vcpu, (size_t)counts->count, 1, sizeof(*more));

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		counts->vcpu = more;
		more[counts->count++] = (struct row_count){
			.id = sqlite3_column_int64(stmt, 0),
			.vm = sqlite3_column_int64(stmt, 1),
		};
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int by_id(const void *a, const void *b)
{
	const struct row_count *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct row_count *find(const struct row_counts *counts, int64_t vcpu)
{
	const struct row_count key = {.id = vcpu};

	if (!counts->count)
		return NULL;
	return bsearch(&key, counts->vcpu, (size_t)counts->count, sizeof(key), by_id);
}

/* Columns of rows.sql. */
enum { R_VCPU, R_TSC, R_CYCLES, R_REASON, R_TIME, R_UNEVEN };

static struct leaf_row leaf_row(struct app *app, sqlite3_stmt *stmt, const struct row_count *vcpu)
{
	int64_t reason = sqlite3_column_int64(stmt, R_REASON);

	return (struct leaf_row){
		.vcpu = vcpu->id,
		.vm = vcpu->vm,
		.tsc = sqlite3_column_int64(stmt, R_TSC),
		.cycles = sqlite3_column_int64(stmt, R_CYCLES),
		.reason = reason_basic(app->run.isa, reason),
		.time_cycles = sqlite3_column_int64(stmt, R_TIME),
	};
}

/* What is done with one row of @vcpu. -1 with the reason in @app. */
static int add_row(struct app *app, sqlite3_stmt *stmt, struct row_count *vcpu,
		   struct intervals *intervals, struct leaves *leaves)
{
	vcpu->n++;
	vcpu->uneven += sqlite3_column_int64(stmt, R_UNEVEN);
	if (intervals_add(intervals, vcpu->id, sqlite3_column_int64(stmt, R_REASON),
			  sqlite3_column_int64(stmt, R_TSC), sqlite3_column_int64(stmt, R_CYCLES)))
		return app_fail(app, "out of memory");
	if (leaves) {
		const struct leaf_row row = leaf_row(app, stmt, vcpu);

		leaves_add(leaves, &row);
	}
	return 0;
}

int row_counts_read(struct app *app, struct row_counts *counts, struct intervals *intervals,
		    struct leaves *leaves)
{
	struct row_count *vcpu = NULL;
	sqlite3_stmt *stmt;
	int rc;

	if (read_vcpus(app, counts) || db_prepare(app, &stmt, verify_sql_rows))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		int64_t id = sqlite3_column_int64(stmt, R_VCPU);

		/* Rows of a vCPU come in batches. */
		if (!vcpu || vcpu->id != id)
			vcpu = find(counts, id);
		if (vcpu && add_row(app, stmt, vcpu, intervals, leaves)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

const struct row_count *row_counts_get(const struct row_counts *counts, int64_t vcpu)
{
	return find(counts, vcpu);
}

void row_counts_free(struct row_counts *counts)
{
	free(counts->vcpu);
}
