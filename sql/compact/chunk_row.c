// SPDX-License-Identifier: GPL-2.0-only
/* chunk_row.c - a row of table exit_chunk, made of records and written; see chunk_row.h */
#include "sql/compact/chunk_row.h"

int chunk_row_make(struct chunk_encoder *encoder, const struct kvm_exit_record *records,
		   size_t count, struct chunk_row *row)
{
	int rc = chunk_encode(encoder, records, count, &row->data, &row->bytes);

	if (rc)
		return rc;

	row->n = (uint32_t)count;
	row->first_seq = records[0].seq;
	row->last_seq = records[count - 1].seq;
	chunk_encoder_tscs(encoder, &row->first_tsc, &row->last_tsc);
	return 0;
}

int chunk_row_prepare(sqlite3 *db, sqlite3_stmt **insert)
{
	static const char sql[] =
		"INSERT INTO main.exit_chunk (id, vcpu, n, first_seq, last_seq, first_tsc, last_tsc, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

	return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, insert, NULL);
}

int chunk_row_insert(sqlite3_stmt *insert, const struct chunk_row *row)
{
	const int64_t values[] = {
		row->id,
		row->vcpu,
		row->n,
		(int64_t)row->first_seq,
		(int64_t)row->last_seq,
		row->first_tsc,
		row->last_tsc,
	};
	const int count = sizeof(values) / sizeof(*values);

	for (int i = 0; i < count; i++)
		sqlite3_bind_int64(insert, i + 1, values[i]);
	sqlite3_bind_blob64(insert, count + 1, row->data, row->bytes, SQLITE_STATIC);

	sqlite3_step(insert);
	return sqlite3_reset(insert);
}
