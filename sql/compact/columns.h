/* SPDX-License-Identifier: GPL-2.0-only */
/* columns.h - the columns of table exit, the fields of a record that they hold, ids of chunks */
#ifndef EXITSCOPE_SQL_COMPACT_COLUMNS_H
#define EXITSCOPE_SQL_COMPACT_COLUMNS_H

#include "sql/chunk/chunk.h"

/* When a column is NULL. */
enum exit_null {
	EXIT_NEVER_NULL,
	EXIT_NULL_UNLESS_FLAG, /* where the record's flags lack @flag; the field is 0 then */
	EXIT_NULL_IF_ZERO,
};

struct exit_column {
	const char *name;
	enum chunk_field field;
	enum exit_null null;
	uint32_t flag;
};

/* In the order of the table, without its first column, vcpu. */
extern const struct exit_column exit_columns[];
extern const int exit_column_count;

/* The highest id of table exit_chunk: rowids have 63 bits (exit_rows.h). */
#define EXIT_CHUNK_ID_MAX (1LL << 48)

/* Where the rowids of exits in chunks begin: more rows than this no table has. */
#define EXIT_CHUNK_ROWS (1LL << 40)

/* The rowid of exit number @exit of a chunk (exit_rows.h). */
static inline int64_t exit_chunk_row(int64_t chunk, int64_t exit)
{
	return EXIT_CHUNK_ROWS + chunk * (int64_t)CHUNK_RECORDS_MAX + exit;
}

/*
 * exit_chunk_open() - begin to read the chunk of a row of table exit_chunk
 * @id, @n: columns of the row, and @data, @bytes of column data; NULL: it has none
 *
 * Return: as chunk_open(); CHUNK_DAMAGED, too, if the columns can't be of the chunk.
 */
int exit_chunk_open(struct chunk_decoder *decoder, int64_t id, int64_t n, const void *data,
		    size_t bytes);

/* Most columns that there may be, vcpu included. */
#define EXIT_COLUMNS_MAX 40

#endif
