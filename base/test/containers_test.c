// SPDX-License-Identifier: GPL-2.0-only
/* containers_test.c - arrays that grow, and elements found by their key */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "sql/test/check.h"

static void test_elements_survive_growth(void)
{
	uint64_t *items = NULL;
	size_t count = 0;

	while (count < 100000) {
		uint64_t *more = array_reserve(items, count, 1, sizeof(*items));

		CHECK(more);
		items = more;
		items[count] = count * 3;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		if (items[i] != i * 3)
			CHECK_EQ(items[i], i * 3);
	free(items);
}

/* Used up to the last byte, which asan watches; also after the array was emptied. */
static void test_room_is_what_was_asked_for(void)
{
	static const size_t steps[] = {1, 15, 1, 1, 300, 14, 5000};

	for (int round = 0; round < 2; round++) {
		char *items = NULL;

		for (int emptied = 0; emptied < 2; emptied++) {
			size_t count = 0;

			for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
				items = array_reserve(items, count, steps[i], 1);
				CHECK(items);
				memset(items + count, 'x', steps[i]);
				count += steps[i];
			}
		}
		free(items);
	}
}

static void test_array_moves_seldom(void)
{
	int moves = 0;

	for (size_t count = 0; count < 100000; count++)
		moves += array_room(count) != array_room(count + 1);
	CHECK_EQ(moves, 14); /* 16, 32, ... 131072 */
}

static void test_too_large_is_no_memory(void)
{
	char *items = array_reserve(NULL, 0, 1, 1);

	CHECK(!array_reserve(items, 5, SIZE_MAX - 2, 1));
	CHECK(!array_reserve(items, 5, SIZE_MAX / 2 + 2, 1));
	CHECK(!array_reserve(items, 5, SIZE_MAX / 4, 1024));
	free(items);
}

static bool has_key(const void *items, uint32_t i, const void *key)
{
	return ((const uint64_t *)items)[i] == *(const uint64_t *)key;
}

/* Keys whose low bits are all the same must still get places of their own. */
static void test_each_key_has_one_place(void)
{
	enum { KEYS = 5000 };
	static uint64_t items[KEYS];
	struct hash hash = {0};
	uint32_t count = 0;

	CHECK_EQ(hash_resize(&hash, KEYS), 0);
	for (int round = 0; round < 2; round++)
		for (uint64_t n = 0; n < KEYS; n++) {
			uint64_t key = n << 40;
			uint32_t *place = hash_place(&hash, hash_mix(0, key), has_key, items, &key);

			CHECK_EQ(*place, round ? n + 1 : 0);
			if (*place)
				continue;
			items[count] = key;
			*place = ++count;
		}
	CHECK_EQ(count, KEYS);

	hash_clear(&hash);
	CHECK_EQ(*hash_place(&hash, hash_mix(0, items[7]), has_key, items, &items[7]), 0);
	CHECK_EQ(hash_resize(&hash, UINT32_MAX / 2), -ENOMEM);
	hash_free(&hash);
}

/* A table that grows with its array is never more than half full, and seldom made anew. */
static void test_table_grows(void)
{
	enum { KEYS = 5000 };
	static uint64_t items[KEYS];
	struct hash hash = {0};
	int grown = 0;

	for (uint32_t count = 0; count < KEYS; count++) {
		int rc = hash_make_room(&hash, count);

		CHECK(rc >= 0 && hash.places >= 2 * (count + 1));
		grown += rc;
		for (uint32_t i = 0; rc > 0 && i < count; i++)
			*hash_place(&hash, hash_mix(0, items[i]), has_key, items, &items[i]) =
				i + 1;

		items[count] = (uint64_t)count << 40;
		*hash_place(&hash, hash_mix(0, items[count]), has_key, items, &items[count]) =
			count + 1;
	}
	for (uint32_t i = 0; i < KEYS; i++)
		CHECK_EQ(*hash_place(&hash, hash_mix(0, items[i]), has_key, items, &items[i]),
			 i + 1);
	CHECK_EQ(grown, 14); /* 2, 4, ... 16384 places */

	CHECK_EQ(hash_make_room(&hash, UINT32_MAX / 2), -ENOMEM);
	CHECK_EQ(hash.places, 16384);
	hash_free(&hash);
}

/* Otherwise {1, 2} and {2, 1} share a chain, and so does each row of a small grid. */
static void test_order_of_words_counts(void)
{
	CHECK(hash_mix(hash_mix(0, 1), 2) != hash_mix(hash_mix(0, 2), 1));
	CHECK(hash_mix(hash_mix(0, 0), 5) != hash_mix(hash_mix(0, 5), 5));
}

int main(void)
{
	test_elements_survive_growth();
	test_room_is_what_was_asked_for();
	test_array_moves_seldom();
	test_too_large_is_no_memory();
	test_each_key_has_one_place();
	test_table_grows();
	test_order_of_words_counts();
	return check_result();
}
