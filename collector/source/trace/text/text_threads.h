/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_threads.h - whether the number before the CPU is a thread, or the process (perf script -F
 *pid)
 *
 * HOW IT WORKS
 * A thread is in one guest at a time, and leaves it on the CPU on which it entered:
 *
 *	1000 [003] kvm_entry: vcpu 0
 *	1000 [005] kvm_exit: vcpu 1		1000 is in two guests: it is a process
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_THREADS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "collector/source/trace/text/text_line.h"

/* All 0: of no text. @conflicts: how often a number was in two guests at once */
struct text_threads {
	uint64_t conflicts;
	struct text_thread *thread;
	uint32_t count;
	struct hash hash;
};

/* The next kvm_exit or kvm_entry of an instance. @lost: events of its CPU were lost before it.
 * -ENOMEM. */
int text_threads_see(struct text_threads *threads, size_t instance, const struct text_line *line,
		     bool lost);

/* Whether the numbers are those of processes. */
bool text_threads_are_processes(const struct text_threads *threads);

void text_threads_free(struct text_threads *threads);

#endif
