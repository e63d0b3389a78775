// SPDX-License-Identifier: GPL-2.0-only
/*
 * hist.c - histograms as rows of table exit_hist; see hist.h
 */
#include "analyzer/push/hist.h"

#include <errno.h>
#include <stdlib.h>

#include "sql/hist_text.h"

static int add_bucket(struct hist *hist, uint64_t bucket, uint64_t n)
{
	if (bucket >= HIST_BUCKETS || hist->buckets == HIST_BUCKETS)
		return -EBADMSG;
	hist->bucket[hist->buckets] = bucket;
	hist->n[hist->buckets++] = n;
	hist->exits += n;
	return 0;
}

/* "BUCKET N BUCKET N ..." */
static int read_pairs(struct hist *hist, const char *pairs)
{
	while (pairs && *pairs) {
		char *end;
		uint64_t bucket = strtoull(pairs, &end, 10), n;

		if (end == pairs)
			return -EBADMSG;
		pairs = end;
		n = strtoull(pairs, &end, 10);
		if (end == pairs || add_bucket(hist, bucket, n))
			return -EBADMSG;
		pairs = end + (*end == ' ');
	}
	return 0;
}

static int read_text(struct hist *hist, const void *text, int bytes)
{
	struct hist_text reader;
	uint32_t bucket;
	uint64_t n;
	int rc;

	hist_text_begin(&reader, text, (uint32_t)bytes);
	while ((rc = hist_text_next(&reader, &bucket, &n)) > 0) {
		if (add_bucket(hist, bucket, n))
			return -EBADMSG;
	}
	return rc ? -EBADMSG : 0;
}

int hist_read(struct hist *hist, sqlite3_stmt *stmt, struct value value[HIST_VALUES])
{
	int rc;

	hist->buckets = 0;
	hist->exits = 0;
	if (sqlite3_column_type(stmt, HIST_TEXT) == SQLITE_TEXT)
		rc = read_text(hist, sqlite3_column_text(stmt, HIST_TEXT),
			       sqlite3_column_bytes(stmt, HIST_TEXT));
	else
		rc = read_pairs(hist, (const char *)sqlite3_column_text(stmt, HIST_PAIRS));

	for (int i = 0; i < HIST_TEXT; i++)
		value[i] = value_of(stmt, i);
	value[HIST_TEXT] = (struct value){.kind = VALUE_INTEGER, .integer = (int64_t)hist->exits};
	value[HIST_TEXT + 1] =
		(struct value){.kind = VALUE_ARRAY, .array = hist->bucket, .length = hist->buckets};
	value[HIST_TEXT + 2] =
		(struct value){.kind = VALUE_ARRAY, .array = hist->n, .length = hist->buckets};
	return rc;
}
