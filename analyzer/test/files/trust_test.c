// SPDX-License-Identifier: GPL-2.0-only
/*
 * trust_test.c - what SQLite refuses on a connection to a file from elsewhere
 *
 * trust_test DATABASE: schema_check() comes first, and our own commands run no text of the file. So
 * no file shows whether the layers after it are there: schema_harden(), and the authorizer of
 * db_open(). Here statements that a fault of ours could let through are given to each of them
 * alone. hostile_test.py has the one way that is left: a view of the file, named in analyzer sql.
 */
#include <stdbool.h>
#include <string.h>

#include "analyzer/query/app.h"
#include "analyzer/query/db.h"
#include "sql/schema.h"
#include "sql/test/check.h"

/* @sql gives one row with the number @value; or, with @error, an error whose text has it. */
struct attempt {
	const char *sql;
	int value;
	const char *error;
};

static void try(sqlite3 *db, const struct attempt *attempt)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, attempt->sql, -1, &stmt, NULL);
	bool as_expected;

	if (!rc)
		rc = sqlite3_step(stmt);
	if (attempt->error)
		as_expected = rc != SQLITE_ROW && rc != SQLITE_DONE &&
			      strstr(sqlite3_errmsg(db), attempt->error);
	else
		as_expected = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) == attempt->value;

	if (!as_expected) {
		fprintf(stderr, "%s: %d: %s\n", attempt->sql, rc, sqlite3_errmsg(db));
		check_failures++;
	}
	sqlite3_finalize(stmt);
}

/* A function that does more than compute, for all that SQLite knows of it. */
static void effect(sqlite3_context *context, int n, sqlite3_value **value)
{
	(void)n, (void)value;
	sqlite3_result_int(context, 1);
}

/* schema_harden() alone, on a connection that may write. */
static void test_hardened(void)
{
	static const char schema[] =
		"CREATE TABLE t (x);"
		"CREATE TABLE fired (x);"
		"CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO fired VALUES (1); END;"
		"CREATE VIEW v AS SELECT 1;"
		"CREATE TABLE unsafe (x DEFAULT (effect()))";
	static const struct attempt attempts[] = {
		{"INSERT INTO t VALUES (1) RETURNING x", 1, NULL},
		{"SELECT count(*) FROM fired", 0, NULL},
		{"SELECT * FROM v", 0, "access to view \"v\" prohibited"},
		{"INSERT INTO unsafe DEFAULT VALUES", 0, "unsafe use of effect()"},
		{"UPDATE sqlite_schema SET sql = ''", 0, "may not be modified"},
		{"SELECT length(zeroblob(16 << 20))", 16 << 20, NULL},
		{"SELECT length(zeroblob((16 << 20) + 1))", 0, "too big"},
		{"SELECT cell_size_check FROM pragma_cell_size_check", 1, NULL},
	};
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open(":memory:", &db), 0);
	CHECK_EQ(sqlite3_create_function(db, "effect", 0, SQLITE_UTF8, NULL, effect, NULL, NULL),
		 0);
	CHECK_EQ(sqlite3_exec(db, schema, NULL, NULL, NULL), 0);
	CHECK_EQ(schema_harden(db), 0);
	CHECK_EQ(sqlite3_exec(db, "PRAGMA writable_schema = ON", NULL, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		try(db, &attempts[i]);
	sqlite3_close(db);
}

/* A database that a command has opened. */
static void test_opened(const char *path)
{
	/* The file's view; that of the program is made by the first statement that reads it. */
	static const struct attempt before = {"SELECT * FROM exits", 0, "prohibited"};
	static const struct attempt attempts[] = {
		{"SELECT count(*) > 0 FROM exits", 1, NULL},
		{"SELECT count(*) FROM json_tree('[1]')", 2, NULL},
		{"DELETE FROM run", 0, "not authorized"},
		{"ATTACH ':memory:' AS a", 0, "not authorized"},
		{"DETACH main", 0, "not authorized"},
		{"PRAGMA trusted_schema = ON", 0, "not authorized"},
		{"CREATE TEMP TABLE t (x)", 0, "not authorized"},
		{"DROP VIEW temp.exits", 0, "not authorized"},
		{"SELECT load_extension('x') WHERE 0", 0, "not authorized"},
	};
	struct app app = {0};
	sqlite3_stmt *stmt;

	CHECK_EQ(db_open(&app, path, &app.db), 0);
	if (!app.db)
		return;

	try(app.db, &before);
	CHECK_EQ(db_prepare(&app, &stmt, attempts[0].sql), 0);
	sqlite3_finalize(stmt);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		try(app.db, &attempts[i]);
	sqlite3_close(app.db);
}

int main(int argc, char **argv)
{
	CHECK_EQ(argc, 2);
	test_hardened();
	test_opened(argv[1]);
	return check_result();
}
