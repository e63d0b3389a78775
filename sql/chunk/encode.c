// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode.c - makes chunks
 *
 * Records are taken in blocks that stay in the first cache. In a block each field is gathered into
 * an array of numbers, changed as its coding says, and put into its stream.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "sql/chunk/format.h"
#include "sql/chunk/numbers.h"

#define BLOCK 64U /* 12 KiB: two fit into the first cache */

#define RECORD_WORDS (sizeof(struct kvm_exit_record) / sizeof(uint64_t))

/* The tuple in a record: the bits @mask of word @index of the record. */
struct tuple_word {
	uint32_t index;
	uint64_t mask;
};

struct chunk_encoder {
	int level;
	ZSTD_CCtx *zstd;
	struct numbers streams[CHUNK_SLOTS];

	/* What is in a tuple, and the tuples: words_used words each. */
	struct tuple_word words[RECORD_WORDS];
	uint32_t words_used;
	uint64_t *tuples;
	uint32_t tuple_count;
	uint64_t *rips;
	uint32_t rip_count;

	/* Both by their values. */
	struct hash tuple_places;
	struct hash rip_places;

	/* The value of a field that the next one is compared with. */
	uint64_t last[CHUNK_FIELDS];
	uint64_t in_context[CHUNK_FIELDS][CHUNK_CONTEXTS];

	/* Of the chunk. */
	int64_t first_tsc;
	int64_t last_tsc;

	/* The block: what its records share for all fields. */
	uint64_t any[RECORD_WORDS]; /* OR of each word */
	uint64_t value[BLOCK];
	uint64_t sum[BLOCK];
	uint32_t context[BLOCK];

	unsigned char *out;
	size_t room;
	size_t used;
};

/* Marks the bits of the tuple's fields in the words of a record. */
static void find_tuple_words(struct chunk_encoder *e)
{
	unsigned char bits[sizeof(struct kvm_exit_record)] = {0};

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		if (chunk_fields[i].coding == CHUNK_IN_TUPLE)
			memset(bits + chunk_fields[i].offset, 0xff, chunk_fields[i].bytes);
	}
	for (uint32_t i = 0; i < RECORD_WORDS; i++) {
		struct tuple_word word = {.index = i};

		memcpy(&word.mask, bits + i * sizeof(word.mask), sizeof(word.mask));
		if (word.mask)
			e->words[e->words_used++] = word;
	}
}

struct chunk_encoder *chunk_encoder_new(int level)
{
	struct chunk_encoder *e = calloc(1, sizeof(*e));
	int rc = 0;

	if (!e)
		return NULL;

	find_tuple_words(e);
	e->level = level;
	e->zstd = level ? ZSTD_createCCtx() : NULL;
	e->tuples = malloc(CHUNK_RECORDS_MAX * e->words_used * sizeof(uint64_t));
	e->rips = malloc(CHUNK_RECORDS_MAX * sizeof(uint64_t));
	rc |= hash_resize(&e->tuple_places, CHUNK_RECORDS_MAX);
	rc |= hash_resize(&e->rip_places, CHUNK_RECORDS_MAX);
	for (int i = 0; i < CHUNK_SLOTS; i++)
		rc |= numbers_init(&e->streams[i]);

	if (rc || !e->tuples || !e->rips || (level && !e->zstd)) {
		chunk_encoder_free(e);
		return NULL;
	}
	return e;
}

void chunk_encoder_free(struct chunk_encoder *encoder)
{
	if (!encoder)
		return;

	for (int i = 0; i < CHUNK_SLOTS; i++)
		numbers_free(&encoder->streams[i]);
	ZSTD_freeCCtx(encoder->zstd);
	hash_free(&encoder->tuple_places);
	hash_free(&encoder->rip_places);
	free(encoder->tuples);
	free(encoder->rips);
	free(encoder->out);
	free(encoder);
}

/* Begins a chunk. */
static void clear(struct chunk_encoder *e, const struct kvm_exit_record *first, size_t count)
{
	/* A small chunk takes few of the places that there are. */
	e->tuple_places.places = hash_places_for((uint32_t)count);
	e->rip_places.places = e->tuple_places.places;
	hash_clear(&e->tuple_places);
	hash_clear(&e->rip_places);
	e->tuple_count = 0;
	e->rip_count = 0;

	memset(e->last, 0, sizeof(e->last));
	e->last[CHUNK_SEQ] = first->seq - 1;
	e->last[CHUNK_TSC] = first->tsc;
	e->first_tsc = INT64_MAX;
	e->last_tsc = INT64_MIN;
	for (int i = 0; i < CHUNK_FIELDS; i++) {
		if (chunk_fields[i].coding == CHUNK_LIKE_LAST)
			memset(e->in_context[i], 0, sizeof(e->in_context[i]));
	}

	for (int i = 0; i < CHUNK_SLOTS; i++)
		numbers_clear(&e->streams[i]);
	e->used = 0;
}

