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
 *
 * VERSION 2 wrote histograms of intervals as rows of exit_hist. They stay there: readers know both
 * tables (view interval_histograms), and a file of 100 GB is ready at once. The new version is for
 * older readers, which would take a run without such rows for one without exits.
 *
 * VERSION 3 had no columns for the fields that ABI 2 added to a record. The new columns are the
 * last ones of their tables: rows stay as they are, and what they lack reads as NULL, unknown. An
 * older reader would refuse the new tables.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number)	       #number
#define PRAGMA_VERSION(number) "PRAGMA user_version = " TEXT_OF(number)

/* Creates the tables of schema.sql that the file lacks. */
static int add_tables(struct store *store)
{
	const struct own_definition *table;
	int rc = 0;

	for (size_t i = 0; !rc && (table = own_table(STORE_VERSION, i)); i++) {
		rc = sqlite3_table_column_metadata(store->db, "main", table->name, NULL, NULL, NULL,
						   NULL, NULL, NULL);
		if (rc == SQLITE_ERROR)
			rc = store_exec(store, table->sql);
	}
	return rc;
}

static int replace_definition(struct store *store, int64_t rowid, const char *text)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_replace_definition, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":rowid", rowid);
	store_bind_text(stmt, ":sql", text);
	return store_step_once(stmt);
}

/* Gives @table its present definition. Nothing is done where it has it already. */
static int update_definition(struct store *store, int64_t version, const char *table)
{
	int64_t rowid = 0;
	int rc = schema_find_definition(store->db, own_table_sql(version, table), &rowid);

	if (!rc && rowid)
		rc = replace_definition(store, rowid, own_table_sql(STORE_VERSION, table));
	return rc;
}

/*
 * Gives the tables that have changed their present definitions: version 1 had NOT NULL where a
 * value may be unknown now, and columns were added at their ends. Rows are stored the same way, so
 * only the text is replaced: as fast for 100 GB as for 1 MB, and indexes that others have added
 * stay (sqlite.org/lang_altertable.html, section 7).
 */
static int update_definitions(struct store *store, int64_t version)
{
	static const char *const tables[] = {"run", "exit", "exit_rollup", "exit_rollup_coarse"};
	int rc = 0;

	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);

	for (size_t i = 0; !rc && i < sizeof(tables) / sizeof(*tables); i++)
		rc = update_definition(store, version, tables[i]);

	/* Reads the schema again. */
	if (store_exec(store, "PRAGMA writable_schema = RESET") && !rc)
		rc = SQLITE_ERROR;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return rc;
}

/* Finds the next run after *@run whose coarse sums are wrong. SQLITE_ROW, SQLITE_DONE or an error.
 */
static int find_broken_coarse(struct store *store, int64_t *run)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_find_broken_coarse, &stmt);

	if (rc)
		return rc;
	store_bind_int(stmt, ":run", *run);
	return store_step_value(stmt, run);
}

/* Sums up again what was made from roll-ups that were wrong. */
static int repair_coarse(struct store *store)
{
	int64_t run = INT64_MIN;
	int rc;

	while ((rc = find_broken_coarse(store, &run)) == SQLITE_ROW) {
		rc = store_exec_for_run(store, store_sql_delete_coarse, run, 0);
		if (!rc)
			rc = store_coarse_rollups(store, run);
		if (rc)
			return rc;
	}
	return rc == SQLITE_DONE ? 0 : rc;
}

static int repair_version1(struct store *store)
{
	int rc = store_exec(store, store_sql_repair_version1);

	return rc ? rc : repair_coarse(store);
}

int store_migrate(struct store *store, int64_t version)
{
	int rc = add_tables(store);

	if (!rc && version < STORE_VERSION)
		rc = update_definitions(store, version);
	if (!rc && version < 2)
		rc = repair_version1(store);
	if (!rc && version < STORE_VERSION)
		rc = store_exec(store, PRAGMA_VERSION(SCHEMA_VERSION));
	return rc;
}
