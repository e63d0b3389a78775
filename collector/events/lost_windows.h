/* SPDX-License-Identifier: GPL-2.0-only */
/* lost_windows.h - when trace events of which CPU were lost */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_LOST_WINDOWS_H
#define EXITSCOPE_COLLECTOR_EVENTS_LOST_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CPUs with windows of their own; those above share theirs, as if they were one CPU. */
#define LOST_WINDOWS_CPUS 1024

struct lost_window {
	uint64_t from;
	uint64_t to;
};

/* The windows of a CPU. Unless @unsorted they stand in order of time and don't overlap. */
struct lost_windows_cpu {
	struct lost_window *window;
	size_t count;
	bool unsorted;
};

/*
 * Zeroed at first. A recording may have as many windows as events: they are found by bisection.
 * @any: there is one; @unsorted: those of some CPU are
 */
struct lost_windows {
	struct lost_windows_cpu cpu[LOST_WINDOWS_CPUS + 1];
	bool any;
	bool unsorted;
};

/* Events of @cpu were lost between two times, in either order. -ENOMEM. */
int lost_windows_add(struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to);

/* To be called before windows are asked for, if some were not added in order of time. */
void lost_windows_sort(struct lost_windows *lost);

/*
 * Whether events of @cpu may have been lost between @from and @to. A window that ends
 * at @from or begins at @to is outside: an event that was read is at its border.
 */
bool lost_windows_hit(const struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to);

/* A set of CPUs; those above LOST_WINDOWS_CPUS are one. Zeroed at first. */
struct lost_windows_cpus {
	uint64_t bits[LOST_WINDOWS_CPUS / 64 + 1];
};

void lost_windows_cpus_add(struct lost_windows_cpus *cpus, uint32_t cpu);

/*
 * Whether events of one of @cpus may have been lost between @from and @to for @least ticks or more
 * without a break.
 */
bool lost_windows_hit_any(const struct lost_windows *lost, const struct lost_windows_cpus *cpus,
			  uint64_t from, uint64_t to, uint64_t least);

/* Forget all windows. */
void lost_windows_free(struct lost_windows *lost);

#endif
