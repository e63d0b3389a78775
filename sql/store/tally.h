/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tally.h - sums per (vCPU, interval, reason), kept between two flushes
 *
 * A hash table of fixed size whose values sit in one dense array: values never
 * move, and it is cheap to walk, sort and empty. Memory that was never used is
 * never touched.
 */
#ifndef EXITSCOPE_SQL_STORE_TALLY_H
#define EXITSCOPE_SQL_STORE_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally_key {
	uint32_t vcpu;
	uint32_t reason;
	int64_t slot;
};

struct tally {
	struct tally_key *keys;
	char *values;	 /* keys[i] belongs to values + i * value_bytes */
	uint32_t *index; /* position in keys + 1; 0: free */
	size_t value_bytes;
	uint32_t capacity; /* keys */
	uint32_t count;
	uint32_t mask; /* places in index - 1 */
};

/* Makes room for @capacity keys. -ENOMEM */
int tally_init(struct tally *tally, size_t value_bytes, uint32_t capacity);
void tally_free(struct tally *tally);

/* The value of @key, all 0 when the key is new. NULL: full. Valid until tally_clear(). */
void *tally_at(struct tally *tally, const struct tally_key *key);

/* Positions of all keys in (vcpu, slot, reason) order, or NULL without memory;
 * to be freed by the caller.
 */
uint32_t *tally_sorted(const struct tally *tally);

void tally_clear(struct tally *tally);

#endif
