// SPDX-License-Identifier: GPL-2.0-only
/*
 * coarse.c - the sums of long intervals, made when a run has ended
 *
 * Each level is summed up from the one below it, so all levels together cost
 * about as much as reading exit_rollup once.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sql/hist.h"

#define LEVELS 5

#define MOST_HISTS 512U /* in memory, 15 MiB: of 256 reasons two parts each */

/* Adds the row that @stmt is at to the histograms in memory. */
static int add_row(sqlite3_stmt *stmt, struct tally *tally)
{
	int rc = 0;

	for (int part = 0; part < STORE_PARTS && !rc; part++) {
		const struct tally_key key = {
			.reason = (uint32_t)sqlite3_column_int64(stmt, 0),
			.slot = part,
		};
		uint64_t *n = tally_at(tally, &key);

		rc = n ? store_hist_add(n, stmt, 1 + part) : -ENOSPC;
	}
	return rc;
}

/* Adds up the histograms of a vCPU and a range of reasons. -ENOSPC: there are too many. */
static int add_hist(struct store *store, int64_t vcpu, uint32_t from, uint32_t to,
		    struct tally *tally)
{
	sqlite3_stmt *stmt;
	int rc = store_prepare(store, store_sql_read_hist, &stmt);

	if (rc)
		return rc;

	store_bind_int(stmt, ":vcpu", vcpu);
	store_bind_int(stmt, ":from", from);
	store_bind_int(stmt, ":to", to);
	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = add_row(stmt, tally);

	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : rc;
}

static int insert_hist(sqlite3_stmt *stmt, int64_t vcpu, const struct tally_key *key,
		       const uint64_t *n)
{
	int rc = 0;

	for (int bucket = 0; bucket < (int)HIST_BUCKETS && !rc; bucket++) {
		const int64_t values[] = {vcpu, key->slot, key->reason, bucket, (int64_t)n[bucket]};

		if (!n[bucket])
			continue;
		for (int i = 0; i < 5; i++)
			sqlite3_bind_int64(stmt, i + 1, values[i]);
		rc = store_step(stmt);
	}
	return rc;
}

/* exit_hist_total of one vCPU and a range of reasons; @tally is empty before and after. */
static int total_hist(struct store *store, int64_t vcpu, uint32_t from, uint32_t to,
		      struct tally *tally, sqlite3_stmt *insert)
{
	int rc = add_hist(store, vcpu, from, to, tally);
	uint32_t middle = from + (to - from) / 2;
	uint32_t *order;

	if (rc == -ENOSPC) {
		tally_clear(tally);
		rc = total_hist(store, vcpu, from, middle, tally, insert);
		return rc ? rc : total_hist(store, vcpu, middle + 1, to, tally, insert);
	}

	order = rc ? NULL : tally_sorted(tally);
	if (!rc && !order)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < tally->count && !rc; i++)
		rc = insert_hist(insert, vcpu, &tally->keys[order[i]],
				 (uint64_t *)(tally->values + order[i] * tally->value_bytes));

	free(order);
	tally_clear(tally);
	return rc;
}

static int total_hists(struct store *store, int64_t run)
{
	sqlite3_stmt *vcpus = NULL, *insert = NULL;
	struct tally tally = {0};
	int rc = tally_init(&tally, HIST_BUCKETS * sizeof(uint64_t), MOST_HISTS);

	if (!rc)
		rc = store_prepare(store, store_sql_vcpus_of_run, &vcpus);
	if (!rc)
		rc = store_prepare(store, store_sql_insert_hist_total, &insert);
	if (!rc)
		store_bind_int(vcpus, ":run", run);

	while (!rc && (rc = sqlite3_step(vcpus)) == SQLITE_ROW)
		rc = total_hist(store, sqlite3_column_int64(vcpus, 0), 0, UINT32_MAX, &tally,
				insert);

	sqlite3_finalize(vcpus);
	sqlite3_finalize(insert);
	tally_free(&tally);
	return rc == SQLITE_DONE ? 0 : rc;
}

int store_coarse_rollups(struct store *store, int64_t run)
{
	int rc = store_exec_for_run(store, store_sql_coarse_first, run, 1);

	for (int level = 2; level <= LEVELS && !rc; level++)
		rc = store_exec_for_run(store, store_sql_coarse_next, run, level);
	return rc;
}

int store_coarse_write(struct store *store, int64_t run)
{
	int rc = store_exec(store, "BEGIN");

	if (!rc)
		rc = total_hists(store, run);
	if (!rc)
		rc = store_coarse_rollups(store, run);
	if (!rc)
		rc = store_exec(store, "COMMIT");
	if (rc)
		store_rollback(store);
	return rc;
}
