// SPDX-License-Identifier: GPL-2.0-only
/* numbers.c - numbers as widths and bytes; see numbers.h */
#include "sql/chunk/numbers.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tmmintrin.h>

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

size_t numbers_bytes(unsigned char *widths, size_t count)
{
	const __m128i half = _mm_set1_epi8(15), most = _mm_set1_epi8(8);
	__m128i sums = _mm_setzero_si128(), too_wide = _mm_setzero_si128();
	size_t used = NUMBERS_WIDTHS_BYTES(count);

	if (count % 2 && widths[used - 1] >> 4)
		return SIZE_MAX;
	memset(widths + used, 0, NUMBERS_SLACK);

	/* 32 widths at once, one per byte. */
	for (size_t i = 0; i < used; i += sizeof(__m128i)) {
		__m128i both = _mm_loadu_si128((const __m128i *)(widths + i));
		__m128i low = _mm_and_si128(both, half);
		__m128i high = _mm_and_si128(_mm_srli_epi16(both, 4), half);

		too_wide = _mm_or_si128(too_wide, _mm_cmpgt_epi8(_mm_max_epu8(low, high), most));
		sums = _mm_add_epi64(sums,
				     _mm_sad_epu8(_mm_add_epi8(low, high), _mm_setzero_si128()));
	}
	if (_mm_movemask_epi8(too_wide))
		return SIZE_MAX;
	return (size_t)(_mm_cvtsi128_si64(sums) +
			_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
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

/* Those of whole bytes of widths, as far as @count goes; returns where the rest begins. */
static const unsigned char *get_plain(uint64_t *values, size_t count, const unsigned char *widths,
				      const unsigned char *bytes)
{
	for (size_t i = 0; i < count / 2; i++)
		bytes = get_two(values + 2 * i, widths[i], bytes);
	return bytes;
}

/* Where each byte of two numbers comes from, by their widths; 0x80: it is 0. */
#define LOW_BYTE(low, i)	((i) < (low) ? (i) : 0x80)
#define HIGH_BYTE(low, high, i) ((i) < (high) ? (low) + (i) : 0x80)
#define TWO(low, high)                                                                             \
	[(low) | (high) << 4] = {                                                                  \
		LOW_BYTE(low, 0),	 LOW_BYTE(low, 1),	  LOW_BYTE(low, 2),                \
		LOW_BYTE(low, 3),	 LOW_BYTE(low, 4),	  LOW_BYTE(low, 5),                \
		LOW_BYTE(low, 6),	 LOW_BYTE(low, 7),	  HIGH_BYTE(low, high, 0),         \
		HIGH_BYTE(low, high, 1), HIGH_BYTE(low, high, 2), HIGH_BYTE(low, high, 3),         \
		HIGH_BYTE(low, high, 4), HIGH_BYTE(low, high, 5), HIGH_BYTE(low, high, 6),         \
		HIGH_BYTE(low, high, 7)}
#define TWO_OF(high)                                                                               \
	TWO(0, high), TWO(1, high), TWO(2, high), TWO(3, high), TWO(4, high), TWO(5, high),        \
		TWO(6, high), TWO(7, high), TWO(8, high)

static const unsigned char shuffles[256][16] __attribute__((aligned(16))) = {
	TWO_OF(0), TWO_OF(1), TWO_OF(2), TWO_OF(3), TWO_OF(4),
	TWO_OF(5), TWO_OF(6), TWO_OF(7), TWO_OF(8),
};

/* Numbers whose widths are 8 bytes. */
#define GROUP 16U

#define EACH_BYTE 0x0101010101010101ULL

/* The same, two numbers at once. */
__attribute__((target("ssse3"))) static const unsigned char *
get_vectors(uint64_t *values, size_t count, const unsigned char *widths, const unsigned char *bytes)
{
	size_t i = 0;

	for (; i + GROUP <= count; i += GROUP, widths += GROUP / 2) {
		uint64_t any, ends;

		/* Many streams are nearly all zeros. */
		memcpy(&any, widths, sizeof(any));
		if (!any) {
			memset(values + i, 0, GROUP * sizeof(*values));
			continue;
		}

		/* Where each two end: sums of all widths up to them, at most 128 in a byte. */
		ends = ((any & 15 * EACH_BYTE) + (any >> 4 & 15 * EACH_BYTE)) * EACH_BYTE;
		for (size_t j = 0; j < GROUP / 2; j++) {
			size_t at = j ? ends >> 8 * (j - 1) & 0xff : 0;
			__m128i packed = _mm_loadu_si128((const __m128i *)(bytes + at));
			__m128i order = _mm_load_si128((const __m128i *)shuffles[widths[j]]);

			_mm_storeu_si128((__m128i *)(values + i + 2 * j),
					 _mm_shuffle_epi8(packed, order));
		}
		bytes += ends >> 56;
	}
	return get_plain(values + i, count - i, widths, bytes);
}

/* The last of an odd count has half a byte of widths. */
static void get_last(uint64_t *values, size_t count, const unsigned char *widths,
		     const unsigned char *bytes)
{
	if (count % 2)
		values[count - 1] = load(bytes, widths[count / 2] & 15);
}

void numbers_get_plain(uint64_t *values, size_t count, const unsigned char *widths,
		       const unsigned char *bytes)
{
	get_last(values, count, widths, get_plain(values, count, widths, bytes));
}

void numbers_get(uint64_t *values, size_t count, const unsigned char *widths,
		 const unsigned char *bytes)
{
	if (__builtin_cpu_supports("ssse3"))
		get_last(values, count, widths, get_vectors(values, count, widths, bytes));
	else
		numbers_get_plain(values, count, widths, bytes);
}
