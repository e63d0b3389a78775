/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * losses.h - how many exits are missing in a recording of tracepoints
 *
 * HOW IT WORKS
 * A recording says how many events were lost, seldom how many of them were kvm_exit.
 * But of each vCPU kvm_exit and kvm_entry take turns. Where the two next to a gap are
 * of one kind, one more of the other kind was lost:
 *
 *	exit [2n + 1 lost: n exits] exit	entry [2n + 1 lost: n + 1 exits] entry
 *
 * So of E lost events that are kvm_exit or kvm_entry, with M gaps between two
 * kvm_entry and H between two kvm_exit, exactly (E + M - H) / 2 are exits. If that is
 * odd, some were lost before a vCPU's first event or after its last one: of these either
 * half may be exits, which is an estimate. If the
 * recording has other events, E is their share of the lost ones: an estimate. The most
 * that is possible is that all lost events were of these two kinds.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_LOSSES_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the recording says.
 * @events: lost events, of all kinds
 * @exits: of them kvm_exit, if @exits_known
 * @cut_at: the recording ends at that byte, within an event; 0: it is whole
 * @more: some gaps are marked without a number
 * @others: events of other kinds that were read from the same buffers
 * @may_be_others: lost events may be of other kinds, whether such were read or not
 * @unread: lines of a text that are of kvm_exit or kvm_entry and could not be read: more lost
 *	events, of these two kinds
 * @partial: events of other CPUs are not in it, or may not be; no number is known
 * @one_cpu_of: @partial as all events are of CPU @one_cpu of a host that has that many, so that it
 *	may be a recording of this one; 0: not so
 * @keys_apart: the events with a key have buffers of their own, of which @keys events were
 *	lost, or which are not there (@no_keys)
 */
struct losses_reported {
	uint64_t events;
	uint64_t exits;
	uint64_t others;
	uint64_t unread;
	uint64_t cut_at;
	uint64_t keys;
	bool exits_known;
	bool may_be_others;
	bool more;
	bool partial;
	uint32_t one_cpu_of;
	uint32_t one_cpu;
	bool keys_apart;
	bool no_keys;
};

/* What was read, over all vCPUs; @missing, @halves, @reentered as in struct pairs. */
struct losses_seen {
	uint64_t exits;
	uint64_t entries;
	uint64_t missing;
	uint64_t halves;
	uint64_t reentered;
};

/* @exits: kvm_exit events that were lost. @exact: they are not estimated. */
struct losses {
	uint64_t exits;
	bool exact;
};

/* Whether nothing limits how many were lost. */
bool losses_are_open(const struct losses_reported *reported);

struct losses losses_of(const struct losses_reported *reported, const struct losses_seen *seen);

/* The most that could have been lost; 0: unknown. */
uint64_t losses_most(const struct losses_reported *reported, const struct losses_seen *seen);

#endif
