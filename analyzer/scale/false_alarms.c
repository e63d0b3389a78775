// SPDX-License-Identifier: GPL-2.0-only
/*
 * false_alarms.c - how often analyzer compare tells of a change where there is none, and
 * finds one where there is one
 *
 *	bazel run -c opt //analyzer/scale:false_alarms [-- PAIRS]
 *
 * Prints a table, for PAIRS (default 100) pairs of recordings of each process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/scale/pairs.h"

static int print_row(const char *path, const struct process *process, unsigned int pairs)
{
	struct pairs result;
	char error[512];

	if (pairs_count(path, process, pairs, &result, error)) {
		fprintf(stderr, "false_alarms: %s\n", error);
		return -1;
	}
	printf("%-16s %7.0f s %8.0f %9u %6u %5u %5u %12u %12u\n", process->name, process->seconds,
	       process->seconds * process->per_s, result.false_any, result.false_rate,
	       result.false_p50, result.false_p99, result.found_rate, result.found_p50);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int pairs = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 100;
	char folder[] = "/tmp/false_alarms.XXXXXX", path[64];
	int rc = 0;

	if (!pairs || !mkdtemp(folder)) {
		fputs("usage: false_alarms [PAIRS]\n", stderr);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/pair.sqlite", folder);
	setvbuf(stdout, NULL, _IOLBF, 0);

	printf("of %u pairs of recordings       reported as changed: one process twice     found: real changes\n",
	       pairs);
	printf("%-16s %9s %8s %9s %6s %5s %5s %12s %12s\n", "process", "length", "exits", "any",
	       "rate", "P50", "P99", "rate +20 %", "P50 +10 %");
	for (const struct process *p = pairs_processes; p->name && !rc; p++)
		rc = print_row(path, p, pairs);
	rmdir(folder);
	return rc ? 1 : 0;
}
