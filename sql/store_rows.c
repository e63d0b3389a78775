// SPDX-License-Identifier: GPL-2.0-only
/*
 * store_rows.c - shows a batch of records to SQLite as a table, so that one
 * INSERT ... SELECT takes them all (no statement and no binding per row)
 */
#include "sql/store_internal.h"

#include <stdlib.h>

/* Columns that are NULL where the record's field is not valid. */
#define COLUMN_KEY     9
#define COLUMN_KEY_AUX 10
#define COLUMN_CR3     17

struct batch_table {
	sqlite3_vtab base;
	const struct row_batch *batch;
};

struct batch_cursor {
	sqlite3_vtab_cursor base;
	size_t row;
};

static int batch_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **vtab, char **error)
{
	struct batch_table *table;
	int rc;

	(void)argc;
	(void)argv;
	(void)error;
	rc = sqlite3_declare_vtab(
		db, "CREATE TABLE x(seq, tsc, reason, flags, cycles, halted_cycles,"
		    " userspace_cycles, preempted_cycles, rip, key, key_aux, qualification,"
		    " info2, intr_info, error_code, user_reason, pcpu,"
		    " cr3 HIDDEN)");
	if (rc)
		return rc;
	table = calloc(1, sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	table->batch = aux;
	*vtab = &table->base;
	return SQLITE_OK;
}

static int batch_disconnect(sqlite3_vtab *vtab)
{
	free(vtab);
	return SQLITE_OK;
}

static int batch_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	(void)vtab;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int batch_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
	struct batch_cursor *c = calloc(1, sizeof(*c));

	(void)vtab;
	if (!c)
		return SQLITE_NOMEM;
	*cursor = &c->base;
	return SQLITE_OK;
}

static int batch_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int batch_filter(sqlite3_vtab_cursor *cursor, int number, const char *string, int argc,
			sqlite3_value **argv)
{
	(void)number;
	(void)string;
	(void)argc;
	(void)argv;
	((struct batch_cursor *)cursor)->row = 0;
	return SQLITE_OK;
}

static int batch_next(sqlite3_vtab_cursor *cursor)
{
	((struct batch_cursor *)cursor)->row++;
	return SQLITE_OK;
}

static int batch_eof(sqlite3_vtab_cursor *cursor)
{
	return ((struct batch_cursor *)cursor)->row >=
	       ((struct batch_table *)cursor->pVtab)->batch->count;
}

/* The columns in the order of table exit, from seq on; called for each value. */
static __u64 value_of(const struct kvm_exit_record *r, int column)
{
	switch (column) {
	case 0:
		return r->seq;
	case 1:
		return r->tsc;
	case 2:
		return r->reason;
	case 3:
		return r->flags;
	case 4:
		return r->cycles;
	case 5:
		return r->halted_cycles;
	case 6:
		return r->userspace_cycles;
	case 7:
		return r->preempted_cycles;
	case 8:
		return r->guest_rip;
	case COLUMN_KEY:
		return r->key;
	case COLUMN_KEY_AUX:
		return r->key_aux;
	case 11:
		return r->qualification;
	case 12:
		return r->info2;
	case 13:
		return r->intr_info;
	case 14:
		return r->error_code;
	case 15:
		return r->user_reason;
	case 16:
		return r->pcpu;
	}
	return r->guest_cr3;
}

static int batch_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
	const struct row_batch *batch = ((struct batch_table *)cursor->pVtab)->batch;
	const struct kvm_exit_record *r = &batch->records[((struct batch_cursor *)cursor)->row];

	if ((column == COLUMN_KEY || column == COLUMN_KEY_AUX) && !(r->flags & KVM_EXIT_REC_KEY))
		sqlite3_result_null(out);
	else if (column == COLUMN_CR3 && !(r->flags & KVM_EXIT_REC_CR3))
		sqlite3_result_null(out);
	else
		sqlite3_result_int64(out, (sqlite3_int64)value_of(r, column));
	return SQLITE_OK;
}

static int batch_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)((struct batch_cursor *)cursor)->row;
	return SQLITE_OK;
}

int store_rows_register(sqlite3 *db, struct row_batch *batch)
{
	/* No xCreate: the table exists by its name alone, in this connection alone. */
	static const sqlite3_module module = {
		.xConnect = batch_connect,
		.xBestIndex = batch_best_index,
		.xDisconnect = batch_disconnect,
		.xOpen = batch_open,
		.xClose = batch_close,
		.xFilter = batch_filter,
		.xNext = batch_next,
		.xEof = batch_eof,
		.xColumn = batch_column,
		.xRowid = batch_rowid,
	};

	return sqlite3_create_module(db, "exit_batch", &module, batch);
}
