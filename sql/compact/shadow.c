// SPDX-License-Identifier: GPL-2.0-only
/* shadow.c - TEMP table exit in the place of a file's, where it has chunks; see exit_rows.h */
#ifdef EXITSCOPE_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#endif

#include <stddef.h>

#include "sql/compact/exit_rows.h"

static int find_chunks(sqlite3 *db, const char *schema, bool *has)
{
	char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\".exit_chunk LIMIT 1", schema);
	sqlite3_stmt *stmt = NULL;
	int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	if (!rc)
		rc = sqlite3_step(stmt);
	*has = rc == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int exit_rows_shadow(sqlite3 *db, const char *schema, bool *has_chunks)
{
	bool has = false;
	char *sql;
	int rc;

	/* A file of an older version has no such table. */
	rc = sqlite3_table_column_metadata(db, schema, "exit_chunk", NULL, NULL, NULL, NULL, NULL,
					   NULL);
	rc = rc ? SQLITE_OK : find_chunks(db, schema, &has);

	if (has_chunks)
		*has_chunks = has;
	if (rc || !has)
		return rc;

	sql = sqlite3_mprintf("CREATE VIRTUAL TABLE temp.exit USING exit_rows(%s)", schema);
	rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return rc;
}
