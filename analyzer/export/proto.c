// SPDX-License-Identifier: GPL-2.0-only
/*
 * proto.c - write messages in the wire format of Protocol Buffers; see proto.h
 */
#include "analyzer/export/proto.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2 };

static void put(struct proto *m, const void *data, size_t size)
{
	if (m->size + size > m->room) {
		size_t room = 2 * (m->size + size) + 64;
		uint8_t *more = realloc(m->data, room);

		if (!more) {
			m->failed = true;
			return;
		}
		m->data = more;
		m->room = room;
	}
	if (size)
		memcpy(m->data + m->size, data, size);
	m->size += size;
}

/* Seven bits a byte, lowest first; bit 7: more follow. */
static void put_varint(struct proto *m, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (uint8_t)value | 0x80;
	bytes[n++] = (uint8_t)value;
	put(m, bytes, n);
}

static void put_tag(struct proto *m, unsigned int field, unsigned int type)
{
	put_varint(m, (uint64_t)field << 3 | type);
}

static void put_bytes(struct proto *m, unsigned int field, const void *data, size_t size)
{
	put_tag(m, field, WIRE_BYTES);
	put_varint(m, size);
	put(m, data, size);
}

void proto_uint(struct proto *m, unsigned int field, uint64_t value)
{
	put_tag(m, field, WIRE_VARINT);
	put_varint(m, value);
}

void proto_double(struct proto *m, unsigned int field, double value)
{
	uint64_t bits;
	uint8_t bytes[8];

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> 8 * i);
	put_tag(m, field, WIRE_64);
	put(m, bytes, sizeof(bytes));
}

void proto_text(struct proto *m, unsigned int field, const char *text)
{
	put_bytes(m, field, text, strlen(text));
}

void proto_message(struct proto *m, unsigned int field, struct proto *part)
{
	put_bytes(m, field, part->data, part->size);
	m->failed |= part->failed;
	proto_clear(part);
}

void proto_clear(struct proto *m)
{
	m->size = 0;
	m->failed = false;
}

void proto_free(struct proto *m)
{
	free(m->data);
	memset(m, 0, sizeof(*m));
}
