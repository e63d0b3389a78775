// SPDX-License-Identifier: GPL-2.0-only
/*
 * ranges.c - a list of numbers and ranges; see ranges.h
 */
#include "analyzer/query/ranges.h"

#include <errno.h>
#include <stdlib.h>

static int fail(struct app *app, const char *option, const char *text)
{
	return app_fail(app, "%s %s: not a number or a list such as 0,2-5", option, text);
}

/* "3" or "2-5"; *text moves past it. */
static int parse_range(const char **text, int64_t *low, int64_t *high)
{
	char *end;

	errno = 0;
	*low = strtoll(*text, &end, 0);
	if (errno || end == *text || *low < 0)
		return -1;
	*high = *low;

	if (*end == '-') {
		const char *begin = end + 1;

		*high = strtoll(begin, &end, 0);
		if (errno || end == begin || *high < *low)
			return -1;
	}
	*text = end;
	return 0;
}

int ranges_parse(struct app *app, const char *option, const char *text, struct ranges *ranges)
{
	const char *at = text;

	ranges->n = 0;
	while (at) {
		if (ranges->n == RANGES_MAX)
			return app_fail(app, "%s: more than %d ranges", option, RANGES_MAX);
		if (parse_range(&at, &ranges->range[ranges->n].low, &ranges->range[ranges->n].high))
			return fail(app, option, text);
		ranges->n++;

		if (!*at)
			break;
		if (*at++ != ',')
			return fail(app, option, text);
	}
	return 0;
}

bool ranges_has(const struct ranges *ranges, int64_t value)
{
	for (unsigned int i = 0; i < ranges->n; i++)
		if (value >= ranges->range[i].low && value <= ranges->range[i].high)
			return true;
	return !ranges->n;
}
