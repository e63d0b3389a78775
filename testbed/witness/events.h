/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * events.h - reads the witness's file (witness.h)
 *
 * The file is checked as a whole when it is opened: its size and its numbers of CPUs.
 */
#ifndef TESTBED_WITNESS_EVENTS_H
#define TESTBED_WITNESS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testbed/witness/witness.h"
#include "testbed/witness/writer.h"

#define EVENTS_NONE UINT32_MAX

/* A time of the emulated CPUs, in TSC cycles, both ends included. */
struct window {
	uint64_t begin;
	uint64_t end;
};

struct events {
	const struct witness_file *file; /* mapped */
	size_t mapped_bytes;

	/* The exits by their position in the file; EVENTS_NONE is none of them. */
	const struct witness_exit *exits;
	uint32_t count;

	/* Of each CPU: the positions of its exits, in the order of time; those from @first up to
	 * before @end are in question (events_limit()).
	 */
	struct cpu_exits {
		uint32_t *positions;
		uint32_t count;
		uint32_t first;
		uint32_t end;
	} cpus[WITNESS_MAX_CPUS];

	/* Sums of time in guest mode before each position, in cycles; @count + 1 of them. */
	uint64_t *guest_cycles;

	/* Of the exits in question: those before their own entry, or before the CPU's last exit. A
	 * guest of a test that writes L1's TSC makes some, outside of all recordings.
	 */
	uint64_t backwards;
};

/* Opens the file at @path. Returns 0, or -1 and the reason in @why. */
int events_open(struct events *events, const char *path, char *why, size_t why_bytes);
void events_close(struct events *events);

/* From now on only the exits of this time are in question; at first all are. */
void events_limit(struct events *events, struct window window);

/* TSC at which the stay began: at the entry, or at the exit if the entry was refused. */
static inline uint64_t events_start(const struct witness_exit *exit)
{
	return exit->entry_tsc ? exit->entry_tsc : exit->exit_tsc;
}

/*
 * The exit on @cpu that @tsc follows, before the CPU's next entry. Returns its
 * position, or EVENTS_NONE if a guest ran at that time, or none had before.
 */
uint32_t events_find(const struct events *events, uint64_t cpu, uint64_t tsc);

#endif
