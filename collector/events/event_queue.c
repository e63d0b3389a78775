// SPDX-License-Identifier: GPL-2.0-only
/* event_queue.c - a queue that is sorted when it is read */
#include "collector/events/event_queue.h"

#include <errno.h>
#include <stdlib.h>

#define EVENT_BYTES sizeof(struct queued_event)

int event_queue_push(struct event_queue *queue, const struct kvm_event *event)
{
	const struct queued_event *last = queue_tail(&queue->events, EVENT_BYTES);
	struct queued_event *added;

	if (last && last->event.ts > event->ts)
		queue->unsorted = true;

	added = queue_append(&queue->events, EVENT_BYTES);
	if (!added)
		return -ENOMEM;
	added->event = *event;
	added->order = queue->order++;
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
	struct queued_event *oldest = queue_head(&queue->events, EVENT_BYTES);

	if (!oldest)
		return NULL;
	if (queue->unsorted) {
		qsort(oldest, queue->events.count, EVENT_BYTES, by_time);
		queue->unsorted = false;
	}
	return oldest->event.ts < horizon || horizon == UINT64_MAX ? &oldest->event : NULL;
}

void event_queue_pop(struct event_queue *queue)
{
	queue_pop(&queue->events);
}

void event_queue_free(struct event_queue *queue)
{
	queue_free(&queue->events);
	*queue = (struct event_queue){0};
}
