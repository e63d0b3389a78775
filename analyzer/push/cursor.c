// SPDX-License-Identifier: GPL-2.0-only
/*
 * cursor.c - how much of a recording a server has; see cursor.h
 */
#include "analyzer/push/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/push/statements.h"
#include "sql/schema.h"

/* How soon a locked recording is tried again. */
#define LOCKED_PAUSE_NS INT64_C(50000000)

static int fail(struct app *app, sqlite3 *db)
{
	int rc = sqlite3_errcode(db);

	if (rc == SQLITE_READONLY || rc == SQLITE_CANTOPEN)
		return app_fail(
			app,
			"%s: can't be written, and how much was sent is kept in it (push a copy)",
			app->path);
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return app_fail(app, "%s: another program has locked the database", app->path);
	return app_fail(app, "%s: %s", app->path, sqlite3_errmsg(db));
}

/* Called by SQLite while another program has locked the recording: whether to wait on. */
static int wait_for_lock(void *context, int times)
{
	const struct server_options *options = context;

	(void)times;
	server_sleep(options, LOCKED_PAUSE_NS);
	return !server_stopped(options);
}

/* Sets *@objects to how many things of the file are called push_cursor or belong to it. */
static int count_objects(struct app *app, sqlite3 *db, int *objects)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(
		db,
		"SELECT count(*) FROM sqlite_schema WHERE name = 'push_cursor' OR tbl_name = 'push_cursor'",
		-1, &stmt, NULL);

	if (rc)
		return fail(app, db);
	rc = sqlite3_step(stmt) == SQLITE_ROW ? 0 : fail(app, db);
	if (!rc)
		*objects = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * The table that a file has must be ours, and alone: an index on an expression, or a trigger, of
 * the file would run.
 */
static int check_table(struct app *app, sqlite3 *db)
{
	int64_t rowid = 0;
	int objects = 0;
	int rc = count_objects(app, db, &objects);

	if (rc)
		return rc;
	if (!objects)
		return sqlite3_exec(db, push_sql_cursor_table, NULL, NULL, NULL) ? fail(app, db)
										 : 0;
	if (schema_find_definition(db, push_sql_cursor_table, &rowid))
		return fail(app, db);
	if (!rowid || objects > 1)
		return app_fail(app, "%s: its table push_cursor is not this program's (drop it)",
				app->path);
	return 0;
}

int cursors_open(struct app *app, const struct server_options *options, sqlite3 **db)
{
	int rc = sqlite3_open_v2(app->path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (!rc)
		rc = sqlite3_busy_handler(*db, wait_for_lock, (void *)options);
	if (!rc)
		rc = schema_harden(*db);
	if (rc)
		return fail(app, *db);
	return check_table(app, *db);
}

/* A statement about a server and a run, their numbers ?1 and ?2. */
static int prepare(struct app *app, sqlite3 *db, const char *sql, const char *server, int64_t run,
		   sqlite3_stmt **stmt)
{
	if (sqlite3_prepare_v2(db, sql, -1, stmt, NULL))
		return fail(app, db);
	sqlite3_bind_text(*stmt, 1, server, -1, SQLITE_STATIC);
	sqlite3_bind_int64(*stmt, 2, run);
	return 0;
}

int cursor_read(struct app *app, sqlite3 *db, const char *server, int64_t run,
		struct cursor *cursor)
{
	sqlite3_stmt *stmt;
	int rc;

	cursor->position = cursor->hash = cursor->total = 0;
	if (prepare(app, db,
		    "SELECT position, hash, total FROM push_cursor WHERE server = ?1 AND run = ?2 AND part = ?3",
		    server, run, &stmt))
		return -1;
	sqlite3_bind_text(stmt, 3, cursor->part, -1, SQLITE_STATIC);

	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		cursor->position = sqlite3_column_int64(stmt, 0);
		cursor->hash = sqlite3_column_int64(stmt, 1);
		cursor->total = sqlite3_column_int64(stmt, 2);
	}
	rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : fail(app, db);
	sqlite3_finalize(stmt);
	return rc;
}

static int write_one(sqlite3_stmt *stmt, const struct cursor *cursor)
{
	sqlite3_bind_text(stmt, 3, cursor->part, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, cursor->position);
	sqlite3_bind_int64(stmt, 5, cursor->hash);
	sqlite3_bind_int64(stmt, 6, cursor->total);
	sqlite3_step(stmt);
	return sqlite3_reset(stmt);
}

int cursors_write(struct app *app, sqlite3 *db, const char *server, int64_t run,
		  const struct cursor *cursor, size_t count)
{
	sqlite3_stmt *stmt = NULL;
	int rc = 0;

	if (!count)
		return 0;
	if (prepare(app, db, "INSERT OR REPLACE INTO push_cursor VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		    server, run, &stmt))
		return -1;
	/* IMMEDIATE: waits for the collector at its begin, where waiting is possible. */
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) {
		rc = fail(app, db);
		sqlite3_finalize(stmt);
		return rc;
	}

	for (size_t i = 0; !rc && i < count; i++)
		rc = write_one(stmt, &cursor[i]);
	if (!rc)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc) {
		rc = fail(app, db);
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int cursors_forget(struct app *app, sqlite3 *db, const char *server, int64_t run)
{
	sqlite3_stmt *stmt;
	int rc;

	/* Run 0: the table of reasons. */
	if (prepare(app, db, "DELETE FROM push_cursor WHERE server = ?1 AND run IN (?2, 0)", server,
		    run, &stmt))
		return -1;
	rc = sqlite3_step(stmt) == SQLITE_DONE ? 0 : fail(app, db);
	sqlite3_finalize(stmt);
	return rc;
}

int cursor_servers(struct app *app, sqlite3 *db, int64_t run,
		   void (*see)(void *context, const char *server), void *context)
{
	static const char sql[] =
		"SELECT DISTINCT server FROM push_cursor WHERE run = ?1 ORDER BY server";
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
		return fail(app, db);
	sqlite3_bind_int64(stmt, 1, run);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		see(context, (const char *)sqlite3_column_text(stmt, 0));
	rc = rc == SQLITE_DONE ? 0 : fail(app, db);
	sqlite3_finalize(stmt);
	return rc;
}