/* Copies one field of all records into an array of numbers. */
#define GATHER(type)                                                                               \
	for (size_t i = 0; i < count; i++, p += sizeof(struct kvm_exit_record)) {                  \
		type field;                                                                        \
                                                                                                   \
		memcpy(&field, p, sizeof(field));                                                  \
		value[i] = field;                                                                  \
	}

static void gather(uint64_t *value, const struct chunk_field_format *format,
		   const struct kvm_exit_record *records, size_t count)
{
	const unsigned char *p = (const unsigned char *)records + format->offset;

	switch (format->bytes) {
	case 8:
		GATHER(uint64_t)
		break;
	case 4:
		GATHER(uint32_t)
		break;
	case 2:
		GATHER(uint16_t)
		break;
	default:
		GATHER(uint8_t)
	}
}

static bool is_tuple(const void *encoder, uint32_t number, const void *tuple)
{
	const struct chunk_encoder *e = encoder;
	const uint64_t *known = &e->tuples[number * e->words_used], *words = tuple;
	uint64_t differ = 0;

	for (uint32_t i = 0; i < e->words_used; i++)
		differ |= known[i] ^ words[i];
	return !differ;
}

#define TUPLE_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio */

/* The number of a record's tuple, a new one if it has not been seen. */
static uint32_t number_of_tuple(struct chunk_encoder *e, const struct kvm_exit_record *record)
{
	uint64_t tuple[RECORD_WORDS];
	uint64_t hash = 0;
	uint32_t *place;

	for (uint32_t i = 0; i < e->words_used; i++) {
		memcpy(&tuple[i], (const char *)record + e->words[i].index * sizeof(uint64_t),
		       sizeof(uint64_t));
		tuple[i] &= e->words[i].mask;
		/* The products don't wait for each other. */
		hash += (tuple[i] ^ tuple[i] >> 32) * (TUPLE_FACTOR * (2 * i + 1));
	}

	place = hash_place(&e->tuple_places, hash ^ hash >> 32, is_tuple, e, tuple);
	if (!*place) {
		memcpy(&e->tuples[e->tuple_count * e->words_used], tuple,
		       e->words_used * sizeof(*tuple));
		*place = ++e->tuple_count;
	}
	return *place - 1;
}

static bool is_rip(const void *rips, uint32_t number, const void *rip)
{
	return ((const uint64_t *)rips)[number] == *(const uint64_t *)rip;
}

static uint32_t number_of_rip(struct chunk_encoder *e, uint64_t rip)
{
	uint32_t *place = hash_place(&e->rip_places, hash_mix(0, rip), is_rip, e->rips, &rip);

	if (!*place) {
		e->rips[e->rip_count++] = rip;
		*place = e->rip_count;
	}
	return *place - 1;
}

#define LINE_BYTES 64 /* of a cache */

/* Begins to load a record; after the last one nothing comes of it. */
static inline void fetch_record(const struct kvm_exit_record *record)
{
	for (size_t at = 0; at < sizeof(*record); at += LINE_BYTES)
		__builtin_prefetch((const char *)record + at);
}

/*
 * The two dictionaries, and from them the contexts of a block. The next block is loaded meanwhile:
 * the records of a chunk have not been touched for long.
 */
static void encode_dictionaries(struct chunk_encoder *e, const struct kvm_exit_record *records,
				size_t count)
{
	uint64_t tuple[BLOCK], rip[BLOCK];

	for (size_t i = 0; i < count; i++) {
		fetch_record(&records[i + BLOCK]);
		tuple[i] = number_of_tuple(e, &records[i]);
		rip[i] = number_of_rip(e, records[i].guest_rip);
		e->context[i] = chunk_context(tuple[i], rip[i]);
	}
	numbers_put(&e->streams[CHUNK_SLOT_TUPLE], tuple, count);
	numbers_put(&e->streams[CHUNK_SLOT_RIP], rip, count);
}

/* The smallest and the largest TSC: one that went backwards is in between. */
static void add_tscs(struct chunk_encoder *e, const uint64_t *value, size_t count)
{
	int64_t first = e->first_tsc, last = e->last_tsc;

	for (size_t i = 0; i < count; i++) {
		int64_t tsc = (int64_t)value[i];

		first = tsc < first ? tsc : first;
		last = tsc > last ? tsc : last;
	}
	e->first_tsc = first;
	e->last_tsc = last;
}

