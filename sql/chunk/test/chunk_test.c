// SPDX-License-Identifier: GPL-2.0-only
/* chunk_test.c - records come back bit for bit; what is damaged is refused */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/random.h"
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

/* Makes a chunk of three records: two tuples, two RIPs, one large value. */
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
			.value = i ? UINT64_MAX : 1,
		};
	CHECK_EQ(chunk_encode(encoder, expected, 3, &data, bytes), 0);
	return copy(data, *bytes);
}

/* Changes of a word of the head or of the directory. chunk_open() sees them. */
static const struct {
	const char *name;
	size_t at;
	uint32_t from;
	uint32_t to;
} head_forgeries[] = {
	{"magic", CHUNK_AT_MAGIC, CHUNK_MAGIC, CHUNK_MAGIC + 1},
	{"count", CHUNK_AT_COUNT, 3, CHUNK_RECORDS_MAX + 1},
	{"no records", CHUNK_AT_COUNT, 3, 0},
	{"tuples", CHUNK_AT_TUPLES, 2, 4},
	{"no tuples", CHUNK_AT_TUPLES, 2, 0},
	{"rips", CHUNK_AT_RIPS, 2, 4},
	{"no rips", CHUNK_AT_RIPS, 2, 0},
	{"the first stream again", CHUNK_AT_DIRECTORY + CHUNK_ENTRY_BYTES, CHUNK_GUEST_RIP,
	 CHUNK_TSC},
	{"part", CHUNK_AT_DIRECTORY + 4, 2, UINT32_MAX},
};

/* Changes of a byte of a stream. They are seen when the stream is read. */
static const struct {
	const char *name;
	uint32_t stream;
	int part; /* 0: widths, 1: bytes */
	size_t at;
	unsigned char from;
	unsigned char to;
} stream_forgeries[] = {
	{"place of tuple: 0 and 1 exist", CHUNK_STREAM_TUPLE, 1, 0, 1, 2},
	{"place of rip: 0 and 1 exist", CHUNK_STREAM_RIP, 1, 0, 1, 2},
	{"two bytes in a field of one", CHUNK_USER_REASON, 0, 0, 0x11, 0x02},
	{"width of more bytes than there are", CHUNK_KEY, 0, 0, 0x11, 0x91},
	{"width above 8, the sum is right", CHUNK_VALUE, 0, 0, 0x81, 0x90},
	{"half a byte after the third width", CHUNK_KEY, 0, 1, 0x01, 0x10},
	{"fewer bytes than the widths say", CHUNK_KEY, 0, 0, 0x11, 0x12},
};

/* Seals a forged chunk, expects that it is refused, and frees it. */
static void check_refused(struct chunk_decoder *decoder, const char *name, unsigned char *chunk,
			  size_t bytes, bool at_open)
{
	int rc;

	seal(chunk, bytes);
	rc = chunk_open(decoder, chunk, bytes);
	if (!at_open) {
		CHECK_EQ(rc, 0);
		rc = chunk_records(decoder, got);
	}
	if (rc != CHUNK_DAMAGED)
		fprintf(stderr, "%s: %s\n", name, chunk_strerror(rc));
	CHECK_EQ(rc, CHUNK_DAMAGED);
	free(chunk);
}

static void test_each_forged_head_is_refused(void)
{
	struct chunk_encoder *encoder = chunk_encoder_new(0);
	struct chunk_decoder *decoder = chunk_decoder_new();
	unsigned char *chunk, *entry, *parts[2];
	size_t bytes;

	for (size_t i = 0; i < sizeof(head_forgeries) / sizeof(*head_forgeries); i++) {
		chunk = make_small(encoder, &bytes);
		CHECK_EQ(open_exact(decoder, chunk, bytes), 0);
		CHECK_EQ(chunk_get32(chunk + head_forgeries[i].at), head_forgeries[i].from);
		chunk_put32(chunk + head_forgeries[i].at, head_forgeries[i].to);
		check_refused(decoder, head_forgeries[i].name, chunk, bytes, true);
	}

	chunk = make_small(encoder, &bytes);
	chunk_put16(chunk + CHUNK_AT_STREAMS, UINT16_MAX);
	check_refused(decoder, "streams", chunk, bytes, true);

	chunk = make_small(encoder, &bytes);
	entry = find_stream(chunk, CHUNK_STREAM_RIP, parts);
	chunk_put32(entry + 8, chunk_get32(entry + 8) - 1);
	check_refused(decoder, "a byte after the last part", chunk, bytes, true);

	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

static void test_each_forged_stream_is_refused(void)
{
	struct chunk_encoder *encoder = chunk_encoder_new(0);
	struct chunk_decoder *decoder = chunk_decoder_new();

	for (size_t i = 0; i < sizeof(stream_forgeries) / sizeof(*stream_forgeries); i++) {
		unsigned char *parts[2], *byte;
		size_t bytes;
		unsigned char *chunk = make_small(encoder, &bytes);

		CHECK_EQ(open_exact(decoder, chunk, bytes), 0);
		find_stream(chunk, stream_forgeries[i].stream, parts);
		byte = &parts[stream_forgeries[i].part][stream_forgeries[i].at];
		CHECK_EQ(*byte, stream_forgeries[i].from);
		*byte = stream_forgeries[i].to;
		check_refused(decoder, stream_forgeries[i].name, chunk, bytes, false);
	}
	chunk_encoder_free(encoder);
	chunk_decoder_free(decoder);
}

int main(void)
{
	test_the_table_has_every_byte_once();
	test_records_come_back_bit_for_bit();
	test_limits();
	test_every_damaged_byte_is_seen();
	test_a_later_version_is_named();
	test_forged_chunks_do_no_harm();
	test_each_forged_head_is_refused();
	test_each_forged_stream_is_refused();
	return check_result();
}
