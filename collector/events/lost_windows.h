/* SPDX-License-Identifier: GPL-2.0-only */
/* lost_windows.h - when trace events of which CPU were lost */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_LOST_WINDOWS_H
#define EXITSCOPE_COLLECTOR_EVENTS_LOST_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CPUs with a chain of their own; those above share one. */
#define LOST_WINDOWS_CPUS 1024

/* @before: number of the CPU's window before this one, from 1; 0: there is none */
struct lost_window {
	uint64_t from;
	uint64_t to;
	uint32_t cpu;
	uint32_t before;
};

/*
 * Zeroed at first. A recording may have as many windows as events, so each CPU's are
 * chained: what is asked about is near the last one.
 * @last: number of a CPU's last window, from 1; 0: there is none
 */
struct lost_windows {
	struct lost_window *window;
	size_t count;
	uint32_t last[LOST_WINDOWS_CPUS + 1];
};

/* Events of @cpu were lost between two times, after all windows of it so far. -ENOMEM. */
int lost_windows_add(struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to);

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
