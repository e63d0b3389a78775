/* SPDX-License-Identifier: GPL-2.0-only */
/* queue.h - a first-in first-out queue of elements of one size, in one growing array */
#ifndef EXITSCOPE_BASE_QUEUE_H
#define EXITSCOPE_BASE_QUEUE_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * struct queue - all 0 is an empty queue
 * @items: items[first .. first + count - 1], each of the size that all calls name
 */
struct queue {
	char *items;
	size_t first;
	size_t count;
	size_t room;
};

/* The oldest element, NULL: none. The others follow it in the array. */
static inline void *queue_head(const struct queue *q, size_t item_bytes)
{
	return q->count ? q->items + q->first * item_bytes : NULL;
}

/* The youngest element, NULL: none. */
static inline void *queue_tail(const struct queue *q, size_t item_bytes)
{
	return q->count ? q->items + (q->first + q->count - 1) * item_bytes : NULL;
}

/* Adds an element, not initialized, at the end. NULL: no memory. */
static inline void *queue_append(struct queue *q, size_t item_bytes)
{
	/* Move to the front when more than half is free there. */
	if (q->first + q->count == q->room && q->first > q->room / 2) {
		memmove(q->items, q->items + q->first * item_bytes, q->count * item_bytes);
		q->first = 0;
	}

	if (q->first + q->count == q->room) {
		size_t room = q->room ? 2 * q->room : 64;
		char *items = reallocarray(q->items, room, item_bytes);

		if (!items)
			return NULL;
		q->items = items;
		q->room = room;
	}

	q->count++;
	return queue_tail(q, item_bytes);
}

/* Removes the oldest element; there must be one. */
static inline void queue_pop(struct queue *q)
{
	q->first++;
	if (!--q->count)
		q->first = 0;
}

static inline void queue_free(struct queue *q)
{
	free(q->items);
	*q = (struct queue){0};
}

#endif
