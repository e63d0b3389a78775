// SPDX-License-Identifier: GPL-2.0-only
/* leaf.c - table leaf_reading: what a guest read of its CPUID leaves */
#include "sql/store/internal.h"

/* The run, or the last one for @run 0; 0: there is none. */
static int find_run(struct store *store, int64_t run, int64_t *found)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db,
				    "SELECT id FROM run WHERE id = ?1 OR ?1 = 0 ORDER BY id DESC"
				    " LIMIT 1",
				    -1, &stmt, NULL);

	*found = 0;
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, run);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*found = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static int insert_all(struct store *store, int64_t run, const struct store_leaf *leaves,
		      size_t count)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(
		store->db,
		"INSERT INTO leaf_reading SELECT ?1, 1 + (SELECT coalesce(max(seq),"
		" 0) FROM leaf_reading WHERE run_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7",
		-1, &stmt, NULL);

	for (size_t i = 0; !rc && i < count; i++) {
		const uint32_t values[] = {leaves[i].leaf, leaves[i].reason, leaves[i].eax,
					   leaves[i].ebx,  leaves[i].ecx,    leaves[i].edx};

		sqlite3_bind_int64(stmt, 1, run);
		for (int v = 0; v < 6; v++)
			sqlite3_bind_int64(stmt, v + 2, values[v]);
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

	if (!rc && !id)
		rc = STORE_RUNLESS;
	if (!rc)
		rc = sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
	if (rc)
		return rc;
	rc = insert_all(store, id, leaves, count);
	if (!rc)
		rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (rc)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
