/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * place_table.h - finds the place of an exit by its kind and a number; for agg_places.c alone
 *
 * A hash table whose entries have all that is compared: one access to memory per exit.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_PLACE_TABLE_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_PLACE_TABLE_H

#include <stdint.h>

#include "base/hash.h"

#define PLACE_NONE 0U

/* What a group depends on in a tuple. Chunks number their tuples anew, kinds are of all chunks. */
struct place_kind {
	uint64_t reason;
	uint64_t flags;
	uint64_t aux;
};

struct place_entry {
	uint64_t number;
	uint32_t kind;
	uint32_t place; /* PLACE_NONE: free */
};

struct place_table {
	struct place_kind *kinds;
	uint32_t kind_count;
	struct hash kind_places;

	struct place_entry *entries;
	uint32_t count;
	uint32_t mask; /* entries - 1, of a power of two */
};

/* 0 or -ENOMEM; place_table_free() may follow in both cases. */
int place_table_init(struct place_table *table);
void place_table_free(struct place_table *table);

/* The number of a kind, a new one if it is unknown. 0 or -ENOMEM. */
int place_table_kind(struct place_table *table, const struct place_kind *kind, uint32_t *number);

/* Adds a place for a kind and a number that have none. 0 or -ENOMEM. */
int place_table_add(struct place_table *table, uint32_t kind, uint64_t number, uint32_t place);

static inline uint32_t place_table_first(const struct place_table *table, uint32_t kind,
					 uint64_t number)
{
	return (uint32_t)hash_mix(kind, number) & table->mask;
}

/* Begins to load what place_table_find() needs. */
static inline void place_table_prefetch(const struct place_table *table, uint32_t kind,
					uint64_t number)
{
	__builtin_prefetch(&table->entries[place_table_first(table, kind, number)]);
}

/* The entry of a kind and a number, or the free one where it belongs. */
static inline struct place_entry *place_table_entry(const struct place_table *table, uint32_t kind,
						    uint64_t number)
{
	uint32_t at = place_table_first(table, kind, number);

	while (table->entries[at].place != PLACE_NONE &&
	       (table->entries[at].number != number || table->entries[at].kind != kind))
		at = (at + 1) & table->mask;
	return &table->entries[at];
}

/* The place of a kind and a number; PLACE_NONE: none was added. */
static inline uint32_t place_table_find(const struct place_table *table, uint32_t kind,
					uint64_t number)
{
	return place_table_entry(table, kind, number)->place;
}

#endif
