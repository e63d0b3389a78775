// SPDX-License-Identifier: GPL-2.0-only
/* own_test - the definitions of own.h are those that SQLite has after it ran the .sql files */
#include "sql/own.h"

#include <stdbool.h>
#include <string.h>

#include "sql/test/check.h"
#include "sql/text.h"

/* What SQLite stores of @kind ("table" or "view") @name; NULL: nothing. */
static const char *stored(sqlite3 *db, const char *kind, const char *name, sqlite3_stmt **stmt)
{
	static const char sql[] = "SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?";

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(*stmt, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(*stmt, 2, name, -1, SQLITE_STATIC);
	return sqlite3_step(*stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(*stmt, 0)
						 : NULL;
}

static int count(sqlite3 *db, const char *kind)
{
	static const char sql[] = "SELECT count(*) FROM sqlite_schema WHERE type = ?";
	sqlite3_stmt *stmt;
	int n;

	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_text(stmt, 1, kind, -1, SQLITE_STATIC);
	CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static void check_one(sqlite3 *db, const char *kind, const struct own_definition *own)
{
	sqlite3_stmt *stmt;
	const char *text = stored(db, kind, own->name, &stmt);

	if (!text || strcmp(text, own->sql)) {
		fprintf(stderr, "%s %s: SQLite has %s\n", kind, own->name, text ? text : "none");
		check_failures++;
	}
	sqlite3_finalize(stmt);
}

static void check_version(int64_t version, const char *sql, const char *changes)
{
	const struct own_definition *own;
	sqlite3 *db;
	int tables = 0, views = 0;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, changes, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, sql_views, NULL, NULL, NULL), SQLITE_OK);

	for (; (own = own_table(version, (size_t)tables)); tables++) {
		check_one(db, "table", own);
		CHECK(!strcmp(own_table_sql(version, own->name), own->sql));
	}
	CHECK_EQ(tables, count(db, "table"));
	for (; (own = own_view((size_t)views)); views++)
		check_one(db, "view", own);
	CHECK_EQ(views, count(db, "view"));

	CHECK(!own_table_sql(version, "runs"));
	sqlite3_close(db);
}

int main(void)
{
	check_version(1, sql_version3, sql_version1);
	check_version(2, sql_version3, "");
	check_version(3, sql_version3, "");
	check_version(4, sql_schema, "");
	return check_result();
}
