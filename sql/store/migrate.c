// SPDX-License-Identifier: GPL-2.0-only
/*
 * migrate.c - brings a database of an older program up to date
 *
 * Tables that were added since are compatible: readers do without them, so
 * PRAGMA user_version stays. A change that readers must know of needs a new
 * STORE_VERSION and its steps here.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How SQLite stores a definition, whatever was typed. */
#define CREATE "CREATE TABLE "

static int create_if_missing(struct store *store, const char *definition)
{
	char *sql;
	int rc;

	if (strncmp(definition, CREATE, strlen(CREATE)))
		return SQLITE_INTERNAL;
	if (asprintf(&sql, CREATE "IF NOT EXISTS %s", definition + strlen(CREATE)) < 0)
		return -ENOMEM;
	rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	free(sql);
	return rc;
}

int store_add_tables(struct store *store)
{
	sqlite3_stmt *tables = NULL;
	sqlite3 *now = NULL;
	int rc = store_own_schema(&now);

	if (!rc)
		rc = sqlite3_prepare_v2(now, "SELECT sql FROM sqlite_schema WHERE type = 'table'",
					-1, &tables, NULL);
	while (!rc && (rc = sqlite3_step(tables)) == SQLITE_ROW)
		rc = create_if_missing(store, (const char *)sqlite3_column_text(tables, 0));
	sqlite3_finalize(tables);
	sqlite3_close(now);
	return rc == SQLITE_DONE ? 0 : rc;
}
