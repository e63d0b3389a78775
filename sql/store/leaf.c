// SPDX-License-Identifier: GPL-2.0-only
/* leaf.c - table leaf_reading: what a guest read of its CPUID leaves */
#include "sql/store/internal.h"

/* The run, or the last one for @run 0. STORE_RUNLESS: it does not exist. */
static int find_run(struct store *store, int64_t run, int64_t *found)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_find_run, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":run", run);
	rc = store_step_value(stmt, found);
	if (rc == SQLITE_DONE)
		return STORE_RUNLESS;
	return rc == SQLITE_ROW ? 0 : rc;
}

static int insert_all(struct store *store, int64_t run, const struct store_leaf *leaves,
		      size_t count)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_insert_leaf, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":run", run);
	for (const struct store_leaf *leaf = leaves; !rc && leaf < leaves + count; leaf++) {
		store_bind_int(stmt, ":leaf", leaf->leaf);
		store_bind_int(stmt, ":reason", leaf->reason);
		store_bind_int(stmt, ":eax", leaf->eax);
		store_bind_int(stmt, ":ebx", leaf->ebx);
		store_bind_int(stmt, ":ecx", leaf->ecx);
		store_bind_int(stmt, ":edx", leaf->edx);
		rc = store_step(stmt);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int store_add_leaves(struct store *store, int64_t run, const struct store_leaf *leaves,
		     size_t count)
{
	int64_t id;
	int rc = find_run(store, run, &id);

	if (!rc)
		rc = store_exec(store, "BEGIN");
	if (!rc)
		rc = insert_all(store, id, leaves, count);
	if (!rc)
		rc = store_exec(store, "COMMIT");
	if (rc)
		store_rollback(store);
	return rc;
}
