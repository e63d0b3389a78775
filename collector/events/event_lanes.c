// SPDX-License-Identifier: GPL-2.0-only
/* event_lanes.c - one queue per vCPU, merged by time */
#include "collector/events/event_lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define EVENT_BYTES sizeof(struct kvm_event)

/* The lane of a process and vCPU id, made if need be; NULL: no memory. */
static struct event_lane *event_lane_get(struct event_lanes *lanes, uint32_t tgid, uint32_t vcpu_id)
{
	struct event_lane **more;
	struct event_lane *lane;

	/* Most events belong to the lane of the one before. */
	for (size_t n = 0; n < lanes->count; n++) {
		lane = lanes->lanes[(lanes->last + n) % lanes->count];
		if (lane->tgid != tgid || lane->vcpu_id != vcpu_id)
			continue;
		lanes->last = (lanes->last + n) % lanes->count;
		return lane;
	}

	more = array_reserve(lanes->lanes, lanes->count, 1, sizeof(*more));
	if (!more)
		return NULL;
	lanes->lanes = more;
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		return NULL;

	lane->tgid = tgid;
	lane->vcpu_id = vcpu_id;
	lanes->last = lanes->count;
	lanes->lanes[lanes->count++] = lane;
	return lane;
}

int event_lanes_push(struct event_lanes *lanes, const struct kvm_event *event)
{
	struct event_lane *lane = event_lane_get(lanes, event->tgid, event->vcpu_id);
	const struct kvm_event *last;
	struct kvm_event *added;

	if (!lane)
		return -ENOMEM;

	last = queue_tail(&lane->events, EVENT_BYTES);
	if (last && last->ts > event->ts)
		lane->unsorted = true;

	added = queue_append(&lane->events, EVENT_BYTES);
	if (!added)
		return -ENOMEM;
	*added = *event;
	return 0;
}

static int by_ts(const void *a, const void *b)
{
	const struct kvm_event *left = a, *right = b;

	return (left->ts > right->ts) - (left->ts < right->ts);
}

const struct kvm_event *event_lane_peek(struct event_lane *lane, uint64_t horizon)
{
	struct kvm_event *head = queue_head(&lane->events, EVENT_BYTES);

	if (lane->unsorted) {
		qsort(head, lane->events.count, EVENT_BYTES, by_ts);
		lane->unsorted = false;
	}
	return head && head->ts < horizon ? head : NULL;
}

void event_lane_pop(struct event_lane *lane)
{
	queue_pop(&lane->events);
}

void event_lanes_free(struct event_lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		queue_free(&lanes->lanes[i]->events);
		free(lanes->lanes[i]);
	}
	free(lanes->lanes);
	memset(lanes, 0, sizeof(*lanes));
}
