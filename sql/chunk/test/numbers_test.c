// SPDX-License-Identifier: GPL-2.0-only
/* numbers_test.c - numbers come back as they were put, with and without vectors */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sql/chunk/numbers.h"
#include "sql/test/check.h"

static uint64_t value[NUMBERS_MAX];

/* Of all widths; @zeros of 8 are runs of zeros, as in most streams. */
static void make_values(uint64_t *random, size_t count, unsigned int zeros)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int bits = (unsigned int)(random_next(random) % 65);

		if (!(i % 32) && (random_next(random) % 8) < zeros) {
			for (size_t end = i + 32; i < end && i < count; i++)
				value[i] = 0;
			i--;
			continue;
		}
		value[i] = bits ? random_next(random) >> (64 - bits) : 0;
	}
}

/* In memory of exactly the size that numbers.h requires: AddressSanitizer sees what is beyond. */
static void check_values(size_t count)
{
	uint64_t *vectors = malloc(count * sizeof(*vectors)),
		 *plain = malloc(count * sizeof(*plain));
	size_t used = NUMBERS_WIDTHS_BYTES(count), bytes;
	unsigned char *widths = malloc(used + NUMBERS_SLACK), *packed;
	struct numbers numbers;

	CHECK_EQ(numbers_init(&numbers), 0);
	numbers_put(&numbers, value, count / 3);
	numbers_put(&numbers, value + count / 3, count - count / 3);
	memcpy(widths, numbers.widths, used);
	bytes = numbers_bytes(widths, count);
	CHECK_EQ(bytes, numbers.used);

	packed = calloc(1, bytes + NUMBERS_SLACK);
	memcpy(packed, numbers.bytes, bytes);
	numbers_get(vectors, count, widths, packed);
	numbers_get_plain(plain, count, widths, packed);
	CHECK(!memcmp(vectors, value, count * sizeof(*value)));
	CHECK(!memcmp(plain, value, count * sizeof(*value)));

	free(vectors);
	free(plain);
	free(widths);
	free(packed);
	numbers_free(&numbers);
}

/* One width above 8, anywhere, makes all of them invalid; so does a half that nobody has. */
static void check_widths(size_t count)
{
	size_t used = NUMBERS_WIDTHS_BYTES(count);
	unsigned char *widths = malloc(used + NUMBERS_SLACK);

	for (size_t i = 0; i < 2 * used; i++) {
		for (unsigned int width = 0; width < 16; width++) {
			size_t want = width <= 8 && (i < count || !width) ? width : SIZE_MAX;

			memset(widths, 0, used);
			widths[i / 2] = (unsigned char)(width << i % 2 * 4);
			CHECK_EQ(numbers_bytes(widths, count), want);
		}
	}
	memset(widths, 0x88, used);
	widths[used - 1] = count % 2 ? 0x08 : 0x88;
	CHECK_EQ(numbers_bytes(widths, count), 8 * count);
	free(widths);
}

int main(void)
{
	uint64_t random = 1;

	for (size_t count = 1; count < 100; count++) {
		for (unsigned int zeros = 0; zeros < 8; zeros += 2) {
			make_values(&random, count, zeros);
			check_values(count);
		}
		check_widths(count);
	}
	make_values(&random, NUMBERS_MAX, 4);
	check_values(NUMBERS_MAX);
	memset(value, 0xff, sizeof(value));
	check_values(NUMBERS_MAX);
	check_values(NUMBERS_MAX - 1);
	return check_result();
}
