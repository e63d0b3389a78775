// SPDX-License-Identifier: GPL-2.0-only
/* event_lanes.c - one queue per vCPU, merged by time */
#include "collector/events/event_lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

struct event_lane *event_lane_get(struct event_lanes *lanes, uint32_t tid, uint32_t vcpu_id)
{
	struct event_lane **more;
	struct event_lane *lane;

	/* Most events belong to the lane of the one before. */
	for (size_t n = 0; n < lanes->count; n++) {
		lane = lanes->lanes[(lanes->last + n) % lanes->count];
		if (lane->tid != tid || lane->vcpu_id != vcpu_id)
			continue;
		lanes->last = (lanes->last + n) % lanes->count;
		return lane;
	}
	lane = calloc(1, sizeof(*lane));
	more = lane ? realloc(lanes->lanes, (lanes->count + 1) * sizeof(*more)) : NULL;
	if (!more) {
		free(lane);
		return NULL;
	}
	lanes->lanes = more;
	lane->tid = tid;
	lane->vcpu_id = vcpu_id;
	lanes->last = lanes->count;
	lanes->lanes[lanes->count++] = lane;
	return lane;
}

/* Makes room for one more event behind the last. */
static int make_room(struct event_lane *lane)
{
	size_t room = lane->room ? 2 * lane->room : FIRST_ROOM;
	struct kvm_event *more;

	if (lane->first + lane->count < lane->room)
		return 0;
	if (lane->first > lane->room / 2) {
		memmove(lane->events, lane->events + lane->first,
			lane->count * sizeof(*lane->events));
		lane->first = 0;
		return 0;
	}
	more = reallocarray(lane->events, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	lane->events = more;
	lane->room = room;
	return 0;
}

int event_lanes_push(struct event_lanes *lanes, const struct kvm_event *event)
{
	struct event_lane *lane = event_lane_get(lanes, event->tid, event->vcpu_id);
	size_t end;

	if (!lane || make_room(lane))
		return -ENOMEM;
	end = lane->first + lane->count;
	if (lane->count && lane->events[end - 1].ts > event->ts)
		lane->unsorted = true;
	lane->events[end] = *event;
	lane->count++;
	return 0;
}

static int by_ts(const void *a, const void *b)
{
	const struct kvm_event *left = a, *right = b;

	return (left->ts > right->ts) - (left->ts < right->ts);
}

const struct kvm_event *event_lane_peek(struct event_lane *lane, uint64_t horizon)
{
	if (lane->unsorted) {
		qsort(lane->events + lane->first, lane->count, sizeof(*lane->events), by_ts);
		lane->unsorted = false;
	}
	if (!lane->count || lane->events[lane->first].ts >= horizon)
		return NULL;
	return &lane->events[lane->first];
}

void event_lane_pop(struct event_lane *lane)
{
	lane->first++;
	if (!--lane->count)
		lane->first = 0;
}

void event_lanes_free(struct event_lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		free(lanes->lanes[i]->events);
		free(lanes->lanes[i]);
	}
	free(lanes->lanes);
	memset(lanes, 0, sizeof(*lanes));
}
