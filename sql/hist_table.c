// SPDX-License-Identifier: GPL-2.0-only
/* hist_table.c - hist_buckets(TEXT), a table-valued function as ext/misc/series.c of SQLite is */
#ifdef EXITSCOPE_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif

#include <stdbool.h>
#include <string.h>

#include "sql/hist_table.h"
#include "sql/hist_text.h"

enum columns { BUCKET, N, TEXT };

struct cursor {
	sqlite3_vtab_cursor base;
	char *text; /* a copy: the value may change before the last row is read */
	struct hist_text reader;
	uint32_t bucket;
	uint64_t n;
	bool at_end;
	sqlite3_int64 row;
};

static int connect(sqlite3 *db, void *unused, int argc, const char *const *argv,
		   sqlite3_vtab **table, char **error)
{
	int rc = sqlite3_declare_vtab(db, "CREATE TABLE x (bucket, n, text HIDDEN)");

	if (!rc)
		rc = sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);

	(void)unused;
	(void)argc;
	(void)argv;
	(void)error;
	if (rc)
		return rc;

	*table = sqlite3_malloc(sizeof(**table));
	if (!*table)
		return SQLITE_NOMEM;
	memset(*table, 0, sizeof(**table));
	return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)table;
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){.at_end = true};
	*cursor = &c->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;

	sqlite3_free(c->text);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The text must be given: "= ?" on its column, by which a plan without it is impossible. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *index)
{
	(void)table;
	for (int i = 0; i < index->nConstraint; i++) {
		if (index->aConstraint[i].iColumn != TEXT ||
		    index->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
		    !index->aConstraint[i].usable)
			continue;
		index->aConstraintUsage[i].argvIndex = 1;
		index->aConstraintUsage[i].omit = 1;
		index->estimatedCost = 100;
		index->estimatedRows = 100;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int next(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;
	int found = hist_text_next(&c->reader, &c->bucket, &c->n);

	c->row++;
	c->at_end = found <= 0;
	return found < 0 ? SQLITE_CORRUPT : SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
		  sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)cursor;
	const char *text = argc ? (const char *)sqlite3_value_text(argv[0]) : NULL;
	int bytes = text ? sqlite3_value_bytes(argv[0]) : 0;

	(void)plan;
	(void)name;
	sqlite3_free(c->text);
	c->text = NULL;
	c->at_end = true;
	if (!text && argc && sqlite3_value_type(argv[0]) != SQLITE_NULL)
		return SQLITE_NOMEM;

	c->text = sqlite3_malloc(bytes + 1);
	if (!c->text)
		return SQLITE_NOMEM;
	if (bytes)
		memcpy(c->text, text, (size_t)bytes);

	hist_text_begin(&c->reader, c->text, (uint32_t)bytes);
	c->row = 0;
	return next(cursor);
}

static int at_end(sqlite3_vtab_cursor *cursor)
{
	return ((struct cursor *)cursor)->at_end;
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int number)
{
	const struct cursor *c = (const struct cursor *)cursor;

	if (number == BUCKET)
		sqlite3_result_int64(context, c->bucket);
	else if (number == N)
		sqlite3_result_int64(context, (sqlite3_int64)c->n);
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
	*row = ((struct cursor *)cursor)->row;
	return SQLITE_OK;
}

int hist_table_register(sqlite3 *db)
{
	static const sqlite3_module module = {
		.xConnect = connect,
		.xBestIndex = best_index,
		.xDisconnect = disconnect,
		.xOpen = open_cursor,
		.xClose = close_cursor,
		.xFilter = filter,
		.xNext = next,
		.xEof = at_end,
		.xColumn = column,
		.xRowid = rowid,
	};

	return sqlite3_create_module(db, "hist_buckets", &module, NULL);
}
