// SPDX-License-Identifier: GPL-2.0-only
/* store.c - opens, creates and closes run databases */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The number that a query of one row and column gives. */
static int query_int(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, sql, &stmt);

	if (rc)
		return rc;

	rc = store_step_value(stmt, value);
	if (rc == SQLITE_DONE)
		return SQLITE_CORRUPT;
	return rc == SQLITE_ROW ? 0 : rc;
}

/*
 * The tables, the meanings of the exit reasons and the views of this program, in
 * one transaction: a killed writer changes nothing. @version: of the file; 0: new.
 */
static int write_schema(struct store *store, int64_t version)
{
	int rc = store_exec(store, "BEGIN IMMEDIATE");

	/* Both in one transaction: what is checked is what is written to. */
	if (!rc && version)
		rc = schema_check(store->db, version, SCHEMA_UPDATE);
	if (!rc)
		rc = version ? store_migrate(store, version) : store_exec(store, sql_schema);
	if (!rc)
		rc = store_exec(store, sql_exit_reason);
	if (!rc)
		rc = store_exec(store, sql_views);
	if (!rc && version)
		rc = schema_check(store->db, STORE_VERSION, SCHEMA_WRITE);
	if (!rc)
		rc = store_exec(store, "COMMIT");

	if (rc)
		store_rollback(store);
	/* Our own text is sound, so something in the file has a name of ours. */
	return rc == SQLITE_ERROR ? STORE_TABLE : rc;
}

/* Checks whose file it is, and gives it the schema of this version. */
static int check_version(struct store *store)
{
	int64_t id;
	int64_t version;
	int64_t objects;
	int rc = query_int(store, "PRAGMA application_id", &id);

	if (!rc)
		rc = query_int(store, "PRAGMA user_version", &version);
	if (!rc)
		rc = query_int(store, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc == SQLITE_NOTADB)
		return STORE_FOREIGN;
	if (rc)
		return rc;

	if (!id && !objects)
		return write_schema(store, 0);
	if (id != SCHEMA_APPLICATION_ID || version < 1)
		return STORE_FOREIGN;
	if (version > STORE_VERSION)
		return STORE_FUTURE;
	return write_schema(store, version);
}

static void keep_log(struct store *store, bool keep)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

static int open_database(struct store *store)
{
	int rc = sqlite3_open_v2(store->path, &store->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc)
		return rc;
	rc = schema_harden(store->db);
	if (rc)
		return rc;
	sqlite3_extended_result_codes(store->db, 0);
	sqlite3_busy_timeout(store->db, 5000);

	/* A file that is refused stays as it is. */
	keep_log(store, true);
	rc = check_version(store);
	if (rc)
		return rc;
	keep_log(store, false);

	/*
	 * Foreign keys stay off, as schema_harden() has set them: references are right by
	 * construction (ids come from our own INSERTs), and checking them costs a cursor per row,
	 * a quarter of the time.
	 */
	rc = store_exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");

	/* We hold the lock: whoever was still recording is dead. */
	return rc ? rc : store_exec(store, store_sql_interrupt_runs);
}

/* Opens the file @store->path and makes ready what a run needs. */
static int open_store(struct store *store)
{
	int rc = store_claim_file(store);

	if (!rc)
		rc = open_database(store);
	if (!rc)
		rc = store_rows_init(store);
	if (!rc)
		rc = store_sum_init(store);
	return rc ? rc : store_statements_prepare(store);
}

int store_open(const char *path, struct store **result)
{
	struct store *store = calloc(1, sizeof(*store));
	int rc;

	*result = NULL;
	if (!store)
		return -ENOMEM;

	store->lock_fd = -1;
	/* No name has a special meaning to SQLite when a folder comes first. */
	if (asprintf(&store->path, "%s%s", *path == '/' ? "" : "./", path) < 0) {
		free(store);
		return -ENOMEM;
	}

	rc = open_store(store);
	if (rc) {
		rc = store_cause(store, rc);
		store->restore = store->empty;
		store_close(store);
		return rc;
	}
	*result = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;

	store_statements_finalize(store);
	sqlite3_close(store->db);
	store_rows_free(store);
	store_chunks_free(store);
	store_sum_free(store);

	if (store->restore)
		store_restore_file(store);
	/* Last: closing any descriptor of the file drops SQLite's own locks. */
	if (store->lock_fd >= 0)
		close(store->lock_fd);

	free(store->vcpus);
	free(store->found);
	free(store->path);
	free(store);
}
