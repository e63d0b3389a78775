/* SPDX-License-Identifier: GPL-2.0-only */
/* chunk_row.h - a row of table exit_chunk, made of records and written */
#ifndef EXITSCOPE_SQL_COMPACT_CHUNK_ROW_H
#define EXITSCOPE_SQL_COMPACT_CHUNK_ROW_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/chunk/chunk.h"

/*
 * zstd's fast level: 3 makes chunks of recorded boots 1 to 4 % smaller and takes half as long
 * again.
 */
#define CHUNK_ROW_LEVEL 1

/* The columns of table exit_chunk; its comments describe them. */
struct chunk_row {
	int64_t id;
	int64_t vcpu;
	uint32_t n;
	uint64_t first_seq;
	uint64_t last_seq;
	int64_t first_tsc;
	int64_t last_tsc;
	const unsigned char *data;
	size_t bytes;
};

/*
 * chunk_row_make() - make a chunk and fill in all columns but id and vcpu
 * @records, @count: as for chunk_encode()
 *
 * row->data is valid until the next chunk of the encoder.
 *
 * Return: as chunk_encode().
 */
int chunk_row_make(struct chunk_encoder *encoder, const struct kvm_exit_record *records,
		   size_t count, struct chunk_row *row);

/* The statement that inserts rows. Returns what SQLite returns. */
int chunk_row_prepare(sqlite3 *db, sqlite3_stmt **insert);

/* Inserts the row. Returns what SQLite returns. */
int chunk_row_insert(sqlite3_stmt *insert, const struct chunk_row *row);

#endif
