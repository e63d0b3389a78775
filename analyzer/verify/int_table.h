/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * int_table.h - an array of numbers as a table of SQL, for what C has added up
 *
 * Only statements of the program can read it, by the name that it was registered with; it is
 * scanned whole. A statement that looks for single rows goes by a MATERIALIZED copy, for which
 * SQLite makes an index.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_INT_TABLE_H
#define EXITSCOPE_ANALYZER_VERIFY_INT_TABLE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct int_table - one table
 * @declaration: "CREATE TABLE x (name, ...)", of @columns names
 * @value: row by row; must stay as long as the table is registered
 */
struct int_table {
	const char *declaration;
	const int64_t *value;
	size_t rows;
	int columns;
};

/* Makes @table known to a connection as @name. Return: a code of SQLite. */
int int_table_register(sqlite3 *db, const char *name, const struct int_table *table);

/* Forgets the table @name; no harm if there is none. */
void int_table_remove(sqlite3 *db, const char *name);

#endif
