/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_leaf.h - the totals that a guest read from its CPUID leaves against the recorded exits
 *
 * A reading of a leaf is a CPUID exit itself. KVM adds the totals of all vCPUs up at some time of
 * that exit: it has counted each exit that had begun by then, and the time of each exit that had
 * ended. Exits of the reading vCPU are therefore known exactly. One of another vCPU that begins or
 * ends while the leaf is read may be in or not, so the right value has two bounds.
 *
 * The bounds of all readings come from one pass over the rows. Then readings and CPUID exits are
 * aligned: both are in order, but exits of other guests, and readings that nobody imported, lie
 * between them.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_VERIFY_LEAF_H
#define EXITSCOPE_ANALYZER_QUERY_VERIFY_LEAF_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify.h"

/* One row of table exit. @reason: basic reason. @time_cycles: what the leaves add up. */
struct leaf_row {
	int64_t vcpu;
	int64_t vm;
	int64_t reason;
	int64_t tsc;
	int64_t cycles;
	int64_t time_cycles;
};

struct leaves;

/**
 * leaves_open - read the readings of app->run and the CPUID exits that can be theirs
 * @leaves: set; NULL: the run has no readings
 *
 * Return: 0, or -1 with the reason in @app.
 */
int leaves_open(struct app *app, struct leaves **leaves);

/* Adds a row, in any order. */
void leaves_add(struct leaves *leaves, const struct leaf_row *row);

/* Adds one comparison per reading to @checks, after all rows. -1 with the reason in @app. */
int leaves_check(struct app *app, struct leaves *leaves, int equation, struct checks *checks);

void leaves_close(struct leaves *leaves);

#endif
