// SPDX-License-Identifier: GPL-2.0-only
/*
 * agg_totals.c - exits without a record, by KVM's exact totals; see agg.h and agg_rows.h
 */
#include "analyzer/query/sums/agg_rows.h"

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"

/* reason -1: the slot of KVM's totals for reasons that have none of their own. */
static const char totals_sql[] =
	"SELECT reason, n FROM crosscheck WHERE vcpu = ?1 AND source = ?2 AND reason IS NOT NULL";

/* Adds the totals of that source to the dropped exits of the groups. */
static int add_totals(struct app *app, const struct run *run, enum agg_by by, const char *source,
		      struct agg *agg)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(app, &stmt, totals_sql))
		return -1;
	sqlite3_bind_text(stmt, 2, source, -1, SQLITE_STATIC);

	for (unsigned int i = 0; i < run->n_vcpus && rc >= 0; i++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, run->vcpus[i].id);
		while ((rc = db_step(app, stmt)) > 0) {
			int64_t reason = sqlite3_column_int64(stmt, 0);
			struct group *to;

			if (!reason_passes(run, reason))
				continue;
			to = agg_group(agg, (int64_t[4]){by == BY_VCPU ? run->vcpus[i].id
							 : by == BY_VM ? run->vcpus[i].vm
								       : reason});
			if (!to) {
				rc = app_fail(app, "out of memory");
				break;
			}
			to->dropped += (uint64_t)sqlite3_column_int64(stmt, 1);
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

int agg_add_dropped(struct app *app, const struct run *run, enum agg_by by, struct agg *agg)
{
	if (!run->dropped || !run->has_totals)
		return 0;
	return add_totals(app, run, by, "totals_dropped", agg);
}

int agg_read_filtered(struct app *app, const struct run *run, struct agg *agg)
{
	return run->shown_filtered ? add_totals(app, run, BY_REASON, "totals_filtered", agg) : 0;
}
