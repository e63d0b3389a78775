/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hist_text.h - a histogram as a short text (table exit_hist_packed)
 *
 * One row per bucket takes 13 bytes and an insertion each; a slow machine fills a bucket with less
 * than ten exits in a second. As a text a bucket takes one or two bytes, and plain SQL can still
 * read it (view interval_histograms). The text is printable.
 *
 * FORMAT: each character is a step, a number of 0 to 8191 whose code point is 32 + number up to 94
 * and 66 + number above (this leaves out the control characters). Begin with bucket 0 and high 0:
 *
 *	odd, below 4096		high * 2048 + number / 2 exits in this bucket; then the next bucket,
 *				high 0
 *	even, below 4096	number / 2 buckets further; high 0
 *	4096 and more		high = high * 4096 + number - 4096
 *
 * Example: %"' are the steps 5, 2 and 7: two exits in bucket 0, none in 1, three in 2.
 */
#ifndef EXITSCOPE_SQL_HIST_TEXT_H
#define EXITSCOPE_SQL_HIST_TEXT_H

#include <stdint.h>

#include "sql/hist.h"

/* The longest text: a count of 64 bits has five characters of high and one more, 3 bytes each. */
#define HIST_TEXT_BYTES (HIST_BUCKETS * 18U)

/* Write the histogram @n to @text, which has room for HIST_TEXT_BYTES. Returns its bytes. */
uint32_t hist_text_write(const uint64_t n[HIST_BUCKETS], char *text);

/* A text that is read; @text may be anything. */
struct hist_text {
	const unsigned char *at;
	const unsigned char *end;
	uint32_t bucket; /* the next one */
};

void hist_text_begin(struct hist_text *reader, const void *text, uint32_t bytes);

/*
 * Read the next bucket that is not empty.
 * Return: 1: @bucket (below HIST_BUCKETS) has @n exits; 0: the end; -1: not such a text
 */
int hist_text_next(struct hist_text *reader, uint32_t *bucket, uint64_t *n);

#endif
