/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * array.h - growing arrays, of which only the elements and their number are kept
 *
 *	struct name *more = array_reserve(list->names, list->count, 1, sizeof(*more));
 *
 *	if (!more)
 *		return -ENOMEM;
 *	list->names = more;
 *	more[list->count++] = name;
 *
 * The room of an array is a power of two that follows from its number of elements, so no field
 * has to hold it, and n elements that come one by one are copied about n times in all.
 */
#ifndef EXITSCOPE_BASE_ARRAY_H
#define EXITSCOPE_BASE_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_FIRST_ROOM 16

/* Elements that an array of @count has room for. 0: none, or more than memory can ever hold. */
static inline size_t array_room(size_t count)
{
	if (!count || count > SIZE_MAX / 2)
		return 0;
	if (count <= ARRAY_FIRST_ROOM)
		return ARRAY_FIRST_ROOM;
	return (size_t)1 << (64 - __builtin_clzll(count - 1));
}

/**
 * array_reserve() - make room for more elements at the end of an array
 * @items: the array, of malloc() or NULL; grown by this function alone
 * @count: its elements; may be fewer than it had before, also 0
 * @more: elements to be added, at least 1
 * @item_bytes: size of an element
 *
 * Return: the array, perhaps at another place; its new elements are not initialized.
 * NULL: no memory, and @items is as it was.
 */
static inline void *array_reserve(void *items, size_t count, size_t more, size_t item_bytes)
{
	size_t room, bytes;

	if (more > SIZE_MAX - count)
		return NULL;

	room = array_room(count + more);
	if (room && room == array_room(count))
		return items;

	if (!room || __builtin_mul_overflow(room, item_bytes, &bytes))
		return NULL;
	return realloc(items, bytes);
}

/* qsort() of an array that may be empty: then @items may be NULL, which qsort() must not get. */
static inline void array_sort(void *items, size_t count, size_t item_bytes,
			      int (*compare)(const void *a, const void *b))
{
	if (count)
		qsort(items, count, item_bytes, compare);
}

#endif
