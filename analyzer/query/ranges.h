/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ranges.h - a list of numbers and ranges, such as "0,2-5"
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_RANGES_H
#define EXITSCOPE_ANALYZER_QUERY_RANGES_H

#include "analyzer/query/app.h"

#define RANGES_MAX 64

/* @n 0: everything */
struct ranges {
	struct {
		int64_t low, high;
	} range[RANGES_MAX];
	unsigned int n;
};

/*
 * Read @text, the value of @option; NULL: everything. -1 with app->error.
 */
int ranges_parse(struct app *app, const char *option, const char *text, struct ranges *ranges);

/* Whether @value is in one of the ranges; with no range every value is. */
bool ranges_has(const struct ranges *ranges, int64_t value);

#endif
