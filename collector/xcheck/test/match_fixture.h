/* SPDX-License-Identifier: GPL-2.0-only */
/* match_fixture.h - a vCPU with an exit every STEP cycles, its records and its events */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_TEST_MATCH_FIXTURE_H
#define EXITSCOPE_COLLECTOR_XCHECK_TEST_MATCH_FIXTURE_H

#include "collector/xcheck/match.h"
#include "kvm/test/common/check.h"

#define TGID	  100U
#define TID	  101U
#define OTHER_TID 102U	/* of the same process */
#define STEP	  1000U /* cycles from exit to exit */
#define WHOLE	  600U	/* cycles of a record */

static inline uint32_t tgid_of(void *user, uint32_t tid)
{
	(void)user;
	return tid == TID || tid == OTHER_TID ? TGID : 7;
}

/* The exit number i begins at i * STEP. */
static inline struct kvm_exit_record record(uint64_t i)
{
	return (struct kvm_exit_record){
		.seq = i,
		.tsc = i * STEP,
		.cycles = WHOLE,
		.reason = 10,
		.pcpu = 1,
		.isa = KVM_EXIT_ISA_VMX,
	};
}

static inline void add_event(struct match *m, enum kvm_event_kind kind, uint64_t ts)
{
	const struct kvm_event event = {
		.ts = ts, .kind = kind, .tid = TID, .vcpu_id = 2, .reason = 10, .cpu = 1};

	CHECK(!match_event(m, &event));
}

/* kvm_exit and kvm_entry of exit i, 50 and 150 cycles inside of its record. */
static inline void trace(struct match *m, uint64_t i)
{
	add_event(m, KVM_EVENT_EXIT, i * STEP + 50);
	add_event(m, KVM_EVENT_ENTRY, i * STEP + WHOLE - 150);
}

static inline void put(struct match *m, struct kvm_exit_record r)
{
	CHECK(!match_records(m, 0, &r, 1));
}

/*
 * The recording begins with exit number @first: with a snapshot at @from, when the one
 * before it was open; 0: with the vCPU's creation.
 */
static inline struct match *start_at(uint64_t first, uint64_t from)
{
	const struct match_vcpu_info info = {.tgid = TGID,
					     .vcpu_id = 2,
					     .isa = KVM_EXIT_ISA_VMX,
					     .first_snapshot_tsc = from,
					     .first_seq = first,
					     .open_at_start = from};
	struct match *m = match_new(tgid_of, NULL);
	int vcpu;

	CHECK(m && !match_add_vcpu(m, &info, &vcpu) && vcpu == 0);
	return m;
}

static inline struct match *start(void)
{
	return start_at(0, 0);
}

/* The vCPU is gone; @seq: of its last record, and 1. */
static inline void end_gone(struct match *m, int vcpu, uint64_t seq)
{
	const struct match_vcpu_end end = {
		.seq = seq, .last_snapshot_tsc = 1000 * STEP, .gone = true};

	match_end_vcpu(m, vcpu, &end);
}

/* Ends and gives the counts of reason 10, the only one. */
static inline struct match_count finish(struct match *m)
{
	const struct match_count *counts;
	struct match_count sum = {0};
	size_t count;

	CHECK(!match_finish(m));
	counts = match_counts(m, 0, &count);
	CHECK(count <= 1);
	if (count)
		sum = counts[0];
	CHECK(sum.traced ==
	      sum.matched + sum.before + sum.after + sum.open + sum.gap + sum.trace_only);
	CHECK(sum.records == sum.matched + sum.untraced + sum.synthesized + sum.record_only);
	return sum;
}

static inline struct match_count finish_gone(struct match *m, uint64_t seq)
{
	end_gone(m, 0, seq);
	return finish(m);
}

#endif
