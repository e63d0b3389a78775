// SPDX-License-Identifier: GPL-2.0-only
/*
 * where.c - the filter options as an SQL condition; see where.h
 */
#include "analyzer/query/where.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/query/db.h"

static void put_condition(FILE *file, const struct run *run)
{
	fprintf(file, "e.vcpu IN (");
	for (unsigned int i = 0; i < run->n_vcpus; i++)
		fprintf(file, "%s%" PRId64, i ? "," : "", run->vcpus[i].id);
	fprintf(file, ")");
	if (run->from)
		fprintf(file, " AND e.tsc >= %" PRId64, run->tsc_start + run->from);
	if (run->to != INT64_MAX)
		fprintf(file, " AND e.tsc < %" PRId64, run->tsc_start + run->to);

	if (run->by_rows && run->first_row > INT64_MIN)
		fprintf(file, " AND e.rowid BETWEEN %" PRId64 " AND %" PRId64, run->first_row,
			run->last_row);

	if (run->reasons)
		fprintf(file, " AND %s %sIN (", run->isa == 1 ? "(e.reason & 65535)" : "e.reason",
			run->reasons_excluded ? "NOT " : "");
	for (unsigned int i = 0; i < run->reasons; i++)
		fprintf(file, "%s%" PRId64, i ? "," : "", run->reason[i]);
	if (run->reasons)
		fprintf(file, ")");
}

int where_prepare(struct app *app, const struct run *run, const char *format, sqlite3_stmt **stmt)
{
	char *condition = NULL, *sql = NULL;
	size_t length;
	FILE *file;
	int rc;

	if (run_needs_rows(app, run))
		return -1;
	file = open_memstream(&condition, &length);
	if (!file)
		return app_fail(app, "out of memory");
	put_condition(file, run);
	if (fclose(file)) {
		free(condition);
		return app_fail(app, "out of memory");
	}
	sql = sqlite3_mprintf(format, condition);
	rc = sql ? db_prepare(app, stmt, sql) : app_fail(app, "out of memory");
	sqlite3_free(sql);
	free(condition);
	return rc;
}
