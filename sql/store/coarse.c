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

#define SUMS                                                                                       \
	"reason, sum(n), sum(cycles), sum(halted_cycles), sum(userspace_cycles),"                  \
	" sum(preempted_cycles), " LEAST(                                                          \
		"min_cycles") ", max(max_cycles), sum(n_fastpath),"                                \
			      " sum(n_nested), sum(n_user), sum(n_synth), " LEAST(                 \
				      "first_tsc") ", max(last_tsc)"
/* Unknown as soon as one value is. */
#define LEAST(column) "CASE WHEN count(" column ") = count(*) THEN min(" column ") END"
#define VCPUS	      "vcpu " VCPUS_OF_RUN
#define VCPUS_ID      "id " VCPUS_OF_RUN
#define VCPUS_OF_RUN  "IN (SELECT c.id FROM vcpu c JOIN vm m ON m.id = c.vm_id WHERE m.run_id = ?1)"

/* One statement with the run's id and the level bound. */
static int run_sql(struct store *store, const char *sql, int64_t run, int level)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, run);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		sqlite3_bind_int(stmt, 2, level);
	rc = store_step(stmt);
	sqlite3_finalize(stmt);
	return rc;
}

#define MOST_REASONS 512U /* of one vCPU, times two parts */

/* Adds up the histograms of a vCPU. SQLite's own GROUP BY takes six times as long. */
static int add_hist(struct store *store, int64_t vcpu, struct tally *tally)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db,
				    "SELECT reason, part, bucket, n FROM exit_hist WHERE vcpu = ?",
				    -1, &stmt, NULL);

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, vcpu);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct tally_key key = {.reason = (uint32_t)sqlite3_column_int64(stmt, 0),
					      .slot = sqlite3_column_int(stmt, 1)};
		uint32_t bucket = (uint32_t)sqlite3_column_int64(stmt, 2);
		uint64_t *n = tally_at(tally, &key);

		if (!n || bucket >= HIST_BUCKETS) {
			rc = n ? SQLITE_CORRUPT : -ENOMEM;
			break;
		}
		n[bucket] += (uint64_t)sqlite3_column_int64(stmt, 3);
	}
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

/* exit_hist_total of one vCPU; @tally is empty before and after. */
static int total_hist(struct store *store, int64_t vcpu, struct tally *tally, sqlite3_stmt *insert)
{
	int rc = add_hist(store, vcpu, tally);
	uint32_t *order = rc ? NULL : tally_sorted(tally);

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
	int rc = tally_init(&tally, HIST_BUCKETS * sizeof(uint64_t), MOST_REASONS);

	if (!rc)
		rc = sqlite3_prepare_v2(store->db, "SELECT id FROM vcpu WHERE " VCPUS_ID, -1,
					&vcpus, NULL);
	if (!rc)
		rc = sqlite3_prepare_v2(store->db, "INSERT INTO exit_hist_total VALUES (?,?,?,?,?)",
					-1, &insert, NULL);
	if (!rc)
		rc = sqlite3_bind_int64(vcpus, 1, run);
	while (!rc && (rc = sqlite3_step(vcpus)) == SQLITE_ROW)
		rc = total_hist(store, sqlite3_column_int64(vcpus, 0), &tally, insert);
	sqlite3_finalize(vcpus);
	sqlite3_finalize(insert);
	tally_free(&tally);
	return rc == SQLITE_DONE ? 0 : rc;
}

int store_coarse_rollups(struct store *store, int64_t run)
{
	static const char first[] =
		"INSERT INTO exit_rollup_coarse SELECT vcpu, 1, slot / 8, " SUMS
		" FROM exit_rollup WHERE " VCPUS " GROUP BY vcpu, slot / 8, reason";
	static const char next[] = "INSERT INTO exit_rollup_coarse SELECT vcpu, ?2, slot / 8, " SUMS
				   " FROM exit_rollup_coarse WHERE level = ?2 - 1 AND " VCPUS
				   " GROUP BY vcpu, slot / 8, reason";
	int rc = run_sql(store, first, run, 1);

	for (int level = 2; level <= LEVELS && !rc; level++)
		rc = run_sql(store, next, run, level);
	return rc;
}

int store_coarse_write(struct store *store, int64_t run)
{
	int rc = sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);

	if (!rc)
		rc = total_hists(store, run);
	if (!rc)
		rc = store_coarse_rollups(store, run);
	if (!rc)
		rc = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);

	if (rc && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
