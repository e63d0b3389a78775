// SPDX-License-Identifier: GPL-2.0-only
/* verify_rows.c - reads table exit once for all vCPUs: it has no index by vCPU */
#include "analyzer/verify/verify_rows.h"

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/verify/queries.h"

/* Columns of rows.sql. */
enum { R_VCPU, R_TSC, R_CYCLES, R_REASON, R_TIME, R_UNEVEN };

static struct leaf_row leaf_row(struct app *app, sqlite3_stmt *stmt, const struct vcpu_sum *vcpu)
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
static int add_row(struct app *app, sqlite3_stmt *stmt, struct vcpu_sum *vcpu,
		   struct intervals *intervals, struct leaves *leaves)
{
	vcpu->rows++;
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

int rows_read(struct app *app, struct sums *sums, struct intervals *intervals,
	      struct leaves *leaves)
{
	struct vcpu_sum *vcpu = NULL;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_rows))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		int64_t id = sqlite3_column_int64(stmt, R_VCPU);

		/* Rows of a vCPU come in batches. */
		if (!vcpu || vcpu->id != id)
			vcpu = sums_find_vcpu(sums, id);
		if (vcpu && add_row(app, stmt, vcpu, intervals, leaves)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}
