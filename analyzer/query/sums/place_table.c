// SPDX-License-Identifier: GPL-2.0-only
/* place_table.c - finds the place of an exit by its kind and a number; see place_table.h */
#include "analyzer/query/sums/place_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"

#define FIRST_ENTRIES 4096U /* a power of two */

int place_table_init(struct place_table *table)
{
	*table = (struct place_table){
		.entries = calloc(FIRST_ENTRIES, sizeof(*table->entries)),
		.mask = FIRST_ENTRIES - 1,
	};
	return table->entries ? 0 : -ENOMEM;
}

void place_table_free(struct place_table *table)
{
	free(table->kinds);
	hash_free(&table->kind_places);
	free(table->entries);
}

static bool is_kind(const void *kinds, uint32_t number, const void *kind)
{
	const struct place_kind *a = (const struct place_kind *)kinds + number, *b = kind;

	return a->reason == b->reason && a->flags == b->flags && a->aux == b->aux;
}

static uint32_t *find_kind(const struct place_table *table, const struct place_kind *kind)
{
	uint64_t hash = hash_mix(hash_mix(hash_mix(0, kind->reason), kind->flags), kind->aux);

	return hash_place(&table->kind_places, hash, is_kind, table->kinds, kind);
}

/* Makes room for one more kind. */
static int grow_kinds(struct place_table *table)
{
	struct place_kind *kinds =
		array_reserve(table->kinds, table->kind_count, 1, sizeof(*kinds));
	int rc;

	if (!kinds)
		return -ENOMEM;
	table->kinds = kinds;

	rc = hash_make_room(&table->kind_places, table->kind_count);
	for (uint32_t i = 0; rc > 0 && i < table->kind_count; i++)
		*find_kind(table, &table->kinds[i]) = i + 1;
	return rc < 0 ? rc : 0;
}

int place_table_kind(struct place_table *table, const struct place_kind *kind, uint32_t *number)
{
	uint32_t *known;

	if (grow_kinds(table))
		return -ENOMEM;
	known = find_kind(table, kind);
	if (!*known) {
		table->kinds[table->kind_count++] = *kind;
		*known = table->kind_count;
	}
	*number = *known - 1;
	return 0;
}

/* Chains stay short while half of the entries are free. */
static int grow_entries(struct place_table *table)
{
	struct place_table larger = *table;
	uint32_t entries = table->mask + 1;

	if (table->count < entries / 2)
		return 0;
	if (entries > UINT32_MAX / 4)
		return -ENOMEM;
	larger.mask = 2 * entries - 1;
	larger.entries = calloc(2 * (size_t)entries, sizeof(*larger.entries));
	if (!larger.entries)
		return -ENOMEM;

	for (uint32_t i = 0; i < entries; i++) {
		const struct place_entry *old = &table->entries[i];

		if (old->place != PLACE_NONE)
			*place_table_entry(&larger, old->kind, old->number) = *old;
	}
	free(table->entries);
	*table = larger;
	return 0;
}

int place_table_add(struct place_table *table, uint32_t kind, uint64_t number, uint32_t place)
{
	if (grow_entries(table))
		return -ENOMEM;
	*place_table_entry(table, kind, number) = (struct place_entry){number, kind, place};
	table->count++;
	return 0;
}
