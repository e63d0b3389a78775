// SPDX-License-Identifier: GPL-2.0-only
/* hists.c - reads histograms of intervals; see hists.h */
#include "analyzer/query/sums/hists.h"

#include <stdlib.h>

#include "analyzer/query/db.h"
#include "sql/hist_text.h"

static const char packed_sql[] =
	"SELECT slot, reason, cycles, handler_cycles FROM exit_hist_packed WHERE vcpu = ?1 AND slot BETWEEN ?2 AND ?3";
static const char rows_sql[] =
	"SELECT slot, reason, part, bucket, n FROM exit_hist WHERE vcpu = ?1 AND slot BETWEEN ?2 AND ?3";

int hists_open(struct app *app, struct hists *hists)
{
	*hists = (struct hists){.app = app};
	hists->bucket = malloc(HIST_BUCKETS * sizeof(*hists->bucket));
	if (!hists->bucket)
		return app_fail(app, "out of memory");
	if (db_prepare(app, &hists->packed, packed_sql) || db_prepare(app, &hists->rows, rows_sql))
		return -1;
	return 0;
}

void hists_close(struct hists *hists)
{
	sqlite3_finalize(hists->packed);
	sqlite3_finalize(hists->rows);
	free(hists->bucket);
}

static void bind(sqlite3_stmt *stmt, int64_t vcpu, int64_t first, int64_t last)
{
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, first);
	sqlite3_bind_int64(stmt, 3, last);
}

/* The text in @column as the part or parts that it is of. */
static int add_text(struct hists *hists, int column, struct hist_buckets *at, unsigned int parts,
		    hists_add *add, void *context)
{
	const unsigned char *text = sqlite3_column_text(hists->packed, column);
	int bytes = sqlite3_column_bytes(hists->packed, column), rc;
	struct hist_text reader;
	uint32_t count = 0, bucket;
	uint64_t n;

	/* Each step goes to a later bucket, or ends the text: there are at most HIST_BUCKETS. */
	hist_text_begin(&reader, text, text ? (uint32_t)bytes : 0);
	while ((rc = hist_text_next(&reader, &bucket, &n)) > 0)
		hists->bucket[count++] = (struct hist_bucket){bucket, n};
	if (rc < 0)
		return app_fail(hists->app,
				"%s: the database is damaged: a histogram is not a text of buckets",
				hists->app->path);

	at->count = count;
	at->bucket = hists->bucket;
	for (at->part = 0; count && at->part < 2; at->part++) {
		if ((parts & 1U << at->part) && add(context, at))
			return -1;
	}
	return 0;
}

static int read_packed(struct hists *hists, unsigned int parts, hists_add *add, void *context)
{
	sqlite3_stmt *stmt = hists->packed;
	int rc;

	while ((rc = db_step(hists->app, stmt)) > 0) {
		struct hist_buckets at = {
			.slot = sqlite3_column_int64(stmt, 0),
			.reason = sqlite3_column_int64(stmt, 1),
		};
		bool same = sqlite3_column_type(stmt, 3) == SQLITE_NULL;
		unsigned int of_first = same ? parts : parts & HISTS_CYCLES;

		if (of_first && add_text(hists, 2, &at, of_first, add, context))
			return -1;
		if (!same && (parts & HISTS_HANDLER) &&
		    add_text(hists, 3, &at, HISTS_HANDLER, add, context))
			return -1;
	}
	return rc;
}

static int read_rows(struct hists *hists, unsigned int parts, hists_add *add, void *context)
{
	sqlite3_stmt *stmt = hists->rows;
	int rc;

	while ((rc = db_step(hists->app, stmt)) > 0) {
		const struct hist_bucket bucket = {
			.bucket = sqlite3_column_int64(stmt, 3),
			.n = (uint64_t)sqlite3_column_int64(stmt, 4),
		};
		const struct hist_buckets at = {
			.slot = sqlite3_column_int64(stmt, 0),
			.reason = sqlite3_column_int64(stmt, 1),
			.part = sqlite3_column_int(stmt, 2),
			.count = 1,
			.bucket = &bucket,
		};

		if ((at.part == 0 && (parts & HISTS_CYCLES)) ||
		    (at.part == 1 && (parts & HISTS_HANDLER))) {
			if (add(context, &at))
				return -1;
		}
	}
	return rc;
}

int hists_read(struct hists *hists, int64_t vcpu, int64_t first, int64_t last, unsigned int parts,
	       hists_add *add, void *context)
{
	bind(hists->packed, vcpu, first, last);
	bind(hists->rows, vcpu, first, last);
	if (read_packed(hists, parts, add, context))
		return -1;
	return read_rows(hists, parts, add, context);
}
