// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_sql.c - rows of a query as a table
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/output/out.h"
#include "analyzer/query/db.h"

void out_sql_value(struct out *out, sqlite3_stmt *stmt, int i)
{
	const unsigned char *blob;
	char hex[129] = "";

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		out_int(out, sqlite3_column_int64(stmt, i));
		break;
	case SQLITE_FLOAT:
		out_real(out, sqlite3_column_double(stmt, i));
		break;
	case SQLITE_NULL:
		out_none(out);
		break;
	case SQLITE_BLOB:
		blob = sqlite3_column_blob(stmt, i);
		for (int b = 0; b < sqlite3_column_bytes(stmt, i) && b < 64; b++)
			sprintf(hex + 2 * b, "%02x", blob[b]);
		out_text(out, hex);
		break;
	default:
		out_text(out, (const char *)sqlite3_column_text(stmt, i));
	}
}

static enum out_type column_type(sqlite3_stmt *stmt, int i, bool row)
{
	switch (row ? sqlite3_column_type(stmt, i) : SQLITE_TEXT) {
	case SQLITE_INTEGER:
		return OUT_ID;
	case SQLITE_FLOAT:
		return OUT_NUMBER;
	default:
		return OUT_TEXT;
	}
}

int out_sql_rows(struct out *out, struct app *app, const char *name, sqlite3_stmt *stmt)
{
	int columns = sqlite3_column_count(stmt), rc = db_step(app, stmt);
	struct out_column *column;

	if (rc < 0 || !columns)
		return rc;
	column = calloc((size_t)columns, sizeof(*column));
	if (!column)
		return app_fail(app, "out of memory");

	for (int i = 0; i < columns; i++)
		column[i] = (struct out_column){sqlite3_column_name(stmt, i),
						sqlite3_column_name(stmt, i),
						column_type(stmt, i, rc > 0), 0};

	out_table(out, name, column, columns);
	for (; rc > 0; rc = db_step(app, stmt))
		for (int i = 0; i < columns; i++)
			out_sql_value(out, stmt, i);
	if (!rc)
		out_table_end(out);
	free(column);
	return rc;
}
