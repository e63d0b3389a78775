/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proto.h - write messages in the wire format of Protocol Buffers
 *
 * All zero: an empty message. Fields come out in the order of the calls. Without
 * memory @failed is set and the rest is dropped.
 */
#ifndef EXITSCOPE_ANALYZER_EXPORT_PROTO_H
#define EXITSCOPE_ANALYZER_EXPORT_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto {
	uint8_t *data;
	size_t size; /* bytes used */
	size_t room;
	bool failed;
};

void proto_uint(struct proto *message, unsigned int field,
		uint64_t value); /* also int, enum, bool */
void proto_double(struct proto *message, unsigned int field, double value);
void proto_text(struct proto *message, unsigned int field, const char *text);

/* Put @part in as a field and empty it for its next use. */
void proto_message(struct proto *message, unsigned int field, struct proto *part);

void proto_clear(struct proto *message); /* keeps the memory */
void proto_free(struct proto *message);

#endif
