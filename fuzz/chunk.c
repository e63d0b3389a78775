// SPDX-License-Identifier: GPL-2.0-only
/* chunk.c - fuzz target: a chunk of exits, also with a checksum that is right; records */
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "sql/chunk/chunk.h"
#include "sql/chunk/format.h"

/* Records of an input, repeated and changed a little, fill more than one block. */
#define RECORDS_MAX 300U

static struct chunk_encoder *encoder;
static struct chunk_decoder *decoder;

static void make_coders(void)
{
	if (!encoder)
		encoder = chunk_encoder_new(0);
	if (!decoder)
		decoder = chunk_decoder_new();
	INPUT_CHECK(encoder && decoder);
}

/* What was read must be written and read again as it is. */
static void check_again(const struct kvm_exit_record *records, size_t count)
{
	static struct kvm_exit_record again[CHUNK_RECORDS_MAX];
	const unsigned char *data;
	size_t bytes;

	INPUT_CHECK(!chunk_encode(encoder, records, count, &data, &bytes));
	INPUT_CHECK(!chunk_open(decoder, data, bytes));
	INPUT_CHECK(chunk_count(decoder) == count);
	INPUT_CHECK(!chunk_records(decoder, again));
	INPUT_CHECK(!memcmp(again, records, count * sizeof(*records)));
}

/* Each column alone: a damaged one must not be read with the others' help only. */
static void read_columns(void)
{
	const uint64_t *places, *values;
	uint32_t entries;

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		if (!chunk_column(decoder, (enum chunk_field)i, &values))
			INPUT_CHECK(
				chunk_fields[i].bytes == 8 ||
				!(values[chunk_count(decoder) - 1] >> chunk_fields[i].bytes * 8));
		if (!chunk_dictionary(decoder, (enum chunk_field)i, &places, &values, &entries))
			INPUT_CHECK(places[chunk_count(decoder) - 1] < entries);
	}
}

static void read_chunk(const unsigned char *data, size_t size)
{
	static struct kvm_exit_record records[CHUNK_RECORDS_MAX];
	size_t count;

	if (chunk_open(decoder, data, size)) {
		INPUT_CHECK(!chunk_count(decoder));
		return;
	}
	read_columns();

	count = chunk_count(decoder);
	if (!chunk_records(decoder, records))
		check_again(records, count);
}

/* Only who forges a chunk gets beyond its checksum. */
static void read_forged(const uint8_t *data, size_t size)
{
	unsigned char *chunk = malloc(size ? size : 1);

	INPUT_CHECK(chunk != NULL);
	if (size)
		memcpy(chunk, data, size);
	if (size >= CHUNK_AT_DIRECTORY)
		chunk_put32(chunk + CHUNK_AT_CRC, chunk_crc(chunk, size));
	read_chunk(chunk, size);
	free(chunk);
}

/* The input as the records themselves. */
static void write_records(const uint8_t *data, size_t size)
{
	static struct kvm_exit_record records[RECORDS_MAX];
	size_t given = size / sizeof(*records);
	size_t count = given ? 1 + data[0] % RECORDS_MAX : 0;

	for (size_t i = 0; i < count; i++) {
		memcpy(&records[i], data + i % given * sizeof(*records), sizeof(*records));
		records[i].seq += i / given;
	}
	if (count)
		check_again(records, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_coders();
	read_chunk(data, size);
	read_forged(data, size);
	write_records(data, size);
	return 0;
}
