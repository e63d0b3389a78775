/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cursor.h - reads little-endian data of unknown quality front to back
 *
 * A read past the end gives 0 and sets @bad, which the caller checks once, at the
 * end.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_CURSOR_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool bad;
};

/* From @offset of @data, @bytes long, if that is inside of @size. */
static inline struct cursor cursor_of(const unsigned char *data, uint64_t size, uint64_t offset,
				      uint64_t bytes)
{
	if (offset > size || bytes > size - offset)
		return (struct cursor){data, data, true};
	return (struct cursor){data + offset, data + offset + bytes, false};
}

static inline uint64_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : (uint64_t)(c->end - c->at);
}

/* The next @bytes bytes, or NULL. */
static inline const void *cursor_take(struct cursor *c, uint64_t bytes)
{
	const void *at = c->at;

	if (c->bad || bytes > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	c->at += bytes;
	return at;
}

static inline uint64_t cursor_number(struct cursor *c, size_t bytes)
{
	const void *at = cursor_take(c, bytes);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, bytes);
	return value;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return cursor_number(c, 8);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_number(c, 4);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_number(c, 2);
}

/* A text that ends with a 0; "" if there is none. */
static inline const char *cursor_text(struct cursor *c)
{
	const unsigned char *end = cursor_left(c) ? memchr(c->at, 0, cursor_left(c)) : NULL;

	if (!end) {
		c->bad = true;
		return "";
	}
	return cursor_take(c, (uint64_t)(end - c->at) + 1);
}

#endif
