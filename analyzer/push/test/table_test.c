// SPDX-License-Identifier: GPL-2.0-only
/*
 * table_test.c - rows in RowBinary byte by byte, columns of statements and tables, cursors
 */
#include "analyzer/push/table.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/push/cursor.h"
#include "analyzer/push/statements.h"
#include "sql/clickhouse/make_text.h"
#include "sql/schema.h"
#include "sql/test/check.h"

static const char schema[] = "-- exitscope.other (\n"
			     "CREATE TABLE IF NOT EXISTS exitscope.made (\n"
			     "  a UInt8,\n"
			     "  b Int64,\n"
			     "  c Nullable(UInt32),\n"
			     "  d Nullable(String),\n"
			     "  e Float64,\n"
			     "  day Date,\n"
			     "  list Array(UInt16)\n"
			     ") ENGINE = Memory;\n"
			     "CREATE TABLE IF NOT EXISTS exitscope.wrong (\n"
			     "  a Decimal,\n"
			     ") ENGINE = Memory;\n";

static const uint64_t list[] = {1, 0x1234, 0x56789};

static const struct value row[] = {
	{.kind = VALUE_INTEGER, .integer = 0x1ff},
	{.kind = VALUE_INTEGER, .integer = -2},
	{.kind = VALUE_INTEGER, .integer = 7},
	{.kind = VALUE_TEXT, .text = "a\0\xff", .length = 3},
	{.kind = VALUE_INTEGER, .integer = 1},
	{.kind = VALUE_INTEGER, .integer = 0x4321},
	{.kind = VALUE_ARRAY, .array = list, .length = 3},
};

static void check_bytes(const struct rows *rows, const char *bytes, size_t count)
{
	CHECK_EQ(rows->bytes, count);
	CHECK(rows->bytes == count && !memcmp(rows->data, bytes, count));
}

/* As https://clickhouse.com/docs/interfaces/formats/RowBinary describes the format. */
static void test_row_binary(void)
{
	static const char bytes[] = "\xff"
				    "\xfe\xff\xff\xff\xff\xff\xff\xff"
				    "\0\x07\0\0\0"
				    "\0\x03"
				    "a\0\xff"
				    "\0\0\0\0\0\0\xf0\x3f"
				    "\x21\x43"
				    "\x03\x01\0\x34\x12\x89\x67";
	static const char left_out[] = "\xff"
				       "\xfe\xff\xff\xff\xff\xff\xff\xff"
				       "\x01"
				       "\x01"
				       "\0\0\0\0\0\0\xf0\x3f"
				       "\x21\x43"
				       "\x03\x01\0\x34\x12\x89\x67";
	struct table table;
	struct rows rows = {0};

	CHECK(!table_find(schema, "made", &table));
	CHECK_EQ(table.columns, 7);
	CHECK(!table_put(&table, row, &rows));
	check_bytes(&rows, bytes, sizeof(bytes) - 1);

	/* "a" can't be NULL, and "da" is no column. */
	table_leave_out(&table, "c,a,da,d");
	rows_cut(&rows, 0, 0);
	CHECK(!table_put(&table, row, &rows));
	check_bytes(&rows, left_out, sizeof(left_out) - 1);
	CHECK_EQ(rows.count, 1);
	rows_free(&rows);
}

static void test_null_and_long_text(void)
{
	static const struct value none[7];
	struct value values[7] = {{.kind = VALUE_NULL}};
	struct table table;
	struct rows rows = {0};
	char text[300];

	CHECK(!table_find(schema, "made", &table));
	CHECK(!table_put(&table, none, &rows));
	check_bytes(&rows, "\0\0\0\0\0\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0", 22);

	/* A length of 300 has two bytes. */
	memset(text, 'x', sizeof(text));
	values[3] = (struct value){.kind = VALUE_TEXT, .text = text, .length = sizeof(text)};
	rows_cut(&rows, 0, 0);
	CHECK(!table_put(&table, values, &rows));
	CHECK_EQ(rows.bytes, 22 + 2 + 300);
	CHECK(!memcmp(rows.data + 10, "\0\xac\x02x", 4));
	rows_free(&rows);
}

