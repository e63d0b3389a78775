// SPDX-License-Identifier: GPL-2.0-only
/*
 * units.c - numbers for people, and back; see units.h
 */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decimals(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

const char *units_ns(double ns, char text[UNITS_TEXT])
{
	static const struct {
		double ns;
		const char *name;
		double from; /* the least number of this unit */
	} units[] = {{86400e9, "d", 2},	 {3600e9, "h", 100.0 / 60}, {60e9, "min", 100.0 / 60},
		     {1e9, "s", 0.9995}, {1e6, "ms", 0.9995},	    {1e3, "us", 0.9995}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double value = ns / units[i].ns;

		/* 100 s, 100 min and 48 h stay; what rounds to 1000 goes a unit up. */
		if (value < units[i].from)
			continue;
		snprintf(text, UNITS_TEXT, "%.*f %s", decimals(value), value, units[i].name);
		return text;
	}
	snprintf(text, UNITS_TEXT, "%.0f ns", ns);
	return text;
}

const char *units_count(int64_t n, char text[UNITS_TEXT])
{
	char digits[UNITS_TEXT];
	int length = snprintf(digits, sizeof(digits), "%" PRId64, n);
	char *out = text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0 && digits[i - 1] != '-')
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

const char *units_real(double value, char text[UNITS_TEXT])
{
	if (fabs(value) >= 999.5 && fabs(value) < 9e18)
		return units_count(llround(value), text);
	snprintf(text, UNITS_TEXT, "%.*f", value == 0 ? 0 : decimals(fabs(value)), value);
	return text;
}

const char *units_share(double share, char text[UNITS_TEXT])
{
	double percent = 100 * share;

	if (percent > 0 && percent < 0.05)
		return strcpy(text, "<0.1 %");
	/* Not quite all must not read as all. */
	if (percent < 100 && percent >= 99.95)
		return strcpy(text, ">99.9 %");
	snprintf(text, UNITS_TEXT, "%.1f %%", percent);
	return text;
}

int units_parse_ns(const char *text, int64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9},	    {"s", 1e9},	 {"ms", 1e6},	{"us", 1e3},   {"ns", 1},
		     {"min", 60e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
	double value;
	char *end;

	/* strtod() takes more than people write: 0x10, inf, +1 and 1e3. */
	errno = 0;
	value = strtod(text, &end);
	if (errno || end == text || end != text + strspn(text, "0123456789."))
		return -EINVAL;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name) && value * units[i].ns < 9e18) {
			*ns = llround(value * units[i].ns);
			return 0;
		}
	return -EINVAL;
}

int units_parse_whole(const char *text, int64_t least, int64_t most, int64_t *number)
{
	long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || value < least || value > most)
		return -EINVAL;
	*number = value;
	return 0;
}
