// SPDX-License-Identifier: GPL-2.0-only
/* tally.c - an open-addressing hash table over a dense array */
#include "sql/store/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash(const struct tally_key *key)
{
	uint64_t h = ((uint64_t)key->vcpu << 32 | key->reason) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ (uint64_t)key->slot) * 0xbf58476d1ce4e5b9ULL;
	return (uint32_t)(h >> 32);
}

static int same(const struct tally_key *a, const struct tally_key *b)
{
	return a->vcpu == b->vcpu && a->reason == b->reason && a->slot == b->slot;
}

/* Where @key is in the index, or the free place where it belongs. */
static uint32_t *place(const struct tally *tally, const struct tally_key *key)
{
	uint32_t i = hash(key) & tally->mask;

	while (tally->index[i] && !same(&tally->keys[tally->index[i] - 1], key))
		i = (i + 1) & tally->mask;
	return &tally->index[i];
}

int tally_init(struct tally *tally, size_t value_bytes, uint32_t capacity)
{
	uint32_t places = 2;

	while (places < 2 * capacity)
		places *= 2;
	memset(tally, 0, sizeof(*tally));
	tally->keys = calloc(capacity, sizeof(*tally->keys));
	tally->values = malloc(capacity * value_bytes);
	tally->index = calloc(places, sizeof(*tally->index));
	tally->value_bytes = value_bytes;
	tally->capacity = capacity;
	tally->mask = places - 1;
	return tally->keys && tally->values && tally->index ? 0 : -ENOMEM;
}

void tally_free(struct tally *tally)
{
	free(tally->keys);
	free(tally->values);
	free(tally->index);
	memset(tally, 0, sizeof(*tally));
}

void *tally_at(struct tally *tally, const struct tally_key *key)
{
	uint32_t *at = place(tally, key);
	char *value;

	if (*at)
		return tally->values + (size_t)(*at - 1) * tally->value_bytes;
	if (tally->count == tally->capacity)
		return NULL;
	tally->keys[tally->count] = *key;
	value = tally->values + (size_t)tally->count * tally->value_bytes;
	memset(value, 0, tally->value_bytes);
	*at = ++tally->count;
	return value;
}

static int in_order(const void *a, const void *b, void *keys)
{
	const struct tally_key *x = (const struct tally_key *)keys + *(const uint32_t *)a;
	const struct tally_key *y = (const struct tally_key *)keys + *(const uint32_t *)b;

	if (x->vcpu != y->vcpu)
		return x->vcpu < y->vcpu ? -1 : 1;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->reason < y->reason ? -1 : x->reason > y->reason;
}

uint32_t *tally_sorted(const struct tally *tally)
{
	uint32_t *order = malloc((tally->count + 1) * sizeof(*order));
	uint32_t i;

	if (!order)
		return NULL;
	for (i = 0; i < tally->count; i++)
		order[i] = i;
	qsort_r(order, tally->count, sizeof(*order), in_order, tally->keys);
	return order;
}

void tally_clear(struct tally *tally)
{
	memset(tally->index, 0, ((size_t)tally->mask + 1) * sizeof(*tally->index));
	tally->count = 0;
}
