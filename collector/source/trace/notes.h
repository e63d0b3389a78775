/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notes.h - what a user must know of a recording of tracepoints to read its figures
 *
 * Each note is one line: what is so, why, and what to do about it.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_NOTES_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/trace/identity.h"

struct trace_feed;

/*
 * Known after the first reading.
 * @no_entries: there are kvm_exit, and no kvm_entry
 * @ids_are_of_threads: as in trace_source.h
 * @exits_of_thread_0: kvm_exit events of thread 0
 * @one_cpu_of, @one_cpu: as in losses.h, where exits have durations
 * @timed: records have durations
 */
struct notes_begin {
	const struct trace_feed *feed;
	struct identity *identity;
	bool no_entries;
	bool ids_are_of_threads;
	uint64_t exits_of_thread_0;
	uint32_t one_cpu_of;
	uint32_t one_cpu;
	bool timed;
};

/*
 * Known at the end.
 * @sampled_out: exits that a sampled recording did not write
 * @missing: kvm_entry events without a kvm_exit before them
 * @reentered: as in pairs.h
 * @lost: events that the recording itself calls lost, or that could not be read
 * @exits_without_vcpu: kvm_exit events whose vCPU is unknown
 * @unread, @no_keys: as in losses.h; @lost_keys: its keys
 * @quiet_loss: as in trace.h
 */
struct notes_end {
	uint64_t sampled_out;
	uint64_t missing;
	uint64_t reentered;
	uint64_t lost;
	uint64_t exits_without_vcpu;
	uint64_t unread;
	uint64_t lost_keys;
	const char *quiet_loss;
	bool no_keys;
};

/*
 * Of a recording of which no vCPU came, at the end.
 * @lost, @more, @exits: events, events without a number, and kvm_exit that it calls lost
 */
struct notes_missed_vcpus {
	const struct trace_feed *feed;
	uint64_t lost;
	uint64_t exits;
	bool more;
};

/* Append lines to *@notes, which is made if it is NULL. Without memory they are left out. */
void notes_begin(char **notes, const struct notes_begin *known);
void notes_end(char **notes, const struct notes_end *known);
void notes_missed_vcpus(char **notes, const struct notes_missed_vcpus *known);

#endif
