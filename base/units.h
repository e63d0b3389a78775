/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * units.h - numbers for people, and back
 */
#ifndef EXITSCOPE_BASE_UNITS_H
#define EXITSCOPE_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT 32 /* bytes that every text fits in */

/* At least three digits: "953 ns", "1.23 us", "12.3 ms", "83.4 min", "2.50 h", "3.10 d" */
const char *units_ns(double ns, char text[UNITS_TEXT]);

/* The unit that units_moment() counts in where @most_ns is the largest of several moments. */
double units_moment_unit(double most_ns);

/*
 * A moment, in a unit of units_moment_unit(), with @decimals: "2.0005 s". Moments that are listed
 * have one unit, the second at most, and as many digits as tell them apart.
 */
const char *units_moment(double ns, double unit_ns, int decimals, char text[UNITS_TEXT]);

/* "1,234,567" */
const char *units_count(int64_t n, char text[UNITS_TEXT]);

/* "0", "<0.01", "9.53", "953", "12,345": for rates and ratios */
const char *units_real(double value, char text[UNITS_TEXT]);

/* "12.3 %"; "<0.1 %" for what is not nothing but rounds to it */
const char *units_share(double share, char text[UNITS_TEXT]);

/*
 * A duration such as 10s, 1.5ms, 200us, 50ns, 2min, 3h, 1d in ns (m is min, too); without a unit it
 * is in seconds. The number is of digits and one point at most: no sign, blank or exponent.
 * Returns 0 or -EINVAL; then *@ns is as it was.
 */
int units_parse_ns(const char *text, int64_t *ns);

/*
 * A whole number from @least (0 or more) to @most, of decimal digits alone: no sign, no blank.
 * Returns 0 or -EINVAL; then *@number is as it was.
 */
int units_parse_whole(const char *text, int64_t least, int64_t most, int64_t *number);

#endif
