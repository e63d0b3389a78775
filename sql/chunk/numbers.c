// SPDX-License-Identifier: GPL-2.0-only
/* numbers.c - numbers as widths and bytes; see numbers.h */
#include "sql/chunk/numbers.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int numbers_init(struct numbers *numbers)
{
	*numbers = (struct numbers){
		.widths = calloc(1, NUMBERS_WIDTHS_BYTES(NUMBERS_MAX) + NUMBERS_SLACK),
		.bytes = malloc(NUMBERS_BYTES_MAX + NUMBERS_SLACK),
	};
	return numbers->widths && numbers->bytes ? 0 : -ENOMEM;
}

void numbers_free(struct numbers *numbers)
{
	free(numbers->widths);
	free(numbers->bytes);
}

void numbers_clear(struct numbers *numbers)
{
	if (numbers->any)
		memset(numbers->widths, 0, NUMBERS_WIDTHS_BYTES(numbers->count));
	numbers->used = 0;
	numbers->count = 0;
	numbers->any = 0;
}

/* 0 for 0, without a branch: widths are hard to predict. */
static inline unsigned int width_of(uint64_t value)
{
	return (71 - (unsigned int)__builtin_clzll(value | 1)) / 8 - !value;
}

/* All 8 bytes are stored; the next number overwrites those that are too many. */
static inline unsigned int put(unsigned char *p, uint64_t value)
{
	uint64_t stored = htole64(value);

	memcpy(p, &stored, sizeof(stored));
	return width_of(value);
}

void numbers_put_zeros(struct numbers *numbers, size_t count)
{
	numbers->count += count;
}

void numbers_put(struct numbers *numbers, const uint64_t *values, size_t count)
{
	unsigned char *p = numbers->bytes + numbers->used;
	unsigned char *widths = numbers->widths + numbers->count / 2;
	bool has_half = numbers->count % 2;
	size_t i = 0;

	for (size_t j = 0; j < count; j++)
		numbers->any |= values[j];
	numbers->count += count;
	if (!numbers->any || !count)
		return;

	if (has_half) {
		unsigned int width = put(p, values[i++]);

		p += width;
		*widths++ |= (unsigned char)(width << 4);
	}
	for (; i + 1 < count; i += 2) {
		unsigned int low = put(p, values[i]);
		unsigned int high = put(p + low, values[i + 1]);

		p += low + high;
		*widths++ = (unsigned char)(low | high << 4);
	}
	if (i < count) {
		unsigned int width = put(p, values[i]);

		p += width;
		*widths = (unsigned char)width;
	}
	numbers->used = (size_t)(p - numbers->bytes);
}

#define EACH_BYTE 0x0101010101010101ULL

size_t numbers_bytes(unsigned char *widths, size_t count)
{
	size_t used = NUMBERS_WIDTHS_BYTES(count);
	uint64_t too_wide = 0;
	size_t sum = 0;

	if (count % 2 && widths[used - 1] >> 4)
		return SIZE_MAX;
	memset(widths + used, 0, NUMBERS_SLACK);

	/* 16 widths at once, one per byte. Their sums of two are at most 30, of 16 at most 240. */
	for (size_t i = 0; i < used; i += sizeof(uint64_t)) {
		uint64_t low, high;

		memcpy(&low, widths + i, sizeof(low));
		high = low >> 4 & 15 * EACH_BYTE;
		low &= 15 * EACH_BYTE;
		sum += (low + high) * EACH_BYTE >> 56;

		/* 9 to 15: bit 3 and one of the bits below it. */
		too_wide |= (low >> 3 & EACH_BYTE) * 7 & low;
		too_wide |= (high >> 3 & EACH_BYTE) * 7 & high;
	}
	return too_wide ? SIZE_MAX : sum;
}

static const uint64_t mask[16] = {
	0,
	0xff,
	0xffff,
	0xffffff,
	0xffffffff,
	0xffffffffff,
	0xffffffffffff,
	0xffffffffffffff,
	0xffffffffffffffff,
};

static inline uint64_t load(const unsigned char *p, unsigned int width)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return le64toh(value) & mask[width];
}

/* The numbers of one byte of widths; returns where the next ones begin. */
static inline const unsigned char *get_two(uint64_t *values, unsigned char widths,
					   const unsigned char *bytes)
{
	unsigned int low = widths & 15;
	unsigned int high = widths >> 4;

	values[0] = load(bytes, low);
	values[1] = load(bytes + low, high);
	return bytes + low + high;
}

/* Numbers whose widths are 8 bytes. */
#define GROUP 16U

void numbers_get(uint64_t *values, size_t count, const unsigned char *widths,
		 const unsigned char *bytes)
{
	size_t i = 0;

	for (; i + GROUP <= count; i += GROUP, widths += GROUP / 2) {
		uint64_t any;

		/* Many streams are nearly all zeros. */
		memcpy(&any, widths, sizeof(any));
		if (!any) {
			memset(values + i, 0, GROUP * sizeof(*values));
			continue;
		}
		for (size_t j = 0; j < GROUP / 2; j++)
			bytes = get_two(values + i + 2 * j, widths[j], bytes);
	}

	for (; i + 1 < count; i += 2)
		bytes = get_two(values + i, *widths++, bytes);
	if (i < count)
		values[i] = load(bytes, *widths & 15);
}
