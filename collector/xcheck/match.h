/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match.h - matches the records of the rings with the tracepoints, exit
 * by exit
 *
 * Both sides stamp the TSC. A record lasts from the VM exit to the next VM
 * entry, and kvm_exit and kvm_entry of the same exit fire inside of it:
 *
 *	record.tsc < kvm_exit.ts < kvm_entry.ts < record.tsc + record.cycles
 *
 * so each kvm_exit belongs to one record or to none, and every one that has no
 * partner is put under the reason why: it is outside of what the ring recorded
 * (before, after), the ring lost records there (gap), or there is none
 * (trace_only: a failure). The same for records: trace events were lost there,
 * the exit was synthesized (KVM traces none), or record_only: a failure.
 *
 * In a drawing, with records as bars, kvm_exit as x and kvm_entry as e:
 *
 *	seq	4	 5	     6 7 (lost)		8
 *	ring	|=======|  |=====|			 |======|
 *	trace	 x     e    x   e     x  e    x    e	  x    e   x
 *		 matched   matched	gap   gap	 matched  open or after
 *
 * EDGES AND GAPS. Sequence numbers show how many records were lost between two
 * records, before the first and after the last. Exits of one vCPU are in order, so
 * if n records were lost, the n kvm_exit events just before the next record (at the
 * end: just after the last one) belong to them. Any further event must lie outside
 * the recording; its time is checked.
 *
 * WHOSE AN EVENT IS. A tracepoint has the thread and the vCPU id. A vCPU may move
 * between threads, so the process of the thread counts. Where that has several vCPUs with
 * this id, as a process with two VMs has, the records show whose event it is
 * (match_identity.c).
 *
 * HOW EVENTS AND RECORDS ARE ORDERED. match_mark() promises that all that happened
 * before this TSC has been passed in when match_run() is called. The caller sets the
 * mark, finds new rings, reads all records and all trace events, then runs.
 *
 * RETURN VALUES: 0 or -ENOMEM, unless said otherwise.
 */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_MATCH_H
#define EXITSCOPE_COLLECTOR_XCHECK_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/hist.h"

/*
 * What was found for one vCPU and one basic reason, in exits.
 * @reason:	basic reason (VMX) or exit code (SVM), of the record where there
 *		is one
 * @traced:	kvm_exit events of this vCPU = matched + before + after + open +
 *		gap + trace_only
 * @records:	records = matched + untraced + synthesized + record_only
 * @matched:	pairs
 * @differ:	of the matched: the two sides name different reasons
 * @before:	traced before recording of this vCPU began
 * @after:	traced after recording had ended
 * @open:	the last exit: not re-entered yet, so it has no record
 * @gap:	traced where the ring lost records; never more than it lost there
 * @untraced:	recorded where trace events were lost
 * @synthesized: records that KVM made without a VM entry; no trace is right
 * @trace_only:	traced, and a record should be there
 * @record_only: recorded, and a trace event should be there
 * @shorter:	matched records that are shorter than their kvm_exit-kvm_entry
 *		interval, which can't be
 * @overlaps:	records that end after the next one began
 * @delta:	record cycles minus interval, log-linear (sql/hist.h), or NULL
 */
struct match_count {
	uint32_t reason;
	uint64_t traced, records;
	uint64_t matched, differ;
	uint64_t before, after, open, gap, untraced, synthesized;
	uint64_t trace_only, record_only;
	uint64_t shorter, overlaps;
	uint64_t *delta;
};

/*
 * A vCPU to be matched.
 * @tgid, @vcpu_id: whose it is
 * @isa:	KVM_EXIT_ISA_*
 * @created_tsc:	TSC when the ring was created: distinguishes vCPUs that a process
 *		creates one after the other
 * @first_snapshot_tsc: TSC of the snapshot of the totals that its recording begins with; 0:
 *		it is recorded from its creation on
 * @first_seq:	seq of the first record
 * @open_at_start:	an exit was open at that snapshot; it may be traced a little after it,
 *		and has a record only if it began after the attach
 */
