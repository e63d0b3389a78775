// SPDX-License-Identifier: GPL-2.0-only
/* event_queue.c - a queue that is sorted when it is read */
#include "collector/events/event_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024

static int make_room(struct event_queue *queue)
{
	size_t room = queue->room ? 2 * queue->room : FIRST_ROOM;
	struct queued_event *more;

	if (queue->first + queue->count < queue->room)
		return 0;
	if (queue->first > queue->room / 2) {
		memmove(queue->events, queue->events + queue->first,
			queue->count * sizeof(*queue->events));
		queue->first = 0;
		return 0;
	}

	more = reallocarray(queue->events, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	queue->events = more;
	queue->room = room;
	return 0;
}

int event_queue_push(struct event_queue *queue, const struct kvm_event *event)
{
	struct queued_event *last;

	if (make_room(queue))
		return -ENOMEM;

	last = queue->events + queue->first + queue->count;
	if (queue->count && last[-1].event.ts > event->ts)
		queue->unsorted = true;
	last->event = *event;
	last->order = queue->order++;
	queue->count++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct queued_event *left = a, *right = b;

	if (left->event.ts != right->event.ts)
		return left->event.ts > right->event.ts ? 1 : -1;
	return (left->order > right->order) - (left->order < right->order);
}

const struct kvm_event *event_queue_peek(struct event_queue *queue, uint64_t horizon)
{
	if (queue->unsorted) {
		qsort(queue->events + queue->first, queue->count, sizeof(*queue->events), by_time);
		queue->unsorted = false;
	}
	if (!queue->count)
		return NULL;
	if (queue->events[queue->first].event.ts >= horizon && horizon != UINT64_MAX)
		return NULL;
	return &queue->events[queue->first].event;
}

void event_queue_pop(struct event_queue *queue)
{
	queue->first++;
	if (!--queue->count)
		queue->first = 0;
}

void event_queue_free(struct event_queue *queue)
{
	free(queue->events);
	memset(queue, 0, sizeof(*queue));
}
