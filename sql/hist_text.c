// SPDX-License-Identifier: GPL-2.0-only
/* hist_text.c - writes and reads histograms as text; see hist_text.h */
#include "sql/hist_text.h"

#include <stddef.h>

/* Numbers up to SINGLE are the printable characters of ASCII, the others follow the controls. */
#define SINGLE	  94U
#define SINGLE_AT 32U
#define OTHERS_AT 66U

#define DIGIT	  2048U /* of what is written as one odd or even step */
#define HIGH	  4096U /* steps from here on are digits of high */
#define HIGH_BITS 12
#define LOW_BITS  11

/* Write a step as UTF-8: 1 to 3 bytes. */
static char *put_step(char *p, uint32_t step)
{
	uint32_t code = step + (step <= SINGLE ? SINGLE_AT : OTHERS_AT);

	if (code < 0x80) {
		*p++ = (char)code;
	} else if (code < 0x800) {
		*p++ = (char)(0xc0 | code >> 6);
		*p++ = (char)(0x80 | (code & 0x3f));
	} else {
		*p++ = (char)(0xe0 | code >> 12);
		*p++ = (char)(0x80 | (code >> 6 & 0x3f));
		*p++ = (char)(0x80 | (code & 0x3f));
	}
	return p;
}

static char *put_gap(char *p, uint32_t buckets)
{
	for (; buckets >= DIGIT; buckets -= DIGIT - 1)
		p = put_step(p, 2 * (DIGIT - 1));
	return buckets ? put_step(p, 2 * buckets) : p;
}

static char *put_count(char *p, uint64_t n)
{
	uint64_t high = n >> LOW_BITS;
	int digits = 0;

	while (digits * HIGH_BITS < 64 && high >> (digits * HIGH_BITS))
		digits++;
	while (digits--)
		p = put_step(p, HIGH + (uint32_t)(high >> (digits * HIGH_BITS) & (HIGH - 1)));
	return put_step(p, 2 * (uint32_t)(n % DIGIT) + 1);
}

uint32_t hist_text_write(const uint64_t n[HIST_BUCKETS], char *text)
{
	uint32_t next = 0;
	char *p = text;

	for (uint32_t bucket = 0; bucket < HIST_BUCKETS; bucket++) {
		if (!n[bucket])
			continue;
		p = put_gap(p, bucket - next);
		p = put_count(p, n[bucket]);
		next = bucket + 1;
	}
	return (uint32_t)(p - text);
}

void hist_text_begin(struct hist_text *reader, const void *text, uint32_t bytes)
{
	*reader = (struct hist_text){.at = text, .end = (const unsigned char *)text + bytes};
}

/* The byte at @i as the continuation of a character, or -1. */
static int32_t continuation(const struct hist_text *reader, ptrdiff_t i)
{
	if (i >= reader->end - reader->at || (reader->at[i] & 0xc0) != 0x80)
		return -1;
	return reader->at[i] & 0x3f;
}

/* Read a step of any length, or -1. There is at least one byte. */
static int32_t get_long_step(struct hist_text *reader)
{
	int32_t first = *reader->at;
	int32_t second = first < 0x80 ? 0 : continuation(reader, 1);
	int32_t third = first < 0xe0 ? 0 : continuation(reader, 2);
	int32_t code = first;
	int bytes = 1;

	if (second < 0 || third < 0 || (first >= 0x80 && first < 0xc2) || first >= 0xf0)
		return -1;
	if (first >= 0xe0) {
		code = (first & 0xf) << 12 | second << 6 | third;
		bytes = 3;
	} else if (first >= 0x80) {
		code = (first & 0x1f) << 6 | second;
		bytes = 2;
	}
	reader->at += bytes;

	if (code < (int32_t)SINGLE_AT)
		return -1;
	if (code <= (int32_t)(SINGLE_AT + SINGLE))
		return code - (int32_t)SINGLE_AT;
	code -= (int32_t)OTHERS_AT;
	return code > (int32_t)SINGLE && code < (int32_t)(2 * HIGH) ? code : -1;
}

/* Read a step, or -1. There is at least one byte. */
static int32_t get_step(struct hist_text *reader)
{
	int32_t first = *reader->at;

	/* Nearly all. */
	if (first >= (int32_t)SINGLE_AT && first <= (int32_t)(SINGLE_AT + SINGLE)) {
		reader->at++;
		return first - (int32_t)SINGLE_AT;
	}
	return get_long_step(reader);
}

int hist_text_next(struct hist_text *reader, uint32_t *bucket, uint64_t *n)
{
	uint64_t high = 0;

	while (reader->at < reader->end) {
		int32_t step = get_step(reader);

		if (step < 0 || reader->bucket >= HIST_BUCKETS)
			return -1;
		if (step >= (int32_t)HIGH) {
			high = high << HIGH_BITS | (uint32_t)(step - (int32_t)HIGH);
			continue;
		}
		if (step & 1) {
			*bucket = reader->bucket++;
			*n = high << LOW_BITS | (uint32_t)step / 2;
			return 1;
		}
		reader->bucket += (uint32_t)step / 2;
		high = 0;
	}
	return 0;
}
