/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_queue.h - events of all CPUs in order of time
 *
 * Trace buffers are per physical CPU and are read one after the other, so events
 * arrive out of order. The queue holds them until the caller says up to which time
 * nothing more can arrive. Events of the same time keep the order of arrival.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_EVENT_QUEUE_H
#define EXITSCOPE_COLLECTOR_EVENTS_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/queue.h"
#include "collector/events/kvm_event.h"

struct queued_event {
	struct kvm_event event;
	uint64_t order; /* of arrival */
};

/*
 * struct event_queue - all 0 is an empty queue
 * @order:	order of the next event that arrives
 * @unsorted:	some event arrived after a younger one
 */
struct event_queue {
	struct queue events; /* of struct queued_event */
	uint64_t order;
	bool unsorted;
};

/* Append an event. -ENOMEM. */
int event_queue_push(struct event_queue *queue, const struct kvm_event *event);

/* The oldest event if its ts is below @horizon (UINT64_MAX: any), else NULL. */
const struct kvm_event *event_queue_peek(struct event_queue *queue, uint64_t horizon);

/* Drop the oldest event. */
void event_queue_pop(struct event_queue *queue);

/* Drop all events and their memory. */
void event_queue_free(struct event_queue *queue);

#endif
