/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chunk.h - many exits of one vCPU in a few bytes, column by column
 *
 * A row of table exit takes about 50 bytes. A chunk holds up to CHUNK_RECORDS_MAX records of one
 * vCPU, in the order of their seq, in 0.8 to 8 bytes a record, and every field comes back bit for
 * bit. Only the columns that a reader asks for are decoded.
 *
 * HOW IT WORKS
 * Each column becomes a stream of numbers that are mostly small; enum chunk_coding has the ways.
 * Times, for instance, are the time in the guest before the exit instead of TSCs, and the fields
 * that have few values together (reason, flags, ...; the tuple) are one number in a dictionary of
 * the chunk. A stream is
 *
 *	widths	4 bits a number: how many bytes it has, 0 to 8; the first of two is in bits 3:0
 *	bytes	the low bytes of the numbers, as many as that, little endian
 *
 * and both parts are compressed. A stream of zeros is left out.
 *
 *	numbers	0x12	0	0x3456		widths	0x01 0x02	bytes	0x12 0x56 0x34
 *
 * FORMAT (little endian)
 *	0	"XCHK"
 *	4	version, 8 bits: CHUNK_VERSION
 *	5	codec, 8 bits: CHUNK_CODEC_*
 *	6	number of streams, 16 bits
 *	8	CRC-32 (of zlib) of all other bytes of the chunk
 *	12	number of records, 32 bits: 1 to CHUNK_RECORDS_MAX
 *	16	tuples in the dictionary, 32 bits: 1 to the number of records
 *	20	guest RIPs in the dictionary, 32 bits: the same
 *	24	seq of the first record, 64 bits
 *	32	its TSC, 64 bits
 *	40	the streams, 12 bytes each, by rising number: number, bytes of the coded widths,
 *		bytes of the coded bytes, 32 bits each
 *	then	their parts in that order, up to the end of the chunk
 *
 * The stream of a field has the number of enum chunk_field and one number a record, except those
 * of the tuple's fields (a number a tuple) and of guest_rip (a number a RIP). CHUNK_STREAM_TUPLE
 * and CHUNK_STREAM_RIP have for each record its place in the dictionaries, from 0. A reader
 * refuses a stream that it doesn't know: a later version recorded more.
 *
 * A chunk is hostile data. Each size is checked before it is used, a bad one costs its chunk.
 */
#ifndef EXITSCOPE_SQL_CHUNK_CHUNK_H
#define EXITSCOPE_SQL_CHUNK_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"

#define CHUNK_RECORDS_MAX 16384U
#define CHUNK_VERSION	  1U

#define CHUNK_CODEC_NONE 0U /* parts as they are */
#define CHUNK_CODEC_ZSTD 1U /* each part is a frame of zstd */

#define CHUNK_STREAM_TUPLE 128U
#define CHUNK_STREAM_RIP   129U

/* The fields of struct kvm_exit_record. The numbers are in files: they never change. */
enum chunk_field {
	CHUNK_SEQ = 0,
	CHUNK_TSC = 1,
	CHUNK_GUEST_RIP = 2,
	CHUNK_GUEST_CR3 = 3,
	CHUNK_QUALIFICATION = 4,
	CHUNK_INFO2 = 5,
	CHUNK_KEY = 6,
	CHUNK_KEY_AUX = 7,
	CHUNK_CYCLES = 8,
	CHUNK_HANDLER_CYCLES = 9,
	CHUNK_HALTED_CYCLES = 10,
	CHUNK_USERSPACE_CYCLES = 11,
	CHUNK_PREEMPTED_CYCLES = 12,
	CHUNK_REASON = 13,
	CHUNK_FLAGS = 14,
	CHUNK_INTR_INFO = 15,
	CHUNK_ERROR_CODE = 16,
	CHUNK_PCPU = 17,
	CHUNK_VCPU_ID = 18,
	CHUNK_USER_REASON = 19,
	CHUNK_ISA = 20,
	CHUNK_RUN_ERRNO = 21,
	CHUNK_POLLED_CYCLES = 22,
	CHUNK_VALUE = 23,
	CHUNK_REQUESTS = 24,
	CHUNK_ENTRY_EVENT = 25,
	CHUNK_ENTRY_ERROR_CODE = 26,
	CHUNK_RESERVED_0 = 27,
	CHUNK_RESERVED_1 = 28,
	CHUNK_RESERVED_2 = 29,
	CHUNK_RESERVED_3 = 30,
	CHUNK_FIELDS,
};

