// SPDX-License-Identifier: GPL-2.0-only
/*
 * rowids.c - which rows of table exit a window needs; see rowids.h
 */
#include "analyzer/query/rowids.h"

#include "analyzer/query/db.h"
#include "analyzer/query/queries.h"

#define FIRST_MARGIN 4096 /* rows at each side */
#define GROWTH	     4

/*
 * struct search - the rows of a file
 * @low, @high: rowids of the first and last one
 * @low_vcpu, @high_vcpu: vcpu.id of the run are from here to there
 * @probe: a row at or after a rowid
 */
struct search {
	int64_t low, high;
	int64_t low_vcpu, high_vcpu;
	sqlite3_stmt *probe;
};

/* Whether the row at or after @rowid is of another, earlier run, or began before @tsc. */
static int is_before(struct app *app, const struct search *search, int64_t rowid, int64_t tsc)
{
	int64_t vcpu;
	int rc;

	sqlite3_reset(search->probe);
	sqlite3_bind_int64(search->probe, 1, rowid);
	rc = db_step(app, search->probe);
	if (rc <= 0)
		return rc;

	vcpu = sqlite3_column_int64(search->probe, 0);
	if (vcpu < search->low_vcpu || vcpu > search->high_vcpu)
		return vcpu < search->low_vcpu;
	return sqlite3_column_int64(search->probe, 1) < tsc;
}

/* Roughly the first row that began at @tsc or later. */
static int find(struct app *app, const struct search *search, int64_t tsc, int64_t *rowid)
{
	int64_t low = search->low, high = search->high;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		int before = is_before(app, search, middle, tsc);

		if (before < 0)
			return -1;
		if (before)
			low = middle + 1;
		else
			high = middle;
	}
	*rowid = low;
	return 0;
}

static int read_ends(struct app *app, const struct run *run, struct search *search)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, query_rowids_ends))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	rc = db_step(app, stmt);
	if (rc > 0) {
		search->low = sqlite3_column_int64(stmt, 0);
		search->high = sqlite3_column_int64(stmt, 1);
		search->low_vcpu = sqlite3_column_int64(stmt, 2);
		search->high_vcpu = sqlite3_column_int64(stmt, 3);
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* Returns 1 with search->probe prepared, 0 where rowids can't be searched, or -1. */
static int begin(struct app *app, const struct run *run, struct search *search)
{
	if (read_ends(app, run, search))
		return -1;
	/* No collector gets that far: sums of rowids must not overflow. */
	if (search->low < 0 || search->high > INT64_MAX / 4)
		return 0;
	return db_prepare(app, &search->probe, query_rowids_probe) ? -1 : 1;
}

/* One number: exits in the intervals of the window, by the roll-ups or by rows @first to @last. */
static int count(struct app *app, const struct run *run, const char *sql, int64_t first,
		 int64_t last, int64_t *n)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, sql))
		return -1;
	/* Without --from or --to also what is before the start or after the end. */
	sqlite3_bind_int64(stmt, 1, run->id);
	sqlite3_bind_int64(stmt, 2, run->from ? run->from / run->rollup_cycles : INT64_MIN);
	sqlite3_bind_int64(stmt, 3,
			   run->to != INT64_MAX ? run->to / run->rollup_cycles : INT64_MAX);
	if (sqlite3_bind_parameter_count(stmt) > 3) {
		sqlite3_bind_int64(stmt, 4, run->tsc_start);
		sqlite3_bind_int64(stmt, 5, run->rollup_cycles);
		sqlite3_bind_int64(stmt, 6, first);
		sqlite3_bind_int64(stmt, 7, last);
	}

	rc = db_step(app, stmt);
	*n = rc > 0 ? sqlite3_column_int64(stmt, 0) : -1;
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* Lets the range @from to @to grow until no row of the window is outside. */
static int grow(struct app *app, struct run *run, const struct search *search, int64_t from,
		int64_t to)
{
	int64_t all = search->high - search->low, margin = FIRST_MARGIN, rolled, n;

	if (count(app, run, query_rowids_rollups, 0, 0, &rolled))
		return -1;

	/* Reading more than half of the rows for the count alone is worse than reading all. */
	for (; to - from + 2 * margin < all / 2; margin *= GROWTH) {
		int64_t first = from - search->low > margin ? from - margin : search->low;
		int64_t last = search->high - to > margin ? to + margin : search->high;

		if (count(app, run, query_rowids_rows, first, last, &n))
			return -1;
		if (n == rolled) {
			run->first_row = first;
			run->last_row = last;
			return 0;
		}
	}
	return 0;
}

int rowids_find(struct app *app, struct run *run)
{
	struct search search = {0};
	int64_t from, to, end;
	int rc;

	run->first_row = INT64_MIN;
	run->last_row = INT64_MAX;

	/* Without the first rows, the roll-ups say nothing of how many there must be. Chunks say
	 * themselves when their exits were. */
	if (run->has_raw != RAW_ALL || app->has_chunks)
		return 0;

	rc = begin(app, run, &search);
	if (rc <= 0)
		return rc;

	if (__builtin_add_overflow(run->tsc_start, run->to, &end))
		end = INT64_MAX;
	rc = find(app, &search, run->tsc_start + run->from, &from);
	if (!rc)
		rc = find(app, &search, end, &to);
	sqlite3_finalize(search.probe);

	if (!rc && to >= from)
		rc = grow(app, run, &search, from, to);
	return rc;
}

int rowids_find_last(struct app *app, const struct run *run, int64_t *rowid)
{
	struct search search = {0};
	int rc;

	*rowid = INT64_MAX;
	rc = begin(app, run, &search);
	if (rc <= 0)
		return rc;

	rc = find(app, &search, INT64_MAX, rowid);
	sqlite3_finalize(search.probe);
	return rc;
}
