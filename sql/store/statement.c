// SPDX-License-Identifier: GPL-2.0-only
/* statement.c - runs statements: those of statements/, prepared once or when they are needed */
#include "sql/store/internal.h"

int store_exec(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		store_exec(store, "ROLLBACK");
}

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **stmt)
{
	return sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL);
}

void store_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, name), value);
}

void store_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, name), text, -1, SQLITE_STATIC);
}

int store_step(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	/* reset gives the same error again */
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : rc;
}

int store_step_once(sqlite3_stmt *stmt)
{
	int rc = store_step(stmt);

	sqlite3_finalize(stmt);
	return rc;
}

int store_step_value(sqlite3_stmt *stmt, int64_t *value)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc;
}

int store_exec_for_run(struct store *store, const char *sql, int64_t run, int level)
{
	int rc = 0;

	while (!rc && *sql) {
		sqlite3_stmt *stmt = NULL;

		rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, &sql);
		/* Nothing but space is left. */
		if (rc || !stmt)
			break;

		store_bind_int(stmt, ":run", run);
		store_bind_int(stmt, ":level", level);
		rc = store_step_once(stmt);
	}
	return rc;
}

int store_statements_prepare(struct store *store)
{
	const struct {
		const char *sql;
		sqlite3_stmt **stmt;
	} all[] = {
		{store_sql_insert_rows, &store->insert_rows},
		{store_sql_first_young_row, &store->first_young_row},
		{store_sql_trim_rows, &store->trim_rows},
		{store_sql_delete_chunk, &store->delete_chunk},
		{store_sql_trim_chunks, &store->trim_chunks},
		{store_sql_add_rollup, &store->add_rollup},
		{store_sql_find_hist, &store->find_hist},
		{store_sql_write_hist, &store->write_hist},
		{store_sql_insert_loss, &store->insert_loss},
		{store_sql_insert_crosscheck, &store->insert_crosscheck},
		{store_sql_update_vcpu, &store->update_vcpu},
	};
	int rc = chunk_row_prepare(store->db, &store->insert_chunk);

	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(*all); i++)
		rc = sqlite3_prepare_v3(store->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					all[i].stmt, NULL);
	return rc;
}

void store_statements_finalize(struct store *store)
{
	sqlite3_finalize(store->insert_rows);
	sqlite3_finalize(store->first_young_row);
	sqlite3_finalize(store->trim_rows);
	sqlite3_finalize(store->insert_chunk);
	sqlite3_finalize(store->delete_chunk);
	sqlite3_finalize(store->trim_chunks);
	sqlite3_finalize(store->add_rollup);
	sqlite3_finalize(store->find_hist);
	sqlite3_finalize(store->write_hist);
	sqlite3_finalize(store->insert_loss);
	sqlite3_finalize(store->insert_crosscheck);
	sqlite3_finalize(store->update_vcpu);
}