void chunk_encoder_tscs(const struct chunk_encoder *encoder, int64_t *first, int64_t *last)
{
	*first = encoder->first_tsc;
	*last = encoder->last_tsc;
}

/* Turns the values of a field into the numbers of its stream. */
static void change(struct chunk_encoder *e, int field, const struct kvm_exit_record *records,
		   size_t count)
{
	uint64_t *value = e->value;
	uint64_t *last = &e->last[field];
	uint64_t *in_context = e->in_context[field];
	uint64_t now;

	switch (chunk_fields[field].coding) {
	case CHUNK_PART:
		for (size_t i = 0; i < count; i++)
			e->sum[i] += value[i];
		break;

	case CHUNK_SUM:
		for (size_t i = 0; i < count; i++)
			value[i] -= e->sum[i];
		break;

	case CHUNK_COUNTER:
		for (size_t i = 0; i < count; i++) {
			now = value[i];
			value[i] = now - *last - 1;
			*last = now;
		}
		break;

	case CHUNK_TIME:
		add_tscs(e, value, count);
		for (size_t i = 0; i < count; i++) {
			now = value[i];
			value[i] = now - *last;
			*last = now + records[i].cycles;
		}
		break;

	case CHUNK_PREVIOUS:
		for (size_t i = 0; i < count; i++) {
			now = value[i];
			value[i] = now ^ *last;
			*last = now;
		}
		break;

	case CHUNK_LIKE_LAST:
		for (size_t i = 0; i < count; i++) {
			now = value[i];
			value[i] = now ^ in_context[e->context[i]];
			in_context[e->context[i]] = now;
		}
		break;
	}
}

/* ORs the words of all records: most fields are 0 in most records. */
static void find_zeros(struct chunk_encoder *e, const struct kvm_exit_record *records, size_t count)
{
	uint64_t any[RECORD_WORDS] = {0};

	for (size_t i = 0; i < count; i++) {
		uint64_t words[RECORD_WORDS];

		memcpy(words, &records[i], sizeof(words));
		for (uint32_t j = 0; j < RECORD_WORDS; j++)
			any[j] |= words[j];
	}
	memcpy(e->any, any, sizeof(e->any));
}

/* Whether a field is 0 in all records up to the end of the block, and so are its numbers. */
static bool is_zero(const struct chunk_encoder *e, int field)
{
	const struct chunk_field_format *format = &chunk_fields[field];

	return !e->any[format->offset / sizeof(uint64_t)] && !e->streams[field].any &&
	       (format->coding == CHUNK_AS_IS || format->coding == CHUNK_PART ||
		format->coding == CHUNK_PREVIOUS || format->coding == CHUNK_LIKE_LAST);
}

static void encode_block(struct chunk_encoder *e, const struct kvm_exit_record *records,
			 size_t count)
{
	memset(e->sum, 0, sizeof(e->sum));
	find_zeros(e, records, count);
	encode_dictionaries(e, records, count);

	/* The sum comes last: it needs all its parts. */
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < CHUNK_FIELDS; i++) {
			const struct chunk_field_format *format = &chunk_fields[i];

			if (format->coding == CHUNK_IN_TUPLE || format->coding == CHUNK_IN_RIPS ||
			    (format->coding == CHUNK_SUM) != pass)
				continue;
			if (is_zero(e, i)) {
				numbers_put_zeros(&e->streams[i], count);
				continue;
			}
			gather(e->value, format, records, count);
			change(e, i, records, count);
			numbers_put(&e->streams[i], e->value, count);
		}
	}
}

/* The values of a field in the dictionary of tuples, each XOR the one before. */
static void put_tuple_field(struct chunk_encoder *e, int field)
{
	const struct chunk_field_format *format = &chunk_fields[field];
	uint32_t word = 0;
	uint64_t last = 0;

	while (e->words[word].index != format->offset / sizeof(uint64_t))
		word++;
	for (uint32_t i = 0; i < e->tuple_count; i++) {
		uint64_t tuple = le64toh(e->tuples[i * e->words_used + word]);
		uint64_t now = tuple >> format->offset % sizeof(uint64_t) * 8;
		uint64_t number;

		if (format->bytes < sizeof(now))
			now &= (1ULL << format->bytes * 8) - 1;
		number = now ^ last;
		last = now;
		numbers_put(&e->streams[field], &number, 1);
	}
}

static void put_rips(struct chunk_encoder *e, int field)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < e->rip_count; i++) {
		uint64_t number = e->rips[i] ^ last;

		last = e->rips[i];
		numbers_put(&e->streams[field], &number, 1);
	}
}

