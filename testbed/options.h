/* SPDX-License-Identifier: GPL-2.0-only */
/* options.h - how the programs of the test bed refuse an option: as kvm/host/usage.sh does */
#ifndef TESTBED_OPTIONS_H
#define TESTBED_OPTIONS_H

#include <getopt.h>
#include <stdio.h>
#include <string.h>

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

#endif
