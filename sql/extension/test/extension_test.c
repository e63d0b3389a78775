// SPDX-License-Identifier: GPL-2.0-only
/*
 * extension_test.c EXTENSION - the loadable extension on databases that others made
 *
 * Other programs load it, so nothing but the extension itself stands between the file and them.
 */
#include <string.h>
#include <unistd.h>

#include "sql/test/check.h"

static const char *extension;

/* A connection to a fresh database that @sql made, with the functions; NULL: it failed. */
static sqlite3 *open_made(const char *sql)
{
	const char *path = test_path("made.sqlite");
	sqlite3 *db = NULL;
	char *error = NULL;

	unlink(path);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL), SQLITE_OK);
	if (sqlite3_load_extension(db, extension, "sqlite3_extension_init", &error) ||
	    sqlite3_exec(db, sql, NULL, NULL, &error)) {
		fprintf(stderr, "%s: %s\n", sql, error);
		check_failures++;
	}
	sqlite3_free(error);
	return db;
}

/* What @query says on that database: the text of the first column, or the error. */
static void says(const char *sql, const char *query, int rc, const char *words)
{
	sqlite3 *db = open_made(sql);
	sqlite3_stmt *stmt = NULL;
	const char *text;
	int got = sqlite3_prepare_v2(db, query, -1, &stmt, NULL);

	if (!got)
		got = sqlite3_step(stmt);
	text = got == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : sqlite3_errmsg(db);
	if (got != rc || !strstr(text ? text : "NULL", words)) {
		fprintf(stderr, "%s: %d, %s; not %d, %s\n", query, got, text, rc, words);
		check_failures++;
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

#define REASONS "CREATE VIEW reasons AS SELECT 1 AS isa, 30 AS number, "

/* reason_name() reads the view reasons, which may be anybody's. */
static void test_reasons_of_others(void)
{
	static const char query[] = "SELECT reason_name(30)";

	says(REASONS "'IO' AS name", query, SQLITE_ROW, "IO");
	says(REASONS "reason_name(30) AS name", query, SQLITE_ROW, "UNKNOWN_30");
	says(REASONS "reason_name(29) AS name UNION ALL SELECT 1, 29, reason_name(30)", query,
	     SQLITE_ROW, "UNKNOWN_29");
	says(REASONS "NULL AS name", query, SQLITE_ROW, "");
	says(REASONS "zeroblob(100000000) AS name", query, SQLITE_ROW, "");
	says(REASONS "replace(hex(zeroblob(1000000)), '0', 'x') AS name", query, SQLITE_ROW, "xxx");
	says("CREATE TABLE reasons (isa, number, name)", query, SQLITE_ROW, "UNKNOWN_30");
	says("SELECT 1", query, SQLITE_ROW, "UNKNOWN_30");
	says("CREATE VIEW reasons AS SELECT * FROM nowhere", query, SQLITE_ROW, "UNKNOWN_30");
}

/* Values that no recording has: an error with words, or a value. */
static void test_values_of_others(void)
{
	static const char sql[] =
		"CREATE TABLE t (a, b, c);"
		"INSERT INTO t VALUES (1, 1, 50), ('x', -1, 'y'), (NULL, NULL, NULL),"
		" (9223372036854775807, 9223372036854775807, 1e999),"
		" (-9223372036854775808, -9223372036854775808, -1e999),"
		" (x'ff', zeroblob(1000), 0.1)";

	says(sql, "SELECT percentile(a, 50) FROM t", SQLITE_ROW, "0");
	says(sql, "SELECT percentile(a, c) FROM t", SQLITE_ERROR, "P must be");
	says(sql, "SELECT bucket_percentile(a, b, 50) FROM t", SQLITE_ERROR, "no such bucket");
	says(sql, "SELECT bucket_percentile(1, a, 50) FROM t WHERE a > 1", SQLITE_ERROR,
	     "too many");
	says(sql, "SELECT cycles_to_ns(a, 1) FROM t WHERE a = 9223372036854775807", SQLITE_ERROR,
	     "292 years");
	says(sql, "SELECT cycles_to_ns(a, b) FROM t WHERE a < -1", SQLITE_ERROR, "frequency");
	says(sql, "SELECT group_concat(reason_name(a, b)) FROM t", SQLITE_ROW, "UNKNOWN_");
}

/* Where a schema calls the functions: they compute, and do nothing else. */
static void test_schema_of_others(void)
{
	says("CREATE TABLE t (a, b AS (cycles_to_ns(a, 1000000)) STORED, CHECK (cycles_to_ns(a, 1) > 0));"
	     "INSERT INTO t (a) VALUES (7)",
	     "SELECT b FROM t", SQLITE_ROW, "7");
	says("CREATE TABLE t (a); INSERT INTO t VALUES (3); CREATE INDEX i ON t (cycles_to_ns(a, 1))",
	     "SELECT 'a' || a FROM t", SQLITE_ROW, "a3");
	says("CREATE VIEW v AS SELECT percentile(1, 50) AS a", "SELECT a FROM v", SQLITE_ROW, "1");
	/* With trusted_schema off a view can't call what reads another table. */
	says("PRAGMA trusted_schema = OFF; CREATE VIEW v AS SELECT reason_name(1) AS a",
	     "SELECT a FROM v", SQLITE_ERROR, "unsafe use of reason_name");
}

int main(int argc, char **argv)
{
	CHECK_EQ(argc, 2);
	extension = argv[1];
	test_reasons_of_others();
	test_values_of_others();
	test_schema_of_others();
	return check_result();
}
