/* SPDX-License-Identifier: GPL-2.0-only */
/* verify_rows.h - one pass over all rows of a run, for all equations that look into them */
#ifndef EXITSCOPE_ANALYZER_QUERY_VERIFY_ROWS_H
#define EXITSCOPE_ANALYZER_QUERY_VERIFY_ROWS_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify_intervals.h"
#include "analyzer/verify/verify_leaf.h"

/*
 * @id: vcpu.id, rising. @n: rows of it in table exit; @uneven: those whose parts are more than
 * their time, or whose polled part is more than halted
 */
struct row_count {
	int64_t id;
	int64_t vm;
	int64_t n;
	int64_t uneven;
};

struct row_counts {
	struct row_count *vcpu;
	int count;
};

/**
 * row_counts_read - read table exit once
 * @counts: all 0; free it with row_counts_free() in any case
 * @intervals: gets each row
 * @leaves: gets each row, too; may be NULL
 *
 * Return: 0, or -1 with the reason in @app.
 */
int row_counts_read(struct app *app, struct row_counts *counts, struct intervals *intervals,
		    struct leaves *leaves);

/* What was counted of vcpu.id @vcpu; NULL: it is not of the run. */
const struct row_count *row_counts_get(const struct row_counts *counts, int64_t vcpu);

void row_counts_free(struct row_counts *counts);

#endif
