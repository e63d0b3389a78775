// SPDX-License-Identifier: GPL-2.0-only
/*
 * migrate.c - brings a database of an older program up to date
 *
 * Tables that were added since are compatible: readers do without them, so
 * PRAGMA user_version stays. A change that readers must know of needs a new
 * STORE_VERSION, the tables as they were (version1.sql), and its steps here.
 *
 * VERSION 1 wrote an empty roll-up (all 0) when its histograms had no room in
 * memory, and added the next exit to it: the shortest time and the first TSC came
 * out as 0. They are computed from the rows again where all of them are there, and
 * become unknown (NULL) where they are not.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/old.h"

/* How SQLite stores a definition, whatever was typed. */
#define CREATE "CREATE TABLE "

static int exec(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

static int create_if_missing(struct store *store, const char *definition)
{
	char *sql;
	int rc;

	if (strncmp(definition, CREATE, strlen(CREATE)))
		return SQLITE_INTERNAL;
	if (asprintf(&sql, CREATE "IF NOT EXISTS %s", definition + strlen(CREATE)) < 0)
		return -ENOMEM;

	rc = exec(store, sql);
	free(sql);
	return rc;
}

/* Creates the tables of schema.sql that the file lacks. */
static int add_tables(struct store *store)
{
	sqlite3_stmt *tables = NULL;
	sqlite3 *now = NULL;
	int rc = schema_open_own(STORE_VERSION, &now);

	if (!rc)
		rc = sqlite3_prepare_v2(now, "SELECT sql FROM sqlite_schema WHERE type = 'table'",
					-1, &tables, NULL);
	while (!rc && (rc = sqlite3_step(tables)) == SQLITE_ROW)
		rc = create_if_missing(store, (const char *)sqlite3_column_text(tables, 0));

	sqlite3_finalize(tables);
	sqlite3_close(now);
	return rc == SQLITE_DONE ? 0 : rc;
}

/* The definition of @table in schema @version; to be freed by the caller. */
static int read_definition(int64_t version, const char *table, char **text)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *own = NULL;
	int rc = schema_open_own(version, &own);

	*text = NULL;
	if (!rc)
		rc = sqlite3_prepare_v2(own, "SELECT sql FROM sqlite_schema WHERE name = ?", -1,
					&stmt, NULL);
	if (!rc)
		rc = sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	if (!rc && sqlite3_step(stmt) == SQLITE_ROW)
		*text = strdup((const char *)sqlite3_column_text(stmt, 0));

	sqlite3_finalize(stmt);
	sqlite3_close(own);
	return rc || *text ? rc : -ENOMEM;
}

static int replace_definition(struct store *store, int64_t rowid, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db,
				    "UPDATE main.sqlite_schema SET sql = ?2 WHERE rowid = ?1", -1,
				    &stmt, NULL);

	if (!rc)
		rc = sqlite3_bind_int64(stmt, 1, rowid);
	if (!rc)
		rc = sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC);
	if (!rc)
		rc = store_step(stmt);

	sqlite3_finalize(stmt);
	return rc;
}

/* Gives @table its present definition. Nothing is done where it has it already. */
static int update_definition(struct store *store, int64_t version, const char *table)
{
	char *old = NULL, *now = NULL;
	int64_t rowid = 0;
	int rc = read_definition(version, table, &old);

	if (!rc)
		rc = read_definition(STORE_VERSION, table, &now);
	if (!rc)
		rc = schema_find_definition(store->db, old, &rowid);
	if (!rc && rowid)
		rc = replace_definition(store, rowid, now);

	free(old);
	free(now);
	return rc;
}

/*
 * Takes NOT NULL away from columns of version 1. Rows are stored the same way, so
 * only the text is replaced: as fast for 100 GB as for 1 MB, and indexes that
 * others have added stay (sqlite.org/lang_altertable.html, section 7).
 */
static int allow_unknown(struct store *store)
{
	int rc = 0;

	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);

	rc = update_definition(store, 1, "exit_rollup");
	if (!rc)
		rc = update_definition(store, 1, "exit_rollup_coarse");

	/* Reads the schema again. */
	if (exec(store, "PRAGMA writable_schema = RESET") && !rc)
		rc = SQLITE_ERROR;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return rc;
}

/* Sums up again what was made from roll-ups that were wrong. */
static int repair_coarse(struct store *store)
{
	static const char find[] =
		"SELECT DISTINCT m.run_id FROM exit_rollup_coarse u JOIN vcpu c ON c.id = u.vcpu"
		" JOIN vm m ON m.id = c.vm_id WHERE u.min_cycles = 0 AND u.first_tsc = 0"
		" AND m.run_id > ? ORDER BY 1 LIMIT 1";
	static const char clear[] = "DELETE FROM exit_rollup_coarse WHERE vcpu IN (SELECT c.id FROM"
				    " vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = ?)";
	sqlite3_stmt *next = NULL, *delete = NULL;
	int rc = sqlite3_prepare_v2(store->db, find, -1, &next, NULL);

	if (!rc)
		rc = sqlite3_prepare_v2(store->db, clear, -1, &delete, NULL);
	if (!rc)
		rc = sqlite3_bind_int64(next, 1, INT64_MIN);

	while (!rc && (rc = sqlite3_step(next)) == SQLITE_ROW) {
		int64_t run = sqlite3_column_int64(next, 0);

		sqlite3_reset(next);
		sqlite3_bind_int64(next, 1, run);
		sqlite3_bind_int64(delete, 1, run);
		rc = store_step(delete);
		if (!rc)
			rc = store_coarse_rollups(store, run);
	}

	sqlite3_finalize(next);
	sqlite3_finalize(delete);
	return rc == SQLITE_DONE ? 0 : rc;
}

static int migrate_1_to_2(struct store *store)
{
	int rc = allow_unknown(store);

	if (!rc)
		rc = exec(store, store_repair1);
	return rc ? rc : repair_coarse(store);
}

int store_migrate(struct store *store, int64_t version)
{
	int rc = add_tables(store);

	if (!rc && version < 2)
		rc = migrate_1_to_2(store);
	if (!rc && version < STORE_VERSION)
		rc = exec(store, "PRAGMA user_version = 2");
	return rc;
}
