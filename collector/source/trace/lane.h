/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lane.h - the threads that ran one vCPU id of one process, and how many vCPUs that is
 *
 * HOW IT WORKS
 * The threads are the lane's members, in the order of their first events. Two of them conflict if
 * they can't be one vCPU (identity.h). Each gets the lowest slot in which no member before it
 * conflicts with it. All of a recording may be in one lane, 65,536 threads of millions of events,
 * so neither looks at all pairs:
 *
 * lane_see(): a member's event is compared with those of the others since its own last event. After
 * kvm_exit the member may have gone away, so that kvm_entry is compared with members in the guest
 * alone, and with those that began since then by a kvm_exit.
 *
 * lane_update_slots(): when a member begins, members whose events are all over don't differ but in
 * the last one. Of each slot the younger ones of them stand on top of the older ones, those that
 * ended in the guest and those that ended in the host apart. Events that were lost since then
 * excuse a member; if they don't excuse the one on top, that one is in conflict, and if those of
 * the beginner's CPU do, they excuse the ones below it too.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_LANE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "collector/events/kvm_event.h"
#include "collector/events/lost_windows.h"
#include "collector/source/trace/identity.h"

struct lane_member;
struct lane_slot;

/*
 * All 0 but .vcpu, with slots 1: of no thread.
 * @vcpu: the key of the lane, how many members it has, and slots as of the last update
 * @member: @place finds them by their threads; @last: that was looked up last
 * @newest: by kind, number + 1 of the member with the newest event of those whose last one is of it
 * @by_exit: numbers of the members that began by a kvm_exit, of @by_exit_count; for @slot there is
 *	room for all members
 * @order: of the last event
 * @is_stale: the slots are those before a conflict was found
 * @is_split: all members conflict
 * @cpus: on which it was seen
 */
struct lane {
	struct identity_vcpu vcpu; /* first: the key */

	struct lane_member *member;
	struct hash place;
	uint32_t last;

	uint32_t newest[KVM_EVENT_ENTRY + 1];
	uint32_t *by_exit;
	uint32_t by_exit_count;
	uint64_t order;

	struct lane_slot *slot;
	bool is_stale;
	bool is_split;

	struct lost_windows_cpus cpus;
};

/* Learn from a kvm_exit or kvm_entry, in order of time. 0, -ENOMEM, or -E2BIG. */
int lane_see(struct lane *lane, const struct kvm_event *event, const struct lost_windows *lost);

/* Which slot each member has, and how many there are; past VCPUS_MOST the others have none. */
void lane_update_slots(struct lane *lane, const struct lost_windows *lost);

/* The slot of a thread, as of the last update; 0 also if it is not a member. */
uint32_t lane_slot_of(struct lane *lane, uint32_t tid);

/* Free what the lane has, not itself. */
void lane_free(struct lane *lane);

#endif
