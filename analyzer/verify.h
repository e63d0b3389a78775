/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify.h - the equations that a recording must fulfil
 *
 * Each is a query over the tables. It yields one row per comparison:
 *
 *	vm, vcpu_id	NULL: all of them
 *	reason		basic exit reason or exit code; NULL: all
 *	left, right	both sides
 *	unexplained	what is left of the difference, 0 when all is explained
 *	why		the parts of the explanation with their numbers, ''
 *
 * and no row where the run lacks a side. Parameters: ?1 run, ?2 isa. Every query
 * begins with verify_common, whose tables v, x and r it may use.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_H
#define EXITSCOPE_ANALYZER_VERIFY_H

/*
 * @name: for scripts, stays the same
 * @left, @right: what is compared
 * @source: what must have been recorded for it
 */
struct equation {
	const char *name;
	const char *left;
	const char *right;
	const char *source;
	const char *sql;
};

extern const char verify_common[];
extern const struct equation verify_equations[];
extern const int verify_equation_count;

/*
 * vm, vcpu_id, reason, delta, n: record cycles minus the interval from kvm_exit to
 * kvm_entry of the same exit. On an idle CPU nearly constant: the instructions
 * between the stamps and the tracepoints.
 */
extern const char verify_delta_sql[];

#endif
