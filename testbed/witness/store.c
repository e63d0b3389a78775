// SPDX-License-Identifier: GPL-2.0-only
/* store.c - the CPU's counts in table crosscheck: by vCPU and reason */
#include "testbed/witness/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char delete_counts[] = "DELETE FROM crosscheck WHERE source = 'cpu'";
static const char insert_count[] =
	"INSERT INTO crosscheck (run_id, vcpu, source, name, reason, n, cycles) VALUES (?1, ?2, 'cpu', ?3, ?4, ?5, NULL)";

/* One exit, as it is counted. */
struct counted {
	uint32_t vcpu;
	uint32_t reason; /* the basic reason, or the exit code */
};

static int compare_counted(const void *left, const void *right)
{
	const struct counted *a = left;
	const struct counted *b = right;

	if (a->vcpu != b->vcpu)
		return a->vcpu < b->vcpu ? -1 : 1;
	return a->reason < b->reason ? -1 : a->reason > b->reason;
}

static int insert(sqlite3_stmt *stmt, const struct vcpu *vcpu, const char *name,
		  const struct counted *counted, int64_t n)
{
	sqlite3_bind_int64(stmt, 1, vcpu->run_id);
	if (counted) {
		sqlite3_bind_int64(stmt, 2, vcpu->id);
		sqlite3_bind_int64(stmt, 4, counted->reason);
	} else {
		sqlite3_bind_null(stmt, 2);
		sqlite3_bind_null(stmt, 4);
	}
	sqlite3_bind_text(stmt, 3, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, n);

	sqlite3_step(stmt);
	return sqlite3_reset(stmt);
}

/* The exits that belong to a vCPU, whether they have a record or not. */
static uint32_t collect(const struct judgement *judgement, struct counted *all)
{
	const struct events *events = judgement->events;
	uint32_t count = 0;

	for (uint32_t i = 0; i < events->count; i++) {
		uint32_t reason = events->exits[i].reason;

		if (judgement->vcpu_of[i] == EVENTS_NONE)
			continue;
		if (judgement->recording->isa == WITNESS_VMX)
			reason &= 0xffff;
		all[count++] = (struct counted){judgement->vcpu_of[i], reason};
	}
	qsort(all, count, sizeof(*all), compare_counted);
	return count;
}

static int insert_exits(const struct judgement *judgement, sqlite3_stmt *stmt)
{
	struct counted *all = malloc((judgement->events->count + 1UL) * sizeof(*all));
	uint32_t count;
	int rc = 0;

	if (!all)
		return SQLITE_NOMEM;

	count = collect(judgement, all);
	for (uint32_t i = 0; !rc && i < count;) {
		uint32_t first = i;

		while (i < count && !compare_counted(&all[first], &all[i]))
			i++;
		rc = insert(stmt, &judgement->recording->vcpus[all[first].vcpu], "exits",
			    &all[first], i - first);
	}
	free(all);
	return rc;
}

/* Of the run, not of a vCPU: faults of every kind, and what was compared. */
static int insert_summary(const struct judgement *judgement, sqlite3_stmt *stmt)
{
	const struct verdict *verdict = &judgement->verdict;
	const struct vcpu *any = &judgement->recording->vcpus[0];
	int64_t faults = 0;
	int rc;

	for (int i = 0; i < FAULTS; i++)
		faults += (int64_t)verdict->findings[i].count;

	rc = insert(stmt, any, "faults", NULL, faults);
	if (!rc)
		rc = insert(stmt, any, "fields", NULL, (int64_t)verdict->fields);
	return rc;
}

int store_counts(struct judgement *judgement, char *why, size_t why_bytes)
{
	sqlite3 *db = judgement->recording->db;
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (!judgement->recording->vcpu_count)
		return 0;

	/* The counts can be made again: no need to wait for the disk. */
	rc = sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_exec(db, delete_counts, NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_prepare_v2(db, insert_count, -1, &stmt, NULL);
	if (!rc)
		rc = insert_exits(judgement, stmt);
	if (!rc)
		rc = insert_summary(judgement, stmt);
	sqlite3_finalize(stmt);
	if (!rc)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (!rc)
		return 0;

	snprintf(why, why_bytes, "%s", sqlite3_errmsg(db));
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}
