/* SPDX-License-Identifier: GPL-2.0-only */
/* format.h - how a chunk is laid out, for both sides and the tests; chunk.h describes it */
#ifndef EXITSCOPE_SQL_CHUNK_FORMAT_H
#define EXITSCOPE_SQL_CHUNK_FORMAT_H

#include <endian.h>
#include <string.h>

#include "sql/chunk/chunk.h"

/* How a field becomes a stream of small numbers. */
enum chunk_coding {
	CHUNK_AS_IS,	 /* the value */
	CHUNK_PART,	 /* the value; a part of the field that is coded CHUNK_SUM */
	CHUNK_SUM,	 /* value - the sum of the parts */
	CHUNK_COUNTER,	 /* value - (the value of the record before + 1) */
	CHUNK_TIME,	 /* value - (that of the record before + its sum): since the last entry */
	CHUNK_PREVIOUS,	 /* value XOR that of the record before; the first: XOR 0 */
	CHUNK_IN_TUPLE,	 /* in the dictionary of tuples */
	CHUNK_IN_RIPS,	 /* in a dictionary of its own */
	CHUNK_LIKE_LAST, /* value XOR that of the last record of the same context, below */
};

struct chunk_field_format {
	const char *name;
	uint16_t offset; /* in struct kvm_exit_record */
	uint8_t bytes;
	uint8_t coding;
};

/* By enum chunk_field. */
extern const struct chunk_field_format chunk_fields[CHUNK_FIELDS];

/*
 * Records of the same tuple and guest RIP share a context. Contexts that meet in one slot are one;
 * both sides find the same slot.
 */
#define CHUNK_CONTEXTS 4096U

static inline uint32_t chunk_context(uint64_t tuple, uint64_t rip)
{
	return (uint32_t)(tuple * 97 + rip) % CHUNK_CONTEXTS;
}

/* Places in the head. */
enum {
	CHUNK_AT_MAGIC = 0,
	CHUNK_AT_VERSION = 4,
	CHUNK_AT_CODEC = 5,
	CHUNK_AT_STREAMS = 6,
	CHUNK_AT_CRC = 8,
	CHUNK_AT_COUNT = 12,
	CHUNK_AT_TUPLES = 16,
	CHUNK_AT_RIPS = 20,
	CHUNK_AT_SEQ = 24,
	CHUNK_AT_TSC = 32,
	CHUNK_AT_DIRECTORY = 40,
};

#define CHUNK_MAGIC	  0x4b484358U /* "XCHK" */
#define CHUNK_ENTRY_BYTES 12U	      /* of the directory */

/* Every stream there can be: fields, then the places in the two dictionaries. */
enum {
	CHUNK_SLOT_TUPLE = CHUNK_FIELDS,
	CHUNK_SLOT_RIP,
	CHUNK_SLOTS,
};

static inline void chunk_put16(unsigned char *p, uint16_t value)
{
	value = htole16(value);
	memcpy(p, &value, sizeof(value));
}

static inline void chunk_put32(unsigned char *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof(value));
}

static inline void chunk_put64(unsigned char *p, uint64_t value)
{
	value = htole64(value);
	memcpy(p, &value, sizeof(value));
}

static inline uint16_t chunk_get16(const unsigned char *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return le16toh(value);
}

static inline uint32_t chunk_get32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

static inline uint64_t chunk_get64(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return le64toh(value);
}

/* The checksum of a chunk of at least CHUNK_AT_DIRECTORY bytes. */
uint32_t chunk_crc(const unsigned char *data, size_t bytes);

#endif
