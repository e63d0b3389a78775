/* SPDX-License-Identifier: GPL-2.0-only */
/* hist.h - histograms of a recording as rows of table exit_hist */
#ifndef EXITSCOPE_ANALYZER_PUSH_HIST_H
#define EXITSCOPE_ANALYZER_PUSH_HIST_H

#include "analyzer/push/table.h"
#include "sql/hist.h"

/* Columns of sql/exit_hist.sql; those before HIST_TEXT are the first ones of the table. */
enum { HIST_SLOT = 5, HIST_TEXT = 12, HIST_PAIRS };

/* Columns of the table: after HIST_TEXT ones of the query come n, bucket, exits. */
#define HIST_VALUES (HIST_TEXT + 3)

/* struct hist - one histogram: n[i] exits are in bucket[i] */
struct hist {
	uint64_t bucket[HIST_BUCKETS];
	uint64_t n[HIST_BUCKETS];
	unsigned int buckets;
	uint64_t exits;
};

/**
 * hist_read - read the histogram of a row of exit_hist.sql
 * @value: the values for the table, filled in; they point into @hist and @stmt
 *
 * Return: 0, or -EBADMSG: a damaged text or bucket.
 */
int hist_read(struct hist *hist, sqlite3_stmt *stmt, struct value value[HIST_VALUES]);

#endif