/* What calls return, in addition to -ENOMEM and -EINVAL. */
enum {
	CHUNK_DAMAGED = 1, /* not a chunk, or not as it was written */
	CHUNK_FUTURE,	   /* of a later version: another version, codec or stream */
};

struct chunk_encoder;

/* @level: of zstd, at least 1 (fast); 0: CHUNK_CODEC_NONE. NULL: no memory. */
struct chunk_encoder *chunk_encoder_new(int level);
void chunk_encoder_free(struct chunk_encoder *encoder);

/*
 * chunk_encode() - make a chunk
 * @records, @count: 1 to CHUNK_RECORDS_MAX, of one vCPU in the order of their seq. Any values
 *	are kept; others than those of a vCPU take more bytes.
 * @data, @bytes: set to the chunk, which is valid until the next call
 *
 * Return: 0, -EINVAL (@count) or -ENOMEM.
 */
int chunk_encode(struct chunk_encoder *encoder, const struct kvm_exit_record *records, size_t count,
		 const unsigned char **data, size_t *bytes);

/* The smallest and the largest TSC of the records that were last encoded. */
void chunk_encoder_tscs(const struct chunk_encoder *encoder, int64_t *first, int64_t *last);

struct chunk_decoder;

/* NULL: no memory. A decoder takes up to 5 MiB, by the columns that are decoded. */
struct chunk_decoder *chunk_decoder_new(void);
void chunk_decoder_free(struct chunk_decoder *decoder);

/*
 * chunk_open() - begin to read a chunk, in place of the one before
 * @data, @bytes: may be anything; must stay until the next chunk_open()
 *
 * Checks the checksum and the sizes.
 *
 * Return: 0, CHUNK_DAMAGED or CHUNK_FUTURE; then no chunk is open.
 */
int chunk_open(struct chunk_decoder *decoder, const void *data, size_t bytes);

/* Records of the chunk that is open; 0: none is. */
uint32_t chunk_count(const struct chunk_decoder *decoder);

/*
 * chunk_column() - the values of one field
 * @values: set to chunk_count() values, valid until the next chunk_open(). Decoded once.
 *
 * Return: 0, CHUNK_DAMAGED, -EINVAL (no such field, no chunk) or -ENOMEM.
 */
int chunk_column(struct chunk_decoder *decoder, enum chunk_field field, const uint64_t **values);

/* Whether a field is known to be 0 in all records, without decoding it; false may be either. */
bool chunk_is_zero(const struct chunk_decoder *decoder, enum chunk_field field);

/*
 * chunk_dictionary() - the values of a field of the tuple, or of guest_rip, without repetition
 * @places: set to chunk_count() places in @values, each below @count. Those of all fields of the
 *	tuple are the same.
 * @values, @count: set to the values; two may be equal
 *
 * Return: as chunk_column(); -EINVAL: the field is not in a dictionary.
 */
int chunk_dictionary(struct chunk_decoder *decoder, enum chunk_field field, const uint64_t **places,
		     const uint64_t **values, uint32_t *count);

/*
 * chunk_records() - all records as they were
 * @records: room for chunk_count()
 *
 * Return: as chunk_column().
 */
int chunk_records(struct chunk_decoder *decoder, struct kvm_exit_record *records);

/* Words for what a call returned: "damaged", ... */
const char *chunk_strerror(int rc);

#endif
