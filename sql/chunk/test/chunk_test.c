// SPDX-License-Identifier: GPL-2.0-only
/* chunk_test.c - records come back bit for bit; what is damaged is refused */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sql/chunk/chunk.h"
#include "sql/chunk/format.h"
#include "sql/chunk/test/random_records.h"
#include "sql/test/check.h"

#define SEED 17

static struct kvm_exit_record expected[CHUNK_RECORDS_MAX], got[CHUNK_RECORDS_MAX];

static const size_t counts[] = {1, 2, 3, 127, 128, 129, 1000, 1001, CHUNK_RECORDS_MAX};
#define COUNTS (sizeof(counts) / sizeof(*counts))

static uint64_t field_of(const struct kvm_exit_record *record, int field)
{
	uint64_t value = 0; /* little endian, as all that KVM runs on with VMX or SVM */

	memcpy(&value, (const char *)record + chunk_fields[field].offset,
	       chunk_fields[field].bytes);
	return value;
}

/* A new field of the record must get a row in the table. */
static void test_the_table_has_every_byte_once(void)
{
	unsigned char seen[sizeof(struct kvm_exit_record)] = {0};
	int sums = 0;

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		const struct chunk_field_format *format = &chunk_fields[i];

		CHECK(format->name && format->bytes);
		sums += format->coding == CHUNK_SUM;
		for (int j = 0; j < format->bytes; j++)
			seen[format->offset + j]++;
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		CHECK_EQ(seen[i], 1);
	CHECK_EQ(sums, 1);
}

/* Damaged or right, a chunk must not be read beyond its end: it gets memory of just its size. */
static void *copy(const void *data, size_t bytes)
{
	void *exact = malloc(bytes ? bytes : 1);

	if (!exact)
		abort();
	if (bytes)
		memcpy(exact, data, bytes);
	return exact;
}

static void check_columns(struct chunk_decoder *decoder, const void *chunk, size_t bytes,
			  size_t count)
{
	const uint64_t *column, *places, *values;
	uint32_t entries;

	for (int field = 0; field < CHUNK_FIELDS; field++) {
		uint64_t differ = 0;

		/* Each first and alone, as a scan does it. */
		CHECK_EQ(chunk_open(decoder, chunk, bytes), 0);
		CHECK_EQ(chunk_column(decoder, (enum chunk_field)field, &column), 0);
		for (size_t i = 0; i < count; i++)
			differ += column[i] != field_of(&expected[i], field);
		CHECK_EQ(differ, 0);

		CHECK_EQ(chunk_open(decoder, chunk, bytes), 0);
		if (chunk_dictionary(decoder, (enum chunk_field)field, &places, &values, &entries))
			continue;
		for (size_t i = 0; i < count; i++)
			differ += places[i] >= entries ||
				  values[places[i]] != field_of(&expected[i], field);
		CHECK_EQ(differ, 0);
	}
}

static void check_round(struct chunk_encoder *encoder, struct chunk_decoder *decoder, size_t count)
{
	const unsigned char *data;
	size_t bytes;
	void *chunk;

	CHECK_EQ(chunk_encode(encoder, expected, count, &data, &bytes), 0);
	chunk = copy(data, bytes);
	CHECK_EQ(chunk_open(decoder, chunk, bytes), 0);
	CHECK_EQ(chunk_count(decoder), count);

	memset(got, 0xa5, count * sizeof(*got));
	CHECK_EQ(chunk_records(decoder, got), 0);
	CHECK_EQ(memcmp(got, expected, count * sizeof(*got)), 0);

	check_columns(decoder, chunk, bytes, count);
	free(chunk);
}

static void test_records_come_back_bit_for_bit(void)
{
	uint64_t random = SEED;

	for (int level = 0; level < 2; level++) {
		struct chunk_encoder *encoder = chunk_encoder_new(level);
		struct chunk_decoder *decoder = chunk_decoder_new();

		/* Large ones first and in between: nothing of a chunk may reach the next. */
		for (int kind = 0; kind < RECORDS_KINDS; kind++) {
			for (size_t i = COUNTS; i--;) {
				random_records(kind, &random, expected, counts[i]);
				check_round(encoder, decoder, counts[i]);
			}
		}
		chunk_encoder_free(encoder);
		chunk_decoder_free(decoder);
	}
}

