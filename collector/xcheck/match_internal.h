/* SPDX-License-Identifier: GPL-2.0-only */
/* match_internal.h - what match.c keeps of a vCPU, for match_identity.c */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_MATCH_INTERNAL_H
#define EXITSCOPE_COLLECTOR_XCHECK_MATCH_INTERNAL_H

#include "base/queue.h"
#include "collector/xcheck/match.h"

/*
 * One kvm_exit and the kvm_entry after it (entry_ts 0: not seen). @unentered: the kvm_exit
 * before it had no kvm_entry, and no event was lost in between.
 */
struct pair {
	uint64_t exit_ts;
	uint64_t entry_ts;
	uint32_t reason;
	bool unentered;
};

/* What is needed of a record. @end: tsc + cycles */
struct record_info {
	uint64_t seq;
	uint64_t tsc;
	uint64_t end;
	uint32_t reason;
	uint32_t flags;
	uint32_t pcpu;
};

/*
 * The last events of a vCPU.
 * @tid:	of the last one; 0: there was none
 * @open:	that is a kvm_exit
 * @cpu, @ts:	of the last kvm_exit; ts 0: there was none
 * @entry_cpu, @entry_ts: of the last event if that is a kvm_entry, else 0
 */
struct last_events {
	uint32_t tid;
	bool open;
	uint32_t cpu;
	uint64_t ts;
	uint32_t entry_cpu;
	uint64_t entry_ts;
};

/*
 * @interval:	kvm_exit to kvm_entry of the last matched record, 0: none open
 * @entry_ts:	of that kvm_entry
 * @cycles:	cycles of that record and of the synthesized ones after it, which
 *		lie inside the same interval
 * @slow:	the exit before is recorded, and no fastpath entered the guest after it
 * @traced:	its last events
 */
struct match_vcpu {
	struct match_vcpu_info info;
	struct queue pairs;   /* of struct pair */
	struct queue records; /* of struct record_info */
	struct match_count *counts;
	size_t count_count;
	struct match_entries entries;
	uint64_t next_seq;
	uint64_t last_end;
	uint64_t interval;
	uint64_t entry_ts;
	uint64_t cycles;
	uint32_t last_reason;
	bool any;
	bool slow;
	bool ended; /* match_end_vcpu() was called */
	struct match_vcpu_end end;
	struct last_events traced;
	uint64_t held_from; /* an event of this time waits for records; UINT64_MAX: none */
};

/*
 * The vCPUs that an event may be of: @vcpu_id of process @tgid, created before the event.
 * @vcpus, @count: all there are
 * @fitting: how many of them these are; @youngest: of these, -1: none
 */
struct match_candidates {
	struct match_vcpu *vcpus;
	int count;
	uint32_t tgid;
	uint32_t vcpu_id;
	int fitting;
	int youngest;
};

/* Sets @fitting and @youngest; the functions below need them. */
void match_find_fitting(struct match_candidates *candidates, const struct kvm_event *event);

/*
 * The vCPU that an event is of, or -1: none of them. *@ambiguous: there are others that it may
 * as well be of.
 */
int match_identify(const struct match_candidates *candidates, const struct kvm_event *event,
		   bool *ambiguous);

/* Whether records that are still to come may show whose an event is. */
bool match_is_early(const struct match_candidates *candidates, const struct kvm_event *event);

/* Notes in all vCPUs that this event, or one after it in its lane, may be of that it waits. */
void match_hold(const struct match_candidates *candidates, const struct kvm_event *event);

#endif
