// SPDX-License-Identifier: GPL-2.0-only
/* int_table.c - an array of numbers as an eponymous virtual table; see int_table.h */
#include "analyzer/verify/int_table.h"

#include <string.h>

struct table {
	sqlite3_vtab base;
	const struct int_table *values;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct int_table *values;
	size_t row;
};

static int connect(sqlite3 *db, void *values, int argc, const char *const *argv,
		   sqlite3_vtab **result, char **error)
{
	const struct int_table *int_table = values;
	struct table *table;
	int rc;

	(void)argc;
	(void)argv;
	(void)error;
	rc = sqlite3_declare_vtab(db, int_table->declaration);
	if (!rc)
		rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	if (rc)
		return rc;

	table = sqlite3_malloc(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct table){.values = int_table};
	*result = &table->base;
	return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *index)
{
	const struct int_table *values = ((struct table *)table)->values;

	index->estimatedRows = (sqlite3_int64)values->rows;
	index->estimatedCost = (double)values->rows;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **result)
{
	struct cursor *cursor = sqlite3_malloc(sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (struct cursor){.values = ((struct table *)table)->values};
	*result = &cursor->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int plan, const char *name, int argc,
		  sqlite3_value **argv)
{
	(void)plan;
	(void)name;
	(void)argc;
	(void)argv;
	((struct cursor *)base)->row = 0;
	return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->row++;
	return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (const struct cursor *)base;

	return cursor->row >= cursor->values->rows;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
	const struct cursor *cursor = (const struct cursor *)base;
	const struct int_table *values = cursor->values;
	size_t at = cursor->row * (size_t)values->columns + (size_t)number;

	sqlite3_result_int64(context, values->value[at]);
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *row)
{
	*row = (sqlite3_int64)((const struct cursor *)base)->row;
	return SQLITE_OK;
}

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

int int_table_register(sqlite3 *db, const char *name, const struct int_table *table)
{
	/* sqlite3's pointers to what modules use are not const. */
	return sqlite3_create_module(db, name, &module, (void *)(uintptr_t)table);
}

void int_table_remove(sqlite3 *db, const char *name)
{
	sqlite3_create_module(db, name, NULL, NULL);
}