static void test_limits(void)
{
	struct chunk_encoder *encoder = chunk_encoder_new(1);
	struct chunk_decoder *decoder = chunk_decoder_new();
	const unsigned char *data;
	const uint64_t *values, *places;
	uint32_t entries;
	size_t bytes;

	CHECK_EQ(chunk_encode(encoder, expected, 0, &data, &bytes), -EINVAL);
	CHECK_EQ(chunk_encode(encoder, expected, CHUNK_RECORDS_MAX + 1, &data, &bytes), -EINVAL);

	/* No chunk is open. */
	CHECK_EQ(chunk_count(decoder), 0);
	CHECK_EQ(chunk_column(decoder, CHUNK_SEQ, &values), -EINVAL);
	CHECK_EQ(chunk_dictionary(decoder, CHUNK_REASON, &places, &values, &entries), -EINVAL);
	CHECK_EQ(chunk_records(decoder, got), -EINVAL);

	CHECK_EQ(chunk_encode(encoder, expected, 1, &data, &bytes), 0);
	CHECK_EQ(chunk_open(decoder, data, bytes), 0);
	CHECK_EQ(chunk_column(decoder, CHUNK_FIELDS, &values), -EINVAL);
	CHECK_EQ(chunk_dictionary(decoder, CHUNK_SEQ, &places, &values, &entries), -EINVAL);

	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

/* Opens a chunk in memory of its own, and reads all of it. */
static int open_exact(struct chunk_decoder *decoder, const void *data, size_t bytes)
{
	void *chunk = copy(data, bytes);
	int rc = chunk_open(decoder, chunk, bytes);

	if (!rc)
		rc = chunk_records(decoder, got);
	free(chunk);
	return rc;
}

static void test_every_damaged_byte_is_seen(void)
{
	struct chunk_encoder *encoder = chunk_encoder_new(1);
	struct chunk_decoder *decoder = chunk_decoder_new();
	uint64_t random = SEED;
	const unsigned char *data;
	unsigned char *chunk;
	size_t bytes;

	random_records(RECORDS_LIKELY, &random, expected, 100);
	CHECK_EQ(chunk_encode(encoder, expected, 100, &data, &bytes), 0);
	chunk = copy(data, bytes);

	for (size_t i = 0; i < bytes; i++) {
		chunk[i] ^= 1U << i % 8;
		CHECK_EQ(open_exact(decoder, chunk, bytes), CHUNK_DAMAGED);
		CHECK_EQ(chunk_count(decoder), 0);
		chunk[i] ^= 1U << i % 8;
		CHECK_EQ(open_exact(decoder, chunk, i), CHUNK_DAMAGED);
	}
	CHECK_EQ(open_exact(decoder, chunk, bytes), 0);

	free(chunk);
	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

/* Makes the checksum right: what a forger does, too. */
static void seal(unsigned char *chunk, size_t bytes)
{
	chunk_put32(chunk + CHUNK_AT_CRC, chunk_crc(chunk, bytes));
}

static void test_a_later_version_is_named(void)
{
	static const struct {
		size_t at;
		unsigned char value;
	} changes[] = {
		{CHUNK_AT_VERSION, CHUNK_VERSION + 1},
		{CHUNK_AT_CODEC, CHUNK_CODEC_ZSTD + 1},
		{CHUNK_AT_DIRECTORY, CHUNK_FIELDS}, /* the number of the first stream */
	};
	struct chunk_encoder *encoder = chunk_encoder_new(0);
	struct chunk_decoder *decoder = chunk_decoder_new();
	uint64_t random = SEED;
	const unsigned char *data;
	unsigned char *chunk;
	size_t bytes;

	random_records(RECORDS_LIKELY, &random, expected, 5);
	CHECK_EQ(chunk_encode(encoder, expected, 5, &data, &bytes), 0);
	chunk = copy(data, bytes);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		chunk[changes[i].at] = changes[i].value;
		seal(chunk, bytes);
		CHECK_EQ(open_exact(decoder, chunk, bytes), CHUNK_FUTURE);
		chunk[changes[i].at] = data[changes[i].at];
	}
	free(chunk);
	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

/* Forged chunks, their checksums right: any answer will do but a crash, and the next is read. */
static void test_forged_chunks_do_no_harm(void)
{
	struct chunk_encoder *encoders[] = {chunk_encoder_new(0), chunk_encoder_new(1)};
	struct chunk_decoder *decoder = chunk_decoder_new();
	uint64_t random = SEED;
	int refused = 0;
	int read = 0;

	for (int round = 0; round < 4000; round++) {
		size_t count = 1 + (size_t)round % 50;
		const unsigned char *data;
		unsigned char *chunk;
		size_t bytes;

		if (round % 100 == 0)
			random_records(round / 100 % RECORDS_KINDS, &random, expected, 50);
		CHECK_EQ(chunk_encode(encoders[round % 2], expected, count, &data, &bytes), 0);
		chunk = copy(data, bytes);
		for (uint64_t n = 1 + random_next(&random) % 3; n; n--)
			chunk[random_next(&random) % bytes] = (unsigned char)random_next(&random);
		seal(chunk, bytes);
		if (open_exact(decoder, chunk, bytes))
			refused++;
		else
			read++;

		CHECK_EQ(open_exact(decoder, data, bytes), 0);
		CHECK_EQ(memcmp(got, expected, count * sizeof(*got)), 0);
		free(chunk);
	}
	CHECK(refused > 1000 && read > 100);
	chunk_encoder_free(encoders[0]);
	chunk_encoder_free(encoders[1]);
	chunk_decoder_free(decoder);
}

/* The directory entry of a stream, and where its two parts are (CHUNK_CODEC_NONE). */
static unsigned char *find_stream(unsigned char *chunk, uint32_t number, unsigned char *parts[2])
{
	uint32_t streams = chunk_get16(chunk + CHUNK_AT_STREAMS);
	unsigned char *entry = chunk + CHUNK_AT_DIRECTORY;
	unsigned char *part = entry + (size_t)streams * CHUNK_ENTRY_BYTES;

	for (uint32_t i = 0; i < streams; i++, entry += CHUNK_ENTRY_BYTES) {
		parts[0] = part;
		parts[1] = part + chunk_get32(entry + 4);
		if (chunk_get32(entry) == number)
			return entry;
		part = parts[1] + chunk_get32(entry + 8);
	}
	abort();
}

/* Makes a chunk of three records: two tuples, two RIPs, all small. */
static unsigned char *make_small(struct chunk_encoder *encoder, size_t *bytes)
{
	const unsigned char *data;

	for (int i = 0; i < 3; i++)
		expected[i] = (struct kvm_exit_record){
			.seq = (uint64_t)i,
			.tsc = 1000 * (uint64_t)i,
			.guest_rip = i ? 0x2000 : 0x1000,
			.key = 1 + (uint64_t)i,
			.pcpu = 7,
			.user_reason = i ? 9 : 5,
		};
	CHECK_EQ(chunk_encode(encoder, expected, 3, &data, bytes), 0);
	return copy(data, *bytes);
}

static void forge_magic(unsigned char *chunk)
{
	chunk[CHUNK_AT_MAGIC] = 'Y';
}

static void forge_count(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_COUNT, CHUNK_RECORDS_MAX + 1);
}

static void forge_no_records(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_COUNT, 0);
}

