// SPDX-License-Identifier: GPL-2.0-only
/*
 * transaction.c - one transaction from flush to flush: begins, is written out, fails
 */
#include "sql/store/internal.h"

#include <string.h>

int store_transaction(struct store *store)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (store->in_transaction)
		return 0;
	rc = sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
	store->in_transaction = !rc;
	return rc ? store_fail(store, rc) : 0;
}

int store_fail(struct store *store, int rc)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = false;
	store_rows_clear(&store->image);
	store->failed_run = store->run;
	store->run = 0;
	return rc;
}

static int write_vcpus(struct store *store)
{
	sqlite3_stmt *stmt = store->update_vcpu;
	int rc = 0;

	for (struct vcpu_state *v = store->vcpus; !rc && v < store->vcpus + store->vcpu_count;
	     v++) {
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
 * Deletes rows that are older than what is to be kept, but never the youngest.
 * Marks are at least keep/63 apart, so 64 marks cover the kept time. Deletes all
 * rows up to the newest mark that is too old.
 */
static int trim_rows(struct store *store)
{
	struct row_mark *marks = store->marks;
	uint64_t step = store->keep_cycles / (STORE_MARKS - 1) + 1;
	int old = 0;
	int rc;

	if (!store->mark_count || store->last_tsc - marks[store->mark_count - 1].tsc >= step)
		marks[store->mark_count++] = (struct row_mark){store->last_tsc, store->last_row};

	while (old < store->mark_count && store->last_tsc - marks[old].tsc > store->keep_cycles)
		old++;
	if (!old)
		return 0;

	sqlite3_bind_int64(store->trim_rows, 1, store->first_row);
	sqlite3_bind_int64(store->trim_rows, 2, marks[old - 1].rowid);
	rc = store_step(store->trim_rows);

	store->first_row = marks[old - 1].rowid + 1;
	store->mark_count -= old;
	memmove(marks, marks + old, (size_t)store->mark_count * sizeof(*marks));
	return rc;
}

int store_flush(struct store *store)
{
	int rc;

	if (!store->run)
		return STORE_RUNLESS;
	if (!store->in_transaction)
		return 0;
	rc = store_rows_write(store);
	if (!rc)
		rc = store_sum_write(store);
	if (!rc)
		rc = write_vcpus(store);
	if (!rc && store->raw && store->keep_cycles)
		rc = trim_rows(store);
	if (!rc)
		rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (rc)
		return store_fail(store, rc);
	store->in_transaction = false;
	store->unflushed = 0;
	return 0;
}
