/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hash.h - finds elements of an array by a key: open addressing, nothing is ever removed
 *
 *	static bool has_key(const void *names, uint32_t i, const void *key);
 *
 *	place = hash_place(&list->hash, hash_mix(0, key), has_key, list->names, &key);
 *	if (*place)
 *		return &list->names[*place - 1];
 *	list->names[list->count] = name;
 *	*place = ++list->count;
 *
 * The table holds positions in the array, so the elements stay dense: they can be walked, sorted
 * (then the table is out of date) and moved.
 */
#ifndef EXITSCOPE_BASE_HASH_H
#define EXITSCOPE_BASE_HASH_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * struct hash - all 0 is a table without places
 * @place: position of an element in the array + 1; 0: free
 * @places: a power of two, at least twice the elements
 */
struct hash {
	uint32_t *place;
	uint32_t places;
};

/* Whether element @i of the array @items has the key. */
typedef bool hash_has_key(const void *items, uint32_t i, const void *key);

/* The hash of a key that goes on with @word, after what gave @hash (at first 0). */
static inline uint64_t hash_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/*
 * The place that holds the position of the element with the key, or the free one where it
 * belongs. There must be places, and a free one among them.
 */
static inline uint32_t *hash_place(const struct hash *h, uint64_t hash, hash_has_key *has_key,
				   const void *items, const void *key)
{
	uint32_t i = (uint32_t)hash & (h->places - 1);

	while (h->place[i] && !has_key(items, h->place[i] - 1, key))
		i = (i + 1) & (h->places - 1);
	return &h->place[i];
}

/* The places for @items elements, at most UINT32_MAX / 4: chains stay short while half are free. */
static inline uint32_t hash_places_for(uint32_t items)
{
	uint32_t places = 2;

	while (places < 2 * items)
		places *= 2;
	return places;
}

/*
 * Replaces the table by an empty one for @items elements; the caller puts in again what the array
 * has. Return: 0, or -ENOMEM: the table is as it was.
 */
static inline int hash_resize(struct hash *h, uint32_t items)
{
	uint32_t places, *place;

	if (items > UINT32_MAX / 4)
		return -ENOMEM;
	places = hash_places_for(items);
	place = calloc(places, sizeof(*place));
	if (!place)
		return -ENOMEM;
	free(h->place);
	*h = (struct hash){place, places};
	return 0;
}

/*
 * Makes room for one more element than the @items that there are. Return: 0; 1: the table is
 * another one, larger and empty, and the caller puts in again what the array has; -ENOMEM: it is
 * as it was.
 */
static inline int hash_make_room(struct hash *h, uint32_t items)
{
	if (2 * ((uint64_t)items + 1) <= h->places)
		return 0;
	return hash_resize(h, items + 1) ? -ENOMEM : 1;
}

/* Forgets all elements, and keeps the places. */
static inline void hash_clear(struct hash *h)
{
	if (h->places)
		memset(h->place, 0, h->places * sizeof(*h->place));
}

static inline void hash_free(struct hash *h)
{
	free(h->place);
	*h = (struct hash){0};
}

#endif
