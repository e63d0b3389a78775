/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - tables of a ClickHouse server, and their rows in its format RowBinary
 *
 * HOW IT WORKS
 *
 * sql/clickhouse/schema.sql is the only place that has the columns and their types. table_find()
 * reads them from its text. table_put() writes a row of values, in the order of the columns:
 *
 *	UInt8 to UInt64, Int32, Int64, Float64: little endian; Date: days since 1970, 2 bytes
 *	String: its length as a LEB128 number, then the bytes
 *	Nullable(T): a byte 1 for NULL, or a byte 0 and the value
 *	Array(T): the number of elements as LEB128, then each of them
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_TABLE_H
#define EXITSCOPE_ANALYZER_PUSH_TABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS_MAX 48

enum column_type { COLUMN_INTEGER, COLUMN_REAL, COLUMN_TEXT };

/*
 * struct column - a column of a table
 * @bytes: of a COLUMN_INTEGER
 * @is_left_out: NULL is sent in place of its values
 */
struct column {
	char name[32];
	enum column_type type;
	unsigned int bytes;
	bool is_nullable;
	bool is_array;
	bool is_left_out;
};

struct table {
	const char *name;
	struct column column[TABLE_COLUMNS_MAX];
	unsigned int columns;
};

/**
 * table_find - read a table's columns from CREATE TABLE IF NOT EXISTS exitscope.NAME
 * @schema: the text of schema.sql
 *
 * Return: 0, or -ENOENT: there is no such table, or a line of it is not "NAME TYPE,".
 */
int table_find(const char *schema, const char *name, struct table *table);

/*
 * Whether values of a server's @type, a text like "Nullable(UInt64)", are encoded as @column's.
 * LowCardinality(...) makes no difference; a type that is not known is another one.
 */
bool column_is_of(const struct column *column, const char *type);

/*
 * Marks the columns of a list like "rip,cr3" that the table has, and what says the same as one of
 * them. Columns that can't be NULL are not left out.
 */
void table_leave_out(struct table *table, const char *list);

/* Whether values of the table's column @name are left out. */
bool table_leaves_out(const struct table *table, const char *name);

/* Whether some table of @schema has a column @name (of @length letters) that can be left out. */
bool table_may_leave_out(const char *schema, const char *name, size_t length);

/*
 * struct value - a value of a row
 * @length: of @text, in bytes, or of @array, in elements
 */
struct value {
	enum { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_ARRAY } kind;
	int64_t integer;
	double real;
	const char *text;
	const uint64_t *array;
	size_t length;
};

/* Column @i of a query's row. A text is valid until the next step. */
struct value value_of(sqlite3_stmt *stmt, int i);

/* struct rows - encoded rows; all 0 is none */
struct rows {
	unsigned char *data;
	size_t bytes;
	uint64_t count;
};

/**
 * table_put - add a row
 * @value: one for each column; NULL becomes 0 or "" where the column has no NULL. An integer too
 *	large for its column loses its upper bits.
 *
 * Return: 0 or -ENOMEM; @rows is as it was then.
 */
int table_put(const struct table *table, const struct value *value, struct rows *rows);

/* A hash of encoded bytes. */
uint64_t rows_hash(const void *data, size_t bytes);

/* Forgets the rows from byte @bytes on; @count are left. */
void rows_cut(struct rows *rows, size_t bytes, uint64_t count);

void rows_free(struct rows *rows);

#endif