static void test_find(void)
{
	struct table table;

	CHECK_EQ(table_find(schema, "other", &table), -ENOENT);
	CHECK_EQ(table_find(schema, "wrong", &table), -ENOENT);
	CHECK(table_may_leave_out(schema, "c,d", 1));
	CHECK(!table_may_leave_out(schema, "a", 1));
	CHECK(!table_may_leave_out(schema, "", 0));
	CHECK(table_may_leave_out(clickhouse_schema, "rip", 3));
	CHECK(!table_may_leave_out(clickhouse_schema, "run", 3));
}

static void test_types(void)
{
	static const struct {
		const char *column, *type;
		bool is_same;
	} types[] = {
		{"a", "UInt8", true},
		{"a", "UInt16", false},
		{"a", "Nullable(UInt8)", false},
		{"b", "UInt64", true}, /* the same eight bytes */
		{"b", "Float64", false},
		{"c", "Nullable(UInt32)", true},
		{"c", "UInt32", false},
		{"d", "LowCardinality(Nullable(String))", true},
		{"d", "Nullable(FixedString(8))", false},
		{"list", "Array(UInt16)", true},
		{"list", "UInt16", false},
		{"a", "", false},
		{"a", "(", false},
		{"a", "Nullable(", false},
	};
	struct table table;

	CHECK(!table_find(schema, "made", &table));
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		for (unsigned int c = 0; c < table.columns; c++) {
			if (!strcmp(table.column[c].name, types[i].column))
				CHECK_EQ(column_is_of(&table.column[c], types[i].type),
					 types[i].is_same);
		}
	}
}

/* The columns of a statement are those of its table, in the same order: @same of them. */
static void check_statement(sqlite3 *db, const char *name, const char *sql, unsigned int same)
{
	struct table table = {.columns = 0};
	sqlite3_stmt *stmt = NULL;

	CHECK(!table_find(clickhouse_schema, name, &table));
	CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (!same) {
		same = table.columns;
		CHECK_EQ(sqlite3_column_count(stmt), same);
	}
	for (unsigned int i = 0; i < same; i++) {
		const char *column = sqlite3_column_name(stmt, (int)i);

		if (!column || strcmp(column, table.column[i].name)) {
			fprintf(stderr, "%s: column %u is %s, not %s\n", name, i, column,
				table.column[i].name);
			check_failures++;
		}
	}
	sqlite3_finalize(stmt);
}

static void test_statements(void)
{
	sqlite3 *db;

	CHECK(!schema_open_own(SCHEMA_VERSION, &db));
	check_statement(db, "reason", push_sql_reason, 0);
	check_statement(db, "run", push_sql_run, 0);
	check_statement(db, "vm", push_sql_vm, 0);
	check_statement(db, "vcpu", push_sql_vcpu, 0);
	check_statement(db, "loss", push_sql_loss, 0);
	check_statement(db, "crosscheck", push_sql_crosscheck, 0);
	check_statement(db, "exit_rollup", push_sql_exit_rollup, 0);
	check_statement(db, "exit_hist", push_sql_exit_hist, 12);
	check_statement(db, "exit", push_sql_exit, 0);
	sqlite3_close(db);
}

static void make_file(const char *path, const char *sql)
{
	sqlite3 *db;

	unlink(path);
	CHECK(!sqlite3_open(path, &db));
	CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static volatile sig_atomic_t stop;
static const struct server_options options = {.stop = &stop};

/* Adds a server's URL to a text. */
static void see(void *context, const char *server)
{
	strcat(strcat(context, server), " ");
}

static const char *servers_of(struct app *app, sqlite3 *db, int64_t run)
{
	static char text[256];

	*text = '\0';
	CHECK(!cursor_servers(app, db, run, see, text));
	return text;
}

/* Ends the transaction of another program after a while. */
static void *unlock_later(void *other)
{
	usleep(300000);
	CHECK(!sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL));
	return NULL;
}

