// SPDX-License-Identifier: GPL-2.0-only
/*
 * transaction.c - one transaction from flush to flush: begins, is written out, fails
 */
#include "sql/store/internal.h"

#include <string.h>

/* BEGIN that waits at most @patience_ms for other writers; SQLITE_BUSY after that. */
static int begin(struct store *store, int patience_ms)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (store->in_transaction)
		return 0;

	/*
	 * The statement writes nothing but takes the lock, so that no later one can find the file
	 * busy. BEGIN IMMEDIATE would also lock database batch, which rows.c replaces.
	 */
	sqlite3_busy_timeout(store->db, patience_ms);
	rc = store_exec(store, "BEGIN; DELETE FROM main.run WHERE FALSE");
	sqlite3_busy_timeout(store->db, STORE_PATIENCE_MS);

	if (rc)
		store_rollback(store);
	store->in_transaction = !rc;
	return rc;
}

int store_transaction(struct store *store)
{
	int rc = begin(store, STORE_PATIENCE_MS);

	if (!rc)
		store->pending = true;
	return rc && rc != STORE_RUNLESS ? store_fail(store, rc) : rc;
}

int store_fail(struct store *store, int rc)
{
	rc = store_cause(store, rc);
	store_rollback(store);
	store->in_transaction = false;

	store_rows_clear(&store->image);
	store_chunks_clear(store);
	store_sum_clear(store);
	store->loss_count = 0;
	store->pending = false;

	if (store->run)
		store->failed_run = store->run;
	store->run = 0;
	return rc;
}

static int write_vcpus(struct store *store)
{
	sqlite3_stmt *stmt = store->update_vcpu;
	int rc = 0;

	for (int i = 0; !rc && i < store->vcpu_count; i++) {
		struct vcpu_state *v = &store->vcpus[i];

		if (!v->dirty)
			continue;
		sqlite3_bind_int64(stmt, 1, v->id);
		sqlite3_bind_int64(stmt, 2, (sqlite3_int64)v->recorded);
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)v->dropped);
		rc = store_step(stmt);
		v->dirty = false;
	}
	return rc;
}

/*
 * Sets *@last to the row before the first one that is young enough. What is read here is deleted
 * next, except for that one, so a row is read once.
 */
static int find_old_rows(struct store *store, int64_t *last)
{
	sqlite3_stmt *stmt = store->first_young_row;
	int rc;

	if (store->last_tsc < store->keep_cycles)
		return 0;
	sqlite3_bind_int64(stmt, 1, store->first_row);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)(store->last_tsc - store->keep_cycles));
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*last = sqlite3_column_int64(stmt, 0) - 1;
	else if (rc == SQLITE_DONE)
		*last = store->last_row;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? sqlite3_reset(stmt) : store_step(stmt);
}

/*
 * Deletes rows that are too old or too many. Those of the run have rising numbers, as the last one
 * stays: SQLite numbers the rows of an empty table from 1 again.
 */
static int trim_rows(struct store *store)
{
	int64_t last = 0;
	int rc;

	if (!store->first_row)
		return 0;
	rc = store->keep_cycles ? find_old_rows(store, &last) : 0;
	if (rc)
		return rc;
	if (store->keep_rows && store->last_row - last > (int64_t)store->keep_rows)
		last = store->last_row - (int64_t)store->keep_rows;
	if (last >= store->last_row)
		last = store->last_row - 1;
	if (last < store->first_row)
		return 0;

	sqlite3_bind_int64(store->trim_rows, 1, store->first_row);
	sqlite3_bind_int64(store->trim_rows, 2, last);
	rc = store_step(store->trim_rows);
	store->first_row = last + 1;
	return rc;
}

/* Everything in memory goes into the open transaction. */
static int write_all(struct store *store)
{
	int rc = store->compact ? store_chunks_write(store) : store_rows_write(store);

	if (!rc)
		rc = store_sum_write(store);
	if (!rc)
		rc = store_write_losses(store);
	if (!rc)
		rc = write_vcpus(store);
	if (!rc && store->compact && store->keep_cycles)
		rc = store_chunks_trim(store);
	else if (!rc && store->raw && (store->keep_cycles || store->keep_rows))
		rc = trim_rows(store);
	return rc;
}

int store_write(struct store *store, bool must)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (!store->pending)
		return 0;

	rc = begin(store, must ? STORE_PATIENCE_MS : 0);
	if (rc == SQLITE_BUSY && !must)
		return 0;
	if (!rc)
		rc = write_all(store);
	if (!rc)
		rc = store_exec(store, "COMMIT");
	if (rc)
		return store_fail(store, rc);

	store->in_transaction = false;
	store->pending = false;
	store->unflushed = 0;
	return 0;
}

int store_flush(struct store *store)
{
	return store_write(store, false);
}
