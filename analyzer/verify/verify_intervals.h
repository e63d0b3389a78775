/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_intervals.h - the shortest, longest, first and last exit of each roll-up against its rows
 *
 * A sum over all intervals can't show a wrong extreme in one of them, so each interval of each
 * vCPU and reason is compared by itself.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_VERIFY_INTERVALS_H
#define EXITSCOPE_ANALYZER_QUERY_VERIFY_INTERVALS_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify.h"

/* Minimum, maximum, first and last. */
#define INTERVAL_KINDS (EQUATION_LAST - EQUATION_MIN + 1)

struct intervals;

/* All 0; NULL without memory. For the run @run. */
struct intervals *intervals_new(const struct run *run);

/* Adds a row of vcpu.id @vcpu with its full reason, in any order. -ENOMEM. */
int intervals_add(struct intervals *intervals, int64_t vcpu, int64_t reason, int64_t tsc,
		  int64_t cycles);

/*
 * struct rolled_interval - a roll-up
 * @vcpu: vcpu.id; @vm: vm.id; @vcpu_id: vcpu.vcpu_id
 * @value: in the order of the equations, unless @unknown
 */
struct rolled_interval {
	int64_t vcpu;
	int64_t vm;
	int64_t vcpu_id;
	int64_t slot;
	int64_t reason;
	int64_t value[INTERVAL_KINDS];
	bool unknown[INTERVAL_KINDS];
};

/*
 * Compares a roll-up with what was added; all rows must have been, and roll-ups come by vCPU.
 * -ENOMEM.
 */
int intervals_compare(struct intervals *intervals, const struct rolled_interval *rolled);

/*
 * Adds one comparison per vCPU to @checks: how many intervals have an extreme (@kind: EQUATION_MIN
 * to EQUATION_LAST), and how many the same as their rows. -1 with the reason in @app.
 */
int intervals_check(struct app *app, const struct intervals *intervals, enum equation_kind kind,
		    int equation, struct checks *checks);

void intervals_free(struct intervals *intervals);

#endif
