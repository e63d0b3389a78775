// SPDX-License-Identifier: GPL-2.0-only
/*
 * batch.c - rows on their way to a server; see batch.h
 */
#include "analyzer/push/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* A batch of long rows is sent before it has all its rows. */
#define BATCH_BYTES (64U << 20)

bool batch_is_full(const struct batch *batch)
{
	return batch->rows.count >= batch->push->options->batch_rows ||
	       batch->rows.bytes >= BATCH_BYTES;
}

int batch_put(struct batch *batch, const struct value *value)
{
	if (table_put(&batch->push->table[batch->table], value, &batch->rows))
		return app_fail(batch->push->app, "out of memory");
	return 0;
}

int batch_move(struct batch *batch, const struct cursor *cursor)
{
	struct cursor *more;

	if (batch->cursors && !strcmp(batch->cursor[batch->cursors - 1].part, cursor->part)) {
		batch->cursor[batch->cursors - 1] = *cursor;
		return 0;
	}
	more = array_reserve(batch->cursor, batch->cursors, 1, sizeof(*more));
	if (!more)
		return app_fail(batch->push->app, "out of memory");
	batch->cursor = more;
	more[batch->cursors++] = *cursor;
	return 0;
}

/* INSERT INTO exitscope.NAME (COLUMN,...) FORMAT RowBinary */
static void write_insert(const struct table *table, char *sql, size_t size)
{
	size_t at = (size_t)snprintf(sql, size, "INSERT INTO exitscope.%s", table->name);

	for (unsigned int i = 0; i < table->columns; i++)
		at += (size_t)snprintf(sql + at, size - at, "%c%s", i ? ',' : '(',
				       table->column[i].name);
	snprintf(sql + at, size - at, ") FORMAT RowBinary");
}

/*
 * The token is a hash of what is sent: a server that knows it may leave the batch out, and the same
 * bytes are all that it may leave out.
 */
static int send_rows(struct batch *batch)
{
	const struct table *table = &batch->push->table[batch->table];
	char sql[128 + TABLE_COLUMNS_MAX * sizeof(table->column[0].name)], token[64];

	write_insert(table, sql, sizeof(sql));
	snprintf(token, sizeof(token), "%s-%016" PRIx64 "-%016" PRIx64, table->name,
		 (uint64_t)batch->key, rows_hash(batch->rows.data, batch->rows.bytes));
	return server_execute(&batch->target->server, sql, batch->target->has_token ? token : NULL,
			      batch->rows.data, batch->rows.bytes);
}

int batch_flush(struct batch *batch)
{
	if (batch->rows.count && send_rows(batch))
		return -1;
	batch->sent->rows[batch->table] += batch->rows.count;
	batch->sent->bytes += batch->rows.bytes;

	if (cursors_write(batch->push->app, batch->push->cursors, batch->target->server.url,
			  batch_cursor_key(batch), batch->cursor, batch->cursors))
		return -1;
	rows_cut(&batch->rows, 0, 0);
	batch->cursors = 0;
	return 0;
}

void batch_free(struct batch *batch)
{
	rows_free(&batch->rows);
	free(batch->cursor);
}
