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

double units_moment_unit(double most_ns)
{
	return most_ns < 1e3 ? 1 : most_ns < 1e6 ? 1e3 : most_ns < 1e9 ? 1e6 : 1e9;
}

const char *units_moment(double ns, double unit_ns, int decimals, char text[UNITS_TEXT])
{
	const char *unit = unit_ns < 1e3 ? "ns" : unit_ns < 1e6 ? "us" : unit_ns < 1e9 ? "ms" : "s";

	snprintf(text, UNITS_TEXT, "%.*f %s", decimals, ns / unit_ns, unit);
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
	/* What is not nothing must not read as nothing. */
	if (value > 0 && value < 0.005)
		return strcpy(text, "<0.01");
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

/* The digits before the point exactly: a double has only 53 bits. */
static int parse_number(const char *text, uint64_t *whole, double *fraction, const char **end)
{
	const char *at = text;

	*whole = 0;
	*fraction = 0;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(*whole, 10, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(*at - '0'), whole))
			return -EINVAL;
	if (*at == '.') {
		double part = 0.1;

		for (at++; isdigit((unsigned char)*at); at++, part /= 10)
			*fraction += (*at - '0') * part;
	}
	if (at == text || (at == text + 1 && *text == '.'))
		return -EINVAL;
	*end = at;
	return 0;
}

int units_parse_ns(const char *text, int64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9},	    {"s", 1e9},	 {"ms", 1e6},	{"us", 1e3},   {"ns", 1},
		     {"min", 60e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
	uint64_t whole;
	double fraction;
	const char *end;

	if (parse_number(text, &whole, &fraction, &end))
		return -EINVAL;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name) &&
		    ((double)whole + fraction) * units[i].ns < 9e18) {
			*ns = (int64_t)(whole * (uint64_t)units[i].ns) +
			      llround(fraction * units[i].ns);
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