struct match_vcpu_info {
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t isa;
	uint64_t created_tsc;
	uint64_t first_snapshot_tsc;
	uint64_t first_seq;
	bool open_at_start;
};

/*
 * How the recording of a vCPU ended.
 * @seq:	seq that its next record would have had
 * @last_snapshot_tsc:	TSC of the snapshot that shows so
 * @open:	an exit had not re-entered at that snapshot, so it has no record
 * @gone:	the vCPU had been destroyed before that snapshot
 */
struct match_vcpu_end {
	uint64_t seq;
	uint64_t last_snapshot_tsc;
	bool open;
	bool gone;
};

struct match;

/* @tgid_of: the process of a thread, 0 for unknown; called with @user */
struct match *match_new(uint32_t (*tgid_of)(void *user, uint32_t tid), void *user);

/* Makes a vCPU known; *@vcpu: its number, from 0. */
int match_add_vcpu(struct match *match, const struct match_vcpu_info *info, int *vcpu);

/* Records of one vCPU, in seq order. */
int match_records(struct match *match, int vcpu, const struct kvm_exit_record *records,
		  size_t count);

/* One trace event, in any order. */
int match_event(struct match *match, const struct kvm_event *event);

/* Trace events of a CPU were lost between two times. */
int match_lost(struct match *match, uint32_t cpu, uint64_t from, uint64_t to);

/* All that happened before @tsc is handed in by the next match_run(). */
void match_mark(struct match *match, uint64_t tsc);

/* Matches everything before the mark. */
int match_run(struct match *match);

/* The recording of a vCPU is over. */
void match_end_vcpu(struct match *match, int vcpu, const struct match_vcpu_end *end);

/* Matches all the rest, once match_end_vcpu() was called for every vCPU. */
int match_finish(struct match *match);

/* The counts of a vCPU, one entry per reason. */
const struct match_count *match_counts(const struct match *match, int vcpu, size_t *count);

/*
 * What an event of the tracepoints was in the life of an exit (analyzer/verify/exit_life.dot): its
 * event, and the state in which the events before it and the records have left the vCPU. Where
 * events were lost in between, the state is the one that the event needs.
 * EXIT_IN_GUEST:  kvm_exit after a kvm_entry, as it should be
 * EXIT_FASTPATH:  kvm_exit after another one that a fastpath may have followed by an entry; see
 *		@reentered
 * EXIT_HANDLED:   kvm_exit after another one that no fastpath handled
 * ENTRY_HANDLED:  kvm_entry after a kvm_exit, before its record ended, as it should be
 * ENTRY_IN_GUEST: kvm_entry after another one, or after the end of the record of its kvm_exit
 */
enum match_step {
	MATCH_EXIT_IN_GUEST,
	MATCH_EXIT_FASTPATH,
	MATCH_EXIT_HANDLED,
	MATCH_ENTRY_HANDLED,
	MATCH_ENTRY_IN_GUEST,
	MATCH_STEPS
};

/*
 * The VM entries of a vCPU, and the steps of all its events.
 * @traced:	kvm_entry events
 * @unpaired:	of them those that followed no kvm_exit (VMfail before them, the first
 *		entry, or lost events)
 * @reentered:	entries that a fastpath made and KVM did not trace (VMX on Linux 5.10): kvm_exit
 *		events with no kvm_entry since the kvm_exit before, whose record is flagged
 *		KVM_EXIT_REC_FASTPATH or was lost
 * @steps:	by enum match_step
 */
struct match_entries {
	uint64_t traced;
	uint64_t unpaired;
	uint64_t reentered;
	uint64_t steps[MATCH_STEPS];
};

const struct match_entries *match_entries(const struct match *match, int vcpu);

/* kvm_exit events that belong to no vCPU that was added. */
uint64_t match_unknown_vcpu(const struct match *match);

/*
 * Events that more than one vCPU may have made, of VMs of one process, and nothing shows which;
 * they are counted for one of them.
 */
uint64_t match_ambiguous(const struct match *match);

void match_free(struct match *match);

#endif
