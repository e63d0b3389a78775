/* SPDX-License-Identifier: GPL-2.0-only */
/* options.h - how the programs of the test bed refuse an option, as kvm/host/usage.sh does, and
 * read a number
 */
#ifndef TESTBED_GUEST_OPTIONS_H
#define TESTBED_GUEST_OPTIONS_H

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* Long options and -h; errors come back as '?' and ':', without getopt's own words. */
#define OPTIONS_SHORT ":h"

/*
 * Says why getopt_long() with OPTIONS_SHORT returned @option, '?' or ':', of @argv, and the way
 * out. Call with opterr 0. Returns 1, the exit status.
 */
static inline int options_refuse(const char *program, int option, char *const *argv)
{
	const char *word = argv[optind - 1];
	const char *why = "unknown option";
	int length = (int)strcspn(word, "=");

	if (option == ':')
		why = "needs a value";
	else if (word[0] == '-' && word[1] == '-' && optopt)
		why = "takes no value";

	if (word[1] != '-' && optopt)
		fprintf(stderr, "%s: -%c: %s (%s --help)\n", program, optopt, why, program);
	else
		fprintf(stderr, "%s: %.*s: %s (%s --help)\n", program, length, word, why, program);
	return 1;
}

/*
 * Reads @text, the value of --@option, as a decimal number from @least to @most. Returns 0, or -1
 * after a message; then *@number is as it was.
 */
static inline int options_number(const char *program, const char *option, const char *text,
				 uint32_t least, uint32_t most, uint32_t *number)
{
	int64_t value;

	if (units_parse_whole(text, least, most, &value)) {
		fprintf(stderr,
			"%s: --%s %s: not a number from %" PRIu32 " to %" PRIu32 " (%s --help)\n",
			program, option, text, least, most, program);
		return -1;
	}

	*number = (uint32_t)value;
	return 0;
}

#endif
