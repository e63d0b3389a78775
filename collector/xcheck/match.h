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
 * partner is put under the reason why: it lies outside of what the ring recorded
 * (before, after), the ring lost records there (gap), or there is none
 * (trace_only: a failure). The same for records: trace events were lost there,
 * the exit was synthesized (KVM traces none), or record_only: a failure.
 *
 * EDGES AND GAPS. Sequence numbers say how many records were lost between two
 * records, before the first and behind the last. Exits of one vCPU are in order,
 * so where n were lost, the n kvm_exit next to the record behind the gap (at the
 * end: to the one before it) are theirs, and what is beyond lies before or after
 * the recording, and must by its time.
 *
 * HOW THINGS ARE PUT IN ORDER. match_mark() says: what happened before this TSC
 * will have been handed in by the next match_run(). The caller takes the mark,
 * looks for new rings, reads all records and all trace events, then runs.
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
 * @made_tsc:	TSC when the ring was made: tells vCPUs apart that a process
 *		makes one after the other
 * @from_tsc:	TSC of the look at the ring that its recording begins with; 0: it is
 *		recorded from its creation on
 * @first_seq:	seq of the first record
 * @open_first:	an exit was open at that look; it may be traced a little after it,
 *		and has a record only if it began after the attach
 */
struct match_vcpu_info {
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t isa;
	uint64_t made_tsc;
	uint64_t from_tsc;
	uint64_t first_seq;
	bool open_first;
};

/*
 * How the recording of a vCPU ended.
 * @seq:	seq that its next record would have had
 * @look_tsc:	TSC of the look at the ring that says so
 * @open:	an exit had not re-entered at that look, so it has no record
 * @gone:	the vCPU had been destroyed before that look
 */
struct match_vcpu_end {
	uint64_t seq;
	uint64_t look_tsc;
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

/* kvm_entry events of a vCPU; those that followed no kvm_exit (VMfail before
 * them, the first entry, or lost events).
 */
void match_entries(const struct match *match, int vcpu, uint64_t *entries, uint64_t *unpaired);

/* kvm_exit events that belong to no vCPU that was added. */
uint64_t match_strangers(const struct match *match);

void match_free(struct match *match);

#endif
