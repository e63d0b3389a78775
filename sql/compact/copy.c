// SPDX-License-Identifier: GPL-2.0-only
/* copy.c - copies a run database, its exits as rows or as chunks; see copy.h */
#include "sql/compact/copy.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/compact/pack.h"
#include "sql/own.h"
#include "sql/schema.h"
#include "sql/text.h"

static int fail(struct copy *copy, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(copy->error, sizeof(copy->error), format, ap);
	va_end(ap);
	return -1;
}

/* What SQLite says of one of the two databases. */
static int fail_sql(struct copy *copy, sqlite3 *db)
{
	return fail(copy, "%s", sqlite3_errmsg(db));
}

static int execute(struct copy *copy, const char *sql)
{
	return sqlite3_exec(copy->to, sql, NULL, NULL, NULL) ? fail_sql(copy, copy->to) : 0;
}

/* The columns of our table, as a SELECT has them; for sqlite3_free(), NULL: no memory. */
static char *read_columns(struct copy *copy, const char *table)
{
	sqlite3_stmt *stmt = NULL;
	char *columns = NULL;

	if (!sqlite3_prepare_v2(
		    copy->to,
		    "SELECT group_concat('\"' || name || '\"', ', ') FROM pragma_table_info(?)", -1,
		    &stmt, NULL) &&
	    !sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC) &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		columns = sqlite3_mprintf("%s", sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return columns;
}

/* Reads our columns of a table: a TEMP view in the place of an older table may have others. */
static int prepare_read(struct copy *copy, const char *table, sqlite3_stmt **read)
{
	bool is_exit = !strcmp(table, "exit");
	char *columns = read_columns(copy, table);
	char *sql = columns ? sqlite3_mprintf("SELECT %s FROM \"%w\"%s", columns, table,
					      is_exit ? " ORDER BY rowid" : "")
			    : NULL;
	int rc = sql ? sqlite3_prepare_v2(copy->from, sql, -1, read, NULL) : SQLITE_NOMEM;

	sqlite3_free(columns);
	sqlite3_free(sql);
	return rc ? fail_sql(copy, copy->from) : 0;
}

/* "INSERT INTO name VALUES (?, ...)" */
static int prepare_write(struct copy *copy, const char *table, int columns, sqlite3_stmt **write)
{
	sqlite3_str *text = sqlite3_str_new(copy->to);
	char *sql;
	int rc;

	sqlite3_str_appendf(text, "INSERT INTO main.\"%w\" VALUES (?", table);
	for (int i = 1; i < columns; i++)
		sqlite3_str_appendall(text, ", ?");
	sqlite3_str_appendall(text, ")");
	sql = sqlite3_str_finish(text);
	rc = sql ? sqlite3_prepare_v2(copy->to, sql, -1, write, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return rc ? fail_sql(copy, copy->to) : 0;
}

static int copy_row(struct copy *copy, sqlite3_stmt *read, sqlite3_stmt *write, int columns)
{
	for (int i = 0; i < columns; i++)
		sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
	sqlite3_step(write);
	return sqlite3_reset(write) ? fail_sql(copy, copy->to) : 0;
}

/* Copies a table as it is; @rows: incremented for each row, or NULL. */
static int copy_table(struct copy *copy, const char *table, int64_t *rows)
{
	sqlite3_stmt *read = NULL, *write = NULL;
	int columns;
	int step = SQLITE_DONE;
	int rc = prepare_read(copy, table, &read);

	columns = rc ? 0 : sqlite3_column_count(read);
	if (!rc)
		rc = prepare_write(copy, table, columns, &write);
	while (!rc && (step = sqlite3_step(read)) == SQLITE_ROW) {
		rc = copy_row(copy, read, write, columns);
		if (rows)
			++*rows;
	}
	if (!rc && step != SQLITE_DONE)
		rc = fail_sql(copy, copy->from);

	sqlite3_finalize(read);
	sqlite3_finalize(write);
	return rc;
}

/* Copies the exits into chunks. */
static int pack_exits(struct copy *copy)
{
	struct pack *pack = pack_new(copy->from, copy->to);
	sqlite3_stmt *read = NULL;
	int step = SQLITE_DONE;
	int rc;

	if (!pack)
		return fail(copy, "out of memory");

	rc = pack_begin(pack) ? fail(copy, "%s", pack_error(pack)) : 0;
	if (!rc)
		rc = prepare_read(copy, "exit", &read);
	while (!rc && (step = sqlite3_step(read)) == SQLITE_ROW) {
		rc = pack_row(pack, read) ? fail(copy, "%s", pack_error(pack)) : 0;
		copy->exits++;
	}
	if (!rc && step != SQLITE_DONE)
		rc = fail_sql(copy, copy->from);
	if (!rc && pack_finish(pack))
		rc = fail(copy, "%s", pack_error(pack));

	sqlite3_finalize(read);
	pack_free(pack);
	return rc;
}

/* All of our tables except those of the exits. */
static int copy_tables(struct copy *copy)
{
	const struct own_definition *table;
	int rc = 0;

	for (size_t i = 0; !rc && (table = own_table(SCHEMA_VERSION, i)); i++) {
		if (strcmp(table->name, "exit") && strcmp(table->name, "exit_chunk"))
			rc = copy_table(copy, table->name, NULL);
	}
	return rc;
}

static int copy_exits(struct copy *copy)
{
	return copy->form == COPY_TO_CHUNKS ? pack_exits(copy)
					    : copy_table(copy, "exit", &copy->exits);
}

/* Whether so few exits are copied that half-empty pages are a large part of the file. */
static bool is_small(struct copy *copy)
{
	static const char sql[] = "SELECT coalesce(sum(recorded), 0) < 1000000 FROM vcpu";
	sqlite3_stmt *stmt = NULL;
	bool is;

	is = !sqlite3_prepare_v2(copy->from, sql, -1, &stmt, NULL) &&
	     sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return is;
}

int compact_copy(struct copy *copy)
{
	/* Nobody reads it before it is whole: no journal, no waiting for the disk. */
	static const char begin[] =
		"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN";
	int rc = sqlite3_exec(copy->from, "BEGIN", NULL, NULL, NULL) ? fail_sql(copy, copy->from)
								     : 0;

	copy->exits = 0;
	if (rc)
		return rc;
	if (copy->form == COPY_TO_CHUNKS && is_small(copy))
		rc = execute(copy, "PRAGMA page_size = 1024");
	if (!rc)
		rc = execute(copy, begin);
	if (!rc)
		rc = execute(copy, sql_schema);
	if (!rc)
		rc = execute(copy, sql_views);
	if (!rc)
		rc = copy_tables(copy);
	if (!rc)
		rc = copy_exits(copy);
	if (!rc)
		rc = execute(copy, "COMMIT");

	sqlite3_exec(copy->from, "COMMIT", NULL, NULL, NULL);
	return rc;
}