static int reserve(struct chunk_encoder *e, size_t bytes)
{
	size_t room = e->room ? e->room : 65536;
	unsigned char *out;

	while (room - e->used < bytes)
		room *= 2;
	if (room == e->room)
		return 0;

	out = realloc(e->out, room);
	if (!out)
		return -ENOMEM;
	e->out = out;
	e->room = room;
	return 0;
}

/* Appends one part; its length goes to @length_at in the chunk. */
static int put_part(struct chunk_encoder *e, const unsigned char *part, size_t bytes,
		    size_t length_at)
{
	size_t most = e->level ? ZSTD_compressBound(bytes) : bytes;
	int rc = reserve(e, most);

	if (rc)
		return rc;
	if (!e->level)
		memcpy(e->out + e->used, part, bytes);
	else
		bytes = ZSTD_compressCCtx(e->zstd, e->out + e->used, most, part, bytes, e->level);
	if (ZSTD_isError(bytes))
		return -ENOMEM;

	chunk_put32(e->out + length_at, (uint32_t)bytes);
	e->used += bytes;
	return 0;
}

static unsigned int stream_number(int slot)
{
	if (slot == CHUNK_SLOT_TUPLE)
		return CHUNK_STREAM_TUPLE;
	return slot == CHUNK_SLOT_RIP ? CHUNK_STREAM_RIP : (unsigned int)slot;
}

/* Writes the directory and the parts of all streams that are not zeros. */
static int put_streams(struct chunk_encoder *e)
{
	size_t entry = CHUNK_AT_DIRECTORY;
	int rc = 0;

	for (int i = 0; i < CHUNK_SLOTS; i++)
		e->used += e->streams[i].any ? CHUNK_ENTRY_BYTES : 0;
	chunk_put16(e->out + CHUNK_AT_STREAMS,
		    (uint16_t)((e->used - CHUNK_AT_DIRECTORY) / CHUNK_ENTRY_BYTES));

	for (int i = 0; i < CHUNK_SLOTS && !rc; i++) {
		const struct numbers *stream = &e->streams[i];

		if (!stream->any)
			continue;
		chunk_put32(e->out + entry, stream_number(i));
		rc = put_part(e, stream->widths, NUMBERS_WIDTHS_BYTES(stream->count), entry + 4);
		if (!rc)
			rc = put_part(e, stream->bytes, stream->used, entry + 8);
		entry += CHUNK_ENTRY_BYTES;
	}
	return rc;
}

/* Writes the chunk from its streams. */
static int put_chunk(struct chunk_encoder *e, const struct kvm_exit_record *first, size_t count)
{
	int rc = reserve(e, CHUNK_AT_DIRECTORY + CHUNK_SLOTS * CHUNK_ENTRY_BYTES);

	if (rc)
		return rc;
	chunk_put32(e->out + CHUNK_AT_MAGIC, CHUNK_MAGIC);
	e->out[CHUNK_AT_VERSION] = CHUNK_VERSION;
	e->out[CHUNK_AT_CODEC] = e->level ? CHUNK_CODEC_ZSTD : CHUNK_CODEC_NONE;
	chunk_put32(e->out + CHUNK_AT_COUNT, (uint32_t)count);
	chunk_put32(e->out + CHUNK_AT_TUPLES, e->tuple_count);
	chunk_put32(e->out + CHUNK_AT_RIPS, e->rip_count);
	chunk_put64(e->out + CHUNK_AT_SEQ, first->seq);
	chunk_put64(e->out + CHUNK_AT_TSC, first->tsc);
	e->used = CHUNK_AT_DIRECTORY;

	rc = put_streams(e);
	if (!rc)
		chunk_put32(e->out + CHUNK_AT_CRC, chunk_crc(e->out, e->used));
	return rc;
}

int chunk_encode(struct chunk_encoder *encoder, const struct kvm_exit_record *records, size_t count,
		 const unsigned char **data, size_t *bytes)
{
	int rc;

	if (!count || count > CHUNK_RECORDS_MAX)
		return -EINVAL;

	clear(encoder, records, count);
	for (size_t i = 0; i < count; i += BLOCK)
		encode_block(encoder, records + i, count - i < BLOCK ? count - i : BLOCK);

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		if (chunk_fields[i].coding == CHUNK_IN_TUPLE)
			put_tuple_field(encoder, i);
		else if (chunk_fields[i].coding == CHUNK_IN_RIPS)
			put_rips(encoder, i);
	}

	rc = put_chunk(encoder, records, count);
	*data = encoder->out;
	*bytes = encoder->used;
	return rc;
}
