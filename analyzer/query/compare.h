/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.h - the difference of two runs, and whether chance explains it
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_COMPARE_H
#define EXITSCOPE_ANALYZER_QUERY_COMPARE_H

#include "analyzer/query/agg.h"
#include "analyzer/query/series.h"

/* One of the two runs, with a database connection of its own. */
struct side {
	struct app app;
	struct agg by_reason;
	struct series series;
};

/*
 * A quantile on both sides, in cycles of side A.
 * @low_a .. @high_a: its 95 % interval on side A
 */
struct quantile_change {
	double a, b;
	double low_a, high_a, low_b, high_b;
};

/*
 * One reason key in both runs.
 * @a, @b: its exits; NULL: none
 * @rate_a, @rate_b: exits per second; @seconds_a, @seconds_b: how long
 * @busy_a, @busy_b: share of the vCPUs' time without the halted part
 * @significant: whether the rates (or with total the counts) differ at 95 %
 */
struct change {
	int64_t key;
	const struct group *a, *b;
	double seconds_a, seconds_b;
	double rate_a, rate_b;
	double busy_a, busy_b;
	bool significant;
	struct quantile_change p50, p99;
};

/* Read what side->app.run is; free it with side_free(). */
int side_read(struct side *side);
void side_free(struct side *side);

/* Length of what was read, in seconds; never 0. */
double side_seconds(const struct side *side);

/*
 * Every reason that occurs in @a or @b. With @total counts are compared, else
 * rates. Free *change; it points into both sides.
 */
int changes_make(struct app *app, const struct side *a, const struct side *b, bool total,
		 struct change **change, uint32_t *n);

/* "new", "vanished", "more", "fewer" or "~". */
const char *change_word(const struct change *c, bool total);

/* "+12 %", "-3 %", "~"; NULL: only one side has it. */
const char *quantile_word(const struct change *c, const struct quantile_change *q, char *text,
			  size_t size);

/* What EPT has to do with it; NULL: nothing. @ept: -1 A alone has EPT, 1 B alone. */
const char *change_why(const struct change *c, int isa, int ept);

#endif