static void forge_tuples(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_TUPLES, 4);
}

static void forge_no_tuples(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_TUPLES, 0);
}

static void forge_rips(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_RIPS, 4);
}

static void forge_no_rips(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_RIPS, 0);
}

static void forge_streams(unsigned char *chunk)
{
	chunk_put16(chunk + CHUNK_AT_STREAMS, UINT16_MAX);
}

/* The second stream is the first one again. */
static void forge_order(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_DIRECTORY + CHUNK_ENTRY_BYTES,
		    chunk_get32(chunk + CHUNK_AT_DIRECTORY));
}

static void forge_part(unsigned char *chunk)
{
	chunk_put32(chunk + CHUNK_AT_DIRECTORY + 4, UINT32_MAX);
}

static void forge_place_of_tuple(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_STREAM_TUPLE, parts);
	parts[1][0] = 2; /* tuples 0 and 1 exist */
}

static void forge_place_of_rip(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_STREAM_RIP, parts);
	parts[1][0] = 2;
}

/* Two numbers of a byte become one of two bytes: too many for the field. */
static void forge_wide_value(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_USER_REASON, parts);
	CHECK_EQ(parts[0][0], 0x11);
	parts[0][0] = 0x02;
}

static void forge_width(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_KEY, parts);
	parts[0][0] = 0x91;
}

