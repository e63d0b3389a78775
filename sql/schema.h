/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schema.h - a run database from elsewhere: is its schema ours?
 *
 * Whoever opens a run database calls schema_harden() first, then schema_check(),
 * and touches nothing but our tables. A reader then calls schema_add_tables(), and
 * schema_add_views() before a statement that reads views.
 * Functions return 0, a result code of SQLite, -errno or one of SCHEMA_*.
 */
#ifndef EXITSCOPE_SQL_SCHEMA_H
#define EXITSCOPE_SQL_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* The PRAGMA user_version of schema.sql; 1 is the oldest. */
#define SCHEMA_VERSION 4

/* The PRAGMA application_id: "exit". */
#define SCHEMA_APPLICATION_ID 0x65786974

/* The file claims to be a run database, but its schema is not safe to use. */
#define SCHEMA_TABLE  1000005 /* a table of ours is missing or defined otherwise */
#define SCHEMA_ACTIVE 1000006 /* there are triggers or virtual tables */
#define SCHEMA_INDEX  1000007 /* an added index may fail or compute expressions */

/*
 * What the file is to be used for.
 * SCHEMA_READ:		our tables, but not the file's views, are read. Tables that
 *			were added since may be missing
 * SCHEMA_UPDATE:	an old file is brought up to date; tables may be missing
 * SCHEMA_WRITE:	our tables are written; all tables and views must be ours
 */
enum schema_use { SCHEMA_READ, SCHEMA_UPDATE, SCHEMA_WRITE };

/*
 * Sets up a new connection for a file from elsewhere (sqlite.org/security.html):
 * no triggers, no views except TEMP ones, no foreign keys, no functions with side
 * effects in the schema, limits on what a value or statement may cost.
 */
int schema_harden(sqlite3 *db);

/*
 * Checks that using our tables of schema @version (1 to SCHEMA_VERSION) runs
 * nothing that others put into the file. Returns 0, SCHEMA_TABLE, SCHEMA_ACTIVE,
 * SCHEMA_INDEX or an error. Before it returns 0 nothing in the file but
 * sqlite_schema may be read.
 */
int schema_check(sqlite3 *db, int64_t version, enum schema_use use);

/*
 * Makes empty TEMP tables in the place of tables that the file lacks because they were added later.
 * Where a file of schema @version has other tables than now, they appear as tables are now.
 * @file: the name of the file's database in @db, "main" or as it was attached.
 */
int schema_add_tables(sqlite3 *db, int64_t version, const char *file);

/*
 * Makes those of our views that statement @sql reads (FROM or JOIN, in capitals) TEMP views, which
 * names without a schema mean first, so that the file's own are not used. @sql NULL: all of them,
 * which takes SQLite longer than a short command takes in all.
 */
int schema_add_views(sqlite3 *db, const char *sql);

/* Whether statement @sql reads a view of ours that schema_add_views() has not made yet. */
bool schema_lacks_view(sqlite3 *db, const char *sql);

/*
 * Opens a database in memory that has our tables and views of schema @version and
 * no rows. To be closed by the caller, after an error too.
 */
int schema_open_own(int64_t version, sqlite3 **own);

/*
 * Finds the row of sqlite_schema whose text is @text, except for comments and
 * space. *@rowid 0: there is none.
 */
int schema_find_definition(sqlite3 *db, const char *text, int64_t *rowid);

#endif