/* While another program writes, such as a collector that ends, it is waited for. */
static void test_locked(struct app *app, sqlite3 *db)
{
	struct cursor cursor = {.part = "exit"};
	pthread_t thread;
	sqlite3 *other;

	CHECK(!sqlite3_open(app->path, &other));
	CHECK(!sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	stop = 1;
	CHECK_EQ(cursors_write(app, db, "http://a", 3, &cursor, 1), -1);
	CHECK(strstr(app->error, "locked"));
	CHECK_EQ(cursors_forget(app, db, "http://a", 3), -1);

	stop = 0;
	CHECK(!pthread_create(&thread, NULL, unlock_later, other));
	CHECK(!cursors_write(app, db, "http://a", 3, &cursor, 1));
	CHECK(!pthread_join(thread, NULL));
	CHECK(!strcmp(servers_of(app, db, 3), "http://a http://b "));
	sqlite3_close(other);
}

static void test_cursors(const char *path)
{
	struct cursor cursor = {.part = "exit"},
		      two[2] = {{.part = "exit", .position = 5, .hash = -1},
				{.part = "run", .total = 9}};
	struct app app = {.path = path};
	sqlite3 *db;

	make_file(path, "CREATE TABLE t (a)");
	CHECK(!cursors_open(&app, &options, &db));
	CHECK(!cursor_read(&app, db, "http://a", 3, &cursor));
	CHECK(!cursor.position && !cursor.hash && !cursor.total);
	CHECK(!*servers_of(&app, db, 3));
	CHECK(!cursors_write(&app, db, "http://a", 3, two, 2));
	sqlite3_close(db);

	/* The table is there now; other runs and servers have cursors of their own. */
	CHECK(!cursors_open(&app, &options, &db));
	CHECK(!cursor_read(&app, db, "http://a", 3, &cursor));
	CHECK(cursor.position == 5 && cursor.hash == -1 && !cursor.total);
	CHECK(!strcmp(servers_of(&app, db, 3), "http://a "));
	CHECK(!*servers_of(&app, db, 4));
	CHECK(!cursors_write(&app, db, "http://b", 3, two, 2));
	CHECK(!strcmp(servers_of(&app, db, 3), "http://a http://b "));
	CHECK(!cursors_forget(&app, db, "http://a", 3));
	CHECK(!strcmp(servers_of(&app, db, 3), "http://b "));
	test_locked(&app, db);
	sqlite3_close(db);
}

/* A file from elsewhere must not run anything of its own. */
static void test_foreign_cursors(const char *path)
{
	static const char *const foreign[] = {
		"CREATE TABLE push_cursor (server TEXT, run, part, position, hash, total)",
		"CREATE TABLE a (b); CREATE VIEW push_cursor AS SELECT * FROM a",
	};
	static const char *const added[] = {
		"CREATE INDEX i ON push_cursor (abs(position))",
		"CREATE UNIQUE INDEX i ON push_cursor (length('x'))",
		"CREATE TRIGGER t AFTER INSERT ON push_cursor BEGIN SELECT abs(1); END",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		struct app app = {.path = path};
		sqlite3 *db;

		make_file(path, foreign[i]);
		CHECK_EQ(cursors_open(&app, &options, &db), -1);
		CHECK(strstr(app.error, "push_cursor"));
		sqlite3_close(db);
	}

	/* Our table, with something of theirs. */
	for (size_t i = 0; i < sizeof(added) / sizeof(*added); i++) {
		struct app app = {.path = path};
		sqlite3 *db;

		make_file(path, "CREATE TABLE t (a)");
		CHECK(!cursors_open(&app, &options, &db));
		CHECK_EQ(sqlite3_exec(db, added[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		CHECK_EQ(cursors_open(&app, &options, &db), -1);
		CHECK(strstr(app.error, "push_cursor"));
		sqlite3_close(db);
	}
}

int main(void)
{
	const char *folder = getenv("TEST_TMPDIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/cursors.sqlite", folder ? folder : "/tmp");
	test_row_binary();
	test_null_and_long_text();
	test_find();
	test_types();
	test_statements();
	test_cursors(path);
	test_foreign_cursors(path);
	unlink(path);
	return check_failures ? 1 : 0;
}