/* Half a byte after the third width. */
static void forge_half_width(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_KEY, parts);
	CHECK_EQ(parts[0][1], 0x01);
	parts[0][1] = 0x10;
}

/* Its bytes are fewer than the sum of its widths. */
static void forge_fewer_bytes(unsigned char *chunk)
{
	unsigned char *parts[2];

	find_stream(chunk, CHUNK_KEY, parts);
	parts[0][0] = 0x12;
}

/* A byte after the last part. */
static void forge_end(unsigned char *chunk)
{
	unsigned char *parts[2];
	unsigned char *entry = find_stream(chunk, CHUNK_STREAM_RIP, parts);

	chunk_put32(entry + 8, chunk_get32(entry + 8) - 1);
}

struct forgery {
	const char *name;
	void (*forge)(unsigned char *chunk);
};

/* chunk_open() sees the first ones, the others are seen when the stream is read. */
static const struct forgery in_head[] =
	{
		{"magic", forge_magic},
		{"count", forge_count},
		{"no records", forge_no_records},
		{"tuples", forge_tuples},
		{"no tuples", forge_no_tuples},
		{"rips", forge_rips},
		{"no rips", forge_no_rips},
		{"streams", forge_streams},
		{"order", forge_order},
		{"part", forge_part},
		{"end", forge_end},
},
			    in_stream[] = {
				    {"width", forge_width},
				    {"place of tuple", forge_place_of_tuple},
				    {"place of rip", forge_place_of_rip},
				    {"wide value", forge_wide_value},
				    {"half width", forge_half_width},
				    {"fewer bytes", forge_fewer_bytes},
};

static void check_forgeries(const struct forgery *forgeries, size_t count, bool at_open)
{
	struct chunk_encoder *encoder = chunk_encoder_new(0);
	struct chunk_decoder *decoder = chunk_decoder_new();

	for (size_t i = 0; i < count; i++) {
		size_t bytes;
		unsigned char *chunk = make_small(encoder, &bytes);
		int rc;

		CHECK_EQ(open_exact(decoder, chunk, bytes), 0);
		forgeries[i].forge(chunk);
		seal(chunk, bytes);

		rc = chunk_open(decoder, chunk, bytes);
		if (!at_open) {
			CHECK_EQ(rc, 0);
			rc = chunk_records(decoder, got);
		}
		if (rc != CHUNK_DAMAGED)
			fprintf(stderr, "%s: %s\n", forgeries[i].name, chunk_strerror(rc));
		CHECK_EQ(rc, CHUNK_DAMAGED);
		free(chunk);
	}
	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

static void test_each_forgery_is_refused(void)
{
	check_forgeries(in_head, sizeof(in_head) / sizeof(*in_head), true);
	check_forgeries(in_stream, sizeof(in_stream) / sizeof(*in_stream), false);
}

int main(void)
{
	test_the_table_has_every_byte_once();
	test_records_come_back_bit_for_bit();
	test_limits();
	test_every_damaged_byte_is_seen();
	test_a_later_version_is_named();
	test_forged_chunks_do_no_harm();
	test_each_forgery_is_refused();
	return check_result();
}
