// SPDX-License-Identifier: GPL-2.0-only
/* run.c - begins, finishes and discards runs */
#include "sql/store/internal.h"

#include <errno.h>

/* Column has_raw: which single exits there will be. */
enum has_raw {
	HAS_NO_ROWS,
	HAS_ALL_ROWS,
	HAS_LAST_ROWS,	 /* --keep-raw, --keep-rows */
	HAS_CHOSEN_ROWS, /* --trigger */
};

static enum has_raw rows_of(const struct store_run *run)
{
	if (!run->raw)
		return HAS_NO_ROWS;
	if (run->chosen)
		return HAS_CHOSEN_ROWS;
	return run->keep_cycles || run->keep_rows ? HAS_LAST_ROWS : HAS_ALL_ROWS;
}

static void bind_texts(sqlite3_stmt *stmt, const struct store_run *run)
{
	store_bind_text(stmt, ":label", run->label);
	store_bind_text(stmt, ":source", run->source);
	store_bind_text(stmt, ":environment", run->environment);
	store_bind_text(stmt, ":command", run->command);
	store_bind_text(stmt, ":collector", run->collector);

	store_bind_text(stmt, ":host", run->host);
	store_bind_text(stmt, ":kernel", run->kernel);
	store_bind_text(stmt, ":cpu_model", run->cpu_model);
	store_bind_text(stmt, ":microcode", run->microcode);

	store_bind_text(stmt, ":ept", run->ept);
	store_bind_text(stmt, ":vpid", run->vpid);
	store_bind_text(stmt, ":unrestricted_guest", run->unrestricted_guest);
	store_bind_text(stmt, ":nested", run->nested);
	store_bind_text(stmt, ":module_parameters", run->module_parameters);
}

static int insert_run(struct store *store, const struct store_run *run)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_insert_run, &stmt);

	if (rc)
		return rc;

	bind_texts(stmt, run);
	store_bind_int(stmt, ":isa", run->isa);
	store_bind_int(stmt, ":tsc_khz", run->tsc_khz);
	store_bind_int(stmt, ":tsc_start", (int64_t)run->tsc_start);
	store_bind_int(stmt, ":started_ns", run->started_ns);
	store_bind_int(stmt, ":rollup_cycles", (int64_t)store->rollup_cycles);
	store_bind_int(stmt, ":hist_cycles", (int64_t)store->hist_cycles);
	store_bind_int(stmt, ":has_raw", rows_of(run));
	store_bind_int(stmt, ":has_split", run->split);
	if (run->has_features)
		store_bind_int(stmt, ":features", (int64_t)run->features);

	return store_step_once(stmt);
}

/* Forgets the run before; memory is empty since it was finished or has failed. */
static void reset(struct store *store)
{
	store->failed_run = 0;
	store->pending = false;
	store->loss_count = 0;

	store_chunks_clear(store);
	store->vcpu_count = 0;
	store->recorded = 0;
	store->dropped = 0;
	store->unread = 0;
	store->unflushed = 0;

	store->last_tsc = 0;
	store->first_row = 0;
	store->last_row = 0;
}

static bool forms_agree(const struct store_run *run)
{
	return !run->compact || (run->raw && !run->chosen && !run->keep_rows);
}

int store_begin(struct store *store, const struct store_run *run)
{
	uint32_t rollup_ms = run->rollup_ms ? run->rollup_ms : STORE_ROLLUP_MS;
	int rc;

	if (store->run || !run->tsc_khz || STORE_HIST_MS % rollup_ms || !forms_agree(run))
		return -EINVAL;

	reset(store);
	store->isa = run->isa;
	store->raw = run->raw;
	store->chosen = run->chosen;
	store->compact = run->compact;
	store->is_split = run->split;
	store->keep_cycles = run->keep_cycles;
	store->keep_rows = run->keep_rows;
	store->tsc_start = run->tsc_start;
	store->rollup_cycles = (uint64_t)run->tsc_khz * rollup_ms;
	store->hist_cycles = (uint64_t)run->tsc_khz * STORE_HIST_MS;

	rc = run->compact ? store_chunks_begin(store) : 0;
	if (!rc)
		rc = insert_run(store, run);
	if (!rc)
		store->run = sqlite3_last_insert_rowid(store->db);
	return rc;
}

static int finish_run(struct store *store, int64_t run, const char *state, uint64_t tsc_end,
		      int64_t ended_ns)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_finish_run, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":run", run);
	store_bind_text(stmt, ":state", state);
	store_bind_int(stmt, ":tsc_end", (int64_t)tsc_end);
	store_bind_int(stmt, ":ended_ns", ended_ns);
	return store_step_once(stmt);
}

/* The chunks are made whole, and everything is written. */
static int flush_all(struct store *store)
{
	int rc = store_chunks_finish_all(store);

	return rc ? store_fail(store, rc) : store_write(store, true);
}

int store_finish(struct store *store, const char *state, uint64_t tsc_end, int64_t ended_ns)
{
	int flushed = store->run ? flush_all(store) : 0;
	/* The flush may have failed. */
	int64_t run = store->run ? store->run : store->failed_run;
	int rc;

	if (!run)
		return STORE_RUNLESS;

	rc = finish_run(store, run, flushed ? "interrupted" : state, tsc_end, ended_ns);
	if (!rc && !flushed)
		rc = store_coarse_write(store, run);
	store->run = 0;
	store->failed_run = 0;

	if (flushed)
		return flushed;
	return rc ? rc : store_check_place(store);
}

static int delete_run(struct store *store, int64_t run)
{
	int rc = store_exec(store, "BEGIN");

	if (!rc)
		rc = store_exec_for_run(store, store_sql_delete_run, run, 0);
	if (!rc)
		rc = store_exec(store, "COMMIT");
	if (rc)
		store_rollback(store);
	return rc;
}

int store_discard(struct store *store)
{
	int rc;

	if (store->run)
		store_fail(store, 0);
	if (store->empty) {
		store->restore = true;
		return 0;
	}

	/* On a full disk this may give room to delete in. */
	store_exec(store, "PRAGMA wal_checkpoint(TRUNCATE)");
	rc = delete_run(store, store->failed_run);
	store->failed_run = 0;
	return rc;
}
