/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pairs.h - how often analyzer compare is right about two recordings of made-up processes
 */
#ifndef EXITSCOPE_ANALYZER_SCALE_PAIRS_H
#define EXITSCOPE_ANALYZER_SCALE_PAIRS_H

#include "analyzer/query/compare/compare.h"
#include "analyzer/scale/process.h"

/*
 * struct pairs - of so many pairs of recordings
 * @pairs: of two recordings of one process
 * @false_any, @false_rate, @false_p50, @false_p99: reported as changed
 * @found_rate: reported as more, of pairs whose second process has 20 % more exits
 * @found_p50: reported as longer, of pairs whose second process has exits that take 10 % longer
 */
struct pairs {
	unsigned int pairs;
	unsigned int false_any, false_rate, false_p50, false_p99;
	unsigned int found_rate, found_p50;
};

/* The processes of the table; the last one has no name. */
extern const struct process pairs_processes[];

/**
 * pairs_count - compare @pairs pairs of each kind
 * @path: of the database, made and removed
 *
 * Return: 0, or -1 with @error, at most 512 bytes.
 */
int pairs_count(const char *path, const struct process *process, unsigned int pairs,
		struct pairs *result, char *error);

/**
 * pairs_compare - what compare says of one recording of @a and one of @b
 * @change: without the groups that it points to
 *
 * Return: as pairs_count().
 */
int pairs_compare(const char *path, const struct process *a, const struct process *b,
		  struct change *change, char *error);

#endif
