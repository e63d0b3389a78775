/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaf_bounds.h - what each CPUID exit with a leaf of ours can have shown
 *
 * An exit of a leaf shows the rows of its group, those of its VM (of all, under leaf_scope=host)
 * and reason: of another vCPU those that began before it, or perhaps while it lasted. So a row adds
 * to all exits of the group from some time on. Each group has its exits by their begins and by
 * their ends; a row adds to the first that it is in, and leaf_bounds_sum() carries that on to those
 * after. A row costs a few searches, however many vCPUs read leaves, and however often.
 *
 * Exits of the row's own vCPU come before or after it as a whole. Where that makes a difference,
 * the exits of that vCPU have it in their own sums.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_LEAF_BOUNDS_H
#define EXITSCOPE_ANALYZER_VERIFY_LEAF_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/verify/leaf_reading.h"
#include "analyzer/verify/verify_leaf.h"

/* A CPUID exit with a leaf of ours. @low, @high: bounds of what it showed, after leaf_bounds_sum().
 */
struct leaf_exit {
	int64_t vcpu, vm, vcpu_id;
	int64_t tsc, end;
	int64_t leaf, reason; /* reason: LEAF_EVERY for the leaves of all reasons */
	int64_t exits_low, exits_high;
	int64_t cycles_low, cycles_high;
};

/* The begin or the end of an exit, and what rows add from there on. */
struct leaf_edge {
	int64_t time;
	int exit;
	int64_t exits;
	int64_t cycles;
};

/* Exits that show the same sums: [@first, @end) of exits, begins and ends. */
struct leaf_group {
	int64_t vm; /* LEAF_EVERY: all */
	int64_t reason;
	int first;
	int end;
};

struct leaf_bounds {
	struct leaf_exit *exits;
	int exit_count;
	struct leaf_edge *begins;
	struct leaf_edge *ends;
	struct leaf_group *groups;
	size_t group_count;
	bool host; /* leaf_scope=host */
};

/* Sorts the exits by group, vCPU and time, and makes the rest. @host: leaf_scope=host. -1: no
 * memory */
int leaf_bounds_open(struct leaf_bounds *bounds);

/* Adds a row, in any order. */
void leaf_bounds_add(struct leaf_bounds *bounds, const struct leaf_row *row);

/* After all rows: sets the bounds of each exit. */
void leaf_bounds_sum(struct leaf_bounds *bounds);

/* Frees all, the exits too. */
void leaf_bounds_free(struct leaf_bounds *bounds);

#endif
