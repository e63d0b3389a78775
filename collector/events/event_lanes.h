/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_lanes.h - puts kvm_exit and kvm_entry of each vCPU in order of time
 *
 * Trace buffers are per physical CPU and are read one after the other, so the
 * events of a vCPU that moved between CPUs arrive out of order. A lane is what the
 * threads of one process did for one vCPU id: a vCPU may move between threads. It
 * holds its events sorted until the caller says up to which time nothing more can
 * arrive.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_EVENT_LANES_H
#define EXITSCOPE_COLLECTOR_EVENTS_EVENT_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/queue.h"
#include "collector/events/kvm_event.h"

/*
 * @tgid, @vcpu_id: whose events these are; tgid 0: of unknown processes
 * @user:	for the caller
 */
struct event_lane {
	uint32_t tgid;
	uint32_t vcpu_id;
	void *user;
	struct queue events; /* of struct kvm_event */
	bool unsorted;	     /* some event came after a younger one */
};

/* In the order in which they were made; @last: the one that was asked for last. */
struct event_lanes {
	struct event_lane **lanes;
	size_t count;
	size_t last;
};

/* Adds an event to the lane of its tgid and vcpu_id. -ENOMEM. */
int event_lanes_push(struct event_lanes *lanes, const struct kvm_event *event);

/* The oldest event of a lane if its ts is below @horizon, else NULL. */
const struct kvm_event *event_lane_peek(struct event_lane *lane, uint64_t horizon);

/* Gives the oldest event back. */
void event_lane_pop(struct event_lane *lane);

/* Frees all lanes, not what their @user points to. */
void event_lanes_free(struct event_lanes *lanes);

#endif
