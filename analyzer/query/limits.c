// SPDX-License-Identifier: GPL-2.0-only
/* limits.c - reads what a run has not */
#include "analyzer/query/limits.h"

#include "analyzer/query/db.h"
#include "analyzer/query/queries.h"

int limits_read(struct app *app, struct run *run)
{
	sqlite3_stmt *stmt;
	int rc;

	run->events = -1;
	run->kept_rows = -1;
	if (db_prepare(app, &stmt, query_run_limits))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	rc = db_step(app, stmt);
	if (rc > 0) {
		run->no_durations = sqlite3_column_int(stmt, 0) > 0;
		run->dropped_estimated = sqlite3_column_int(stmt, 1) > 0;
		if (sqlite3_column_type(stmt, 2) != SQLITE_NULL)
			run->events = sqlite3_column_int64(stmt, 2);
		if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
			run->kept_rows = sqlite3_column_int64(stmt, 3);
		run->is_counted = sqlite3_column_int(stmt, 4) > 0;
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}
