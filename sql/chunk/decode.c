// SPDX-License-Identifier: GPL-2.0-only
/* decode.c - reads chunks, which may be anything; see chunk.h */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#include "sql/chunk/format.h"
#include "sql/chunk/numbers.h"

#define BLOCK 64U

_Static_assert(NUMBERS_MAX == CHUNK_RECORDS_MAX, "a stream has room for a number per record");

/* The parts of a stream in the chunk; NULL: it is left out, all its numbers are 0. */
struct part {
	const unsigned char *data;
	uint32_t bytes;
};

struct stream {
	struct part widths;
	struct part bytes;
};

struct chunk_decoder {
	ZSTD_DCtx *zstd;
	unsigned char *widths; /* one stream, uncompressed */
	unsigned char *bytes;

	/* The open chunk. */
	uint32_t count;
	uint32_t tuples;
	uint32_t rips;
	uint64_t first_seq;
	uint64_t first_tsc;
	uint8_t codec;
	struct stream streams[CHUNK_SLOTS];

	/* What was decoded of it, each array when it is first needed. */
	uint64_t *columns[CHUNK_FIELDS];
	bool has_column[CHUNK_FIELDS];
	uint64_t *dictionaries[CHUNK_FIELDS];
	bool has_dictionary[CHUNK_FIELDS];
	uint64_t *places[CHUNK_SLOTS - CHUNK_FIELDS];
	bool has_places[CHUNK_SLOTS - CHUNK_FIELDS];
	uint64_t *in_context;
};

struct chunk_decoder *chunk_decoder_new(void)
{
	struct chunk_decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->zstd = ZSTD_createDCtx();
	d->widths = malloc(NUMBERS_WIDTHS_BYTES(NUMBERS_MAX) + NUMBERS_SLACK);
	d->bytes = malloc(NUMBERS_BYTES_MAX + NUMBERS_SLACK);
	d->in_context = malloc(CHUNK_CONTEXTS * sizeof(*d->in_context));
	if (d->zstd && d->widths && d->bytes && d->in_context)
		return d;

	chunk_decoder_free(d);
	return NULL;
}

void chunk_decoder_free(struct chunk_decoder *decoder)
{
	if (!decoder)
		return;

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		free(decoder->columns[i]);
		free(decoder->dictionaries[i]);
	}
	for (int i = 0; i < CHUNK_SLOTS - CHUNK_FIELDS; i++)
		free(decoder->places[i]);
	ZSTD_freeDCtx(decoder->zstd);
	free(decoder->widths);
	free(decoder->bytes);
	free(decoder->in_context);
	free(decoder);
}

/* Forgets the chunk that was open. */
static void close_chunk(struct chunk_decoder *d)
{
	d->count = 0;
	memset(d->streams, 0, sizeof(d->streams));
	memset(d->has_column, 0, sizeof(d->has_column));
	memset(d->has_dictionary, 0, sizeof(d->has_dictionary));
	memset(d->has_places, 0, sizeof(d->has_places));
}

/* The slot of a stream's number; -1: unknown. */
static int find_slot(uint32_t number)
{
	if (number < CHUNK_FIELDS)
		return (int)number;
	if (number == CHUNK_STREAM_TUPLE)
		return CHUNK_SLOT_TUPLE;
	return number == CHUNK_STREAM_RIP ? CHUNK_SLOT_RIP : -1;
}

/* Finds the next part of @bytes at *@at, or says that it goes beyond the end. */
static bool take_part(struct part *part, const unsigned char *data, size_t *at, size_t end,
		      uint32_t bytes)
{
	if (bytes > end - *at)
		return false;
	*part = (struct part){data + *at, bytes};
	*at += bytes;
	return true;
}

/* Finds all streams. Their parts fill the chunk to its end. */
static int read_directory(struct chunk_decoder *d, const unsigned char *data, size_t bytes)
{
	size_t streams = chunk_get16(data + CHUNK_AT_STREAMS);
	size_t at = CHUNK_AT_DIRECTORY + streams * CHUNK_ENTRY_BYTES;
	int last = -1;

	if (at > bytes)
		return CHUNK_DAMAGED;
	for (size_t i = 0; i < streams; i++) {
		const unsigned char *entry = data + CHUNK_AT_DIRECTORY + i * CHUNK_ENTRY_BYTES;
		int slot = find_slot(chunk_get32(entry));

		if (slot < 0)
			return CHUNK_FUTURE;
		if (slot <= last ||
		    !take_part(&d->streams[slot].widths, data, &at, bytes,
			       chunk_get32(entry + 4)) ||
		    !take_part(&d->streams[slot].bytes, data, &at, bytes, chunk_get32(entry + 8)))
			return CHUNK_DAMAGED;
		last = slot;
	}
	return at == bytes ? 0 : CHUNK_DAMAGED;
}

static int read_head(struct chunk_decoder *d, const unsigned char *data, size_t bytes)
{
	uint32_t count;

	if (bytes < CHUNK_AT_DIRECTORY || chunk_get32(data + CHUNK_AT_MAGIC) != CHUNK_MAGIC ||
	    chunk_get32(data + CHUNK_AT_CRC) != chunk_crc(data, bytes))
		return CHUNK_DAMAGED;

	d->codec = data[CHUNK_AT_CODEC];
	if (data[CHUNK_AT_VERSION] != CHUNK_VERSION || d->codec > CHUNK_CODEC_ZSTD)
		return CHUNK_FUTURE;

	count = chunk_get32(data + CHUNK_AT_COUNT);
	d->tuples = chunk_get32(data + CHUNK_AT_TUPLES);
	d->rips = chunk_get32(data + CHUNK_AT_RIPS);
	d->first_seq = chunk_get64(data + CHUNK_AT_SEQ);
	d->first_tsc = chunk_get64(data + CHUNK_AT_TSC);
	if (count > CHUNK_RECORDS_MAX || !d->tuples || d->tuples > count || !d->rips ||
	    d->rips > count)
		return CHUNK_DAMAGED;

	d->count = count;
	return 0;
}

int chunk_open(struct chunk_decoder *decoder, const void *data, size_t bytes)
{
	int rc;

	close_chunk(decoder);
	rc = read_head(decoder, data, bytes);
	if (!rc)
		rc = read_directory(decoder, data, bytes);
	if (rc)
		close_chunk(decoder);
	return rc;
}

uint32_t chunk_count(const struct chunk_decoder *decoder)
{
	return decoder->count;
}

/* Uncompresses a part that has @bytes. */
static bool get_part(struct chunk_decoder *d, const struct part *part, unsigned char *to,
		     size_t bytes)
{
	if (d->codec == CHUNK_CODEC_ZSTD)
		return ZSTD_decompressDCtx(d->zstd, to, bytes, part->data, part->bytes) == bytes;
	if (part->bytes != bytes)
		return false;
	memcpy(to, part->data, bytes);
	return true;
}

/* The numbers of a stream. */
static int get_numbers(struct chunk_decoder *d, int slot, uint64_t *values, size_t count)
{
	const struct stream *stream = &d->streams[slot];
	size_t bytes;

	if (!stream->widths.data) {
		memset(values, 0, count * sizeof(*values));
		return 0;
	}

	if (!get_part(d, &stream->widths, d->widths, NUMBERS_WIDTHS_BYTES(count)))
		return CHUNK_DAMAGED;
	bytes = numbers_bytes(d->widths, count);
	if (bytes == SIZE_MAX || !get_part(d, &stream->bytes, d->bytes, bytes))
		return CHUNK_DAMAGED;

	memset(d->bytes + bytes, 0, NUMBERS_SLACK);
	numbers_get(values, count, d->widths, d->bytes);
	return 0;
}

/* An array of a number per record, made when it is first needed. */
static uint64_t *get_room(uint64_t **array)
{
	if (!*array)
		*array = malloc(CHUNK_RECORDS_MAX * sizeof(**array));
	return *array;
}

static int check_values(const struct chunk_field_format *format, const uint64_t *values,
			size_t count)
{
	uint64_t any = 0;

	if (format->bytes == sizeof(any))
		return 0;
	for (size_t i = 0; i < count; i++)
		any |= values[i];
	return any >> format->bytes * 8 ? CHUNK_DAMAGED : 0;
}

static void undo_previous(uint64_t *values, size_t count)
{
	uint64_t last = 0;

	for (size_t i = 0; i < count; i++) {
		last ^= values[i];
		values[i] = last;
	}
}

/* The place in a dictionary of each record. */
static int get_places(struct chunk_decoder *d, int slot, const uint64_t **places)
{
	uint32_t end = slot == CHUNK_SLOT_TUPLE ? d->tuples : d->rips;
	int index = slot - CHUNK_FIELDS;
	uint64_t *values = get_room(&d->places[index]);
	int rc;

	if (!values)
		return -ENOMEM;
	if (!d->has_places[index]) {
		uint64_t outside = 0;

		rc = get_numbers(d, slot, values, d->count);
		if (rc)
			return rc;
		/* A difference below 0 has bit 63, and so may only a value far outside. */
		for (size_t i = 0; i < d->count; i++)
			outside |= values[i] | (end - 1 - values[i]);
		if (outside >> 63)
			return CHUNK_DAMAGED;
		d->has_places[index] = true;
	}
	*places = values;
	return 0;
}

int chunk_dictionary(struct chunk_decoder *decoder, enum chunk_field field, const uint64_t **places,
		     const uint64_t **values, uint32_t *count)
{
	struct chunk_decoder *d = decoder;
	uint64_t *room;
	bool is_rip;
	int rc;

	if (field >= CHUNK_FIELDS || !d->count)
		return -EINVAL;
	is_rip = chunk_fields[field].coding == CHUNK_IN_RIPS;
	if (!is_rip && chunk_fields[field].coding != CHUNK_IN_TUPLE)
		return -EINVAL;

	*count = is_rip ? d->rips : d->tuples;
	rc = get_places(d, is_rip ? CHUNK_SLOT_RIP : CHUNK_SLOT_TUPLE, places);
	if (rc)
		return rc;

	room = get_room(&d->dictionaries[field]);
	if (!room)
		return -ENOMEM;
	if (!d->has_dictionary[field]) {
		rc = get_numbers(d, (int)field, room, *count);
		if (rc)
			return rc;
		undo_previous(room, *count);
		if (check_values(&chunk_fields[field], room, *count))
			return CHUNK_DAMAGED;
		d->has_dictionary[field] = true;
	}
	*values = room;
	return 0;
}

/* values[] are the numbers of the stream: makes what a record has of them. */
static int undo_sum(struct chunk_decoder *d, uint64_t *values)
{
	const uint64_t *part;
	int rc;

	for (int i = 0; i < CHUNK_FIELDS; i++) {
		if (chunk_fields[i].coding != CHUNK_PART || chunk_is_zero(d, (enum chunk_field)i))
			continue;
		rc = chunk_column(d, (enum chunk_field)i, &part);
		if (rc)
			return rc;
		for (size_t j = 0; j < d->count; j++)
			values[j] += part[j];
	}
	return 0;
}

static int undo_time(struct chunk_decoder *d, uint64_t *values)
{
	uint64_t end = d->first_tsc;
	const uint64_t *cycles;
	int rc = chunk_column(d, CHUNK_CYCLES, &cycles);

	for (size_t i = 0; !rc && i < d->count; i++) {
		values[i] += end;
		end = values[i] + cycles[i];
	}
	return rc;
}

static int undo_like_last(struct chunk_decoder *d, uint64_t *values)
{
	const uint64_t *tuple, *rip;
	int rc = get_places(d, CHUNK_SLOT_TUPLE, &tuple);

	if (!rc)
		rc = get_places(d, CHUNK_SLOT_RIP, &rip);
	if (rc)
		return rc;

	memset(d->in_context, 0, CHUNK_CONTEXTS * sizeof(*d->in_context));
	for (size_t i = 0; i < d->count; i++) {
		uint64_t *last = &d->in_context[chunk_context(tuple[i], rip[i])];

		values[i] ^= *last;
		*last = values[i];
	}
	return 0;
}

static int undo_dictionary(struct chunk_decoder *d, enum chunk_field field, uint64_t *values)
{
	const uint64_t *places, *dictionary;
	uint32_t entries;
	int rc = chunk_dictionary(d, field, &places, &dictionary, &entries);

	for (size_t i = 0; !rc && i < d->count; i++)
		values[i] = dictionary[places[i]];
	return rc;
}

static int decode_column(struct chunk_decoder *d, enum chunk_field field, uint64_t *values)
{
	uint8_t coding = chunk_fields[field].coding;
	uint64_t next = d->first_seq;
	int rc;

	if (coding == CHUNK_IN_TUPLE || coding == CHUNK_IN_RIPS)
		return undo_dictionary(d, field, values);

	rc = get_numbers(d, (int)field, values, d->count);
	if (rc)
		return rc;

	switch (coding) {
	case CHUNK_SUM:
		rc = undo_sum(d, values);
		break;
	case CHUNK_COUNTER:
		for (size_t i = 0; i < d->count; i++) {
			values[i] += next;
			next = values[i] + 1;
		}
		break;
	case CHUNK_TIME:
		rc = undo_time(d, values);
		break;
	case CHUNK_PREVIOUS:
		undo_previous(values, d->count);
		break;
	case CHUNK_LIKE_LAST:
		rc = undo_like_last(d, values);
		break;
	}
	return rc ? rc : check_values(&chunk_fields[field], values, d->count);
}

int chunk_column(struct chunk_decoder *decoder, enum chunk_field field, const uint64_t **values)
{
	uint64_t *room;
	int rc;

	if (field >= CHUNK_FIELDS || !decoder->count)
		return -EINVAL;

	room = get_room(&decoder->columns[field]);
	if (!room)
		return -ENOMEM;
	if (!decoder->has_column[field]) {
		rc = decode_column(decoder, field, room);
		if (rc)
			return rc;
		decoder->has_column[field] = true;
	}
	*values = room;
	return 0;
}

/* Copies an array of numbers into one field of all records. */
#define SCATTER(type)                                                                              \
	for (size_t i = 0; i < count; i++, p += sizeof(struct kvm_exit_record)) {                  \
		type field = (type)value[i];                                                       \
                                                                                                   \
		memcpy(p, &field, sizeof(field));                                                  \
	}

static void scatter(const uint64_t *value, const struct chunk_field_format *format,
		    struct kvm_exit_record *records, size_t count)
{
	unsigned char *p = (unsigned char *)records + format->offset;

	switch (format->bytes) {
	case 8:
		SCATTER(uint64_t)
		break;
	case 4:
		SCATTER(uint32_t)
		break;
	case 2:
		SCATTER(uint16_t)
		break;
	default:
		SCATTER(uint8_t)
	}
}

bool chunk_is_zero(const struct chunk_decoder *decoder, enum chunk_field field)
{
	uint8_t coding = chunk_fields[field].coding;

	return !decoder->streams[field].widths.data && coding != CHUNK_SUM &&
	       coding != CHUNK_COUNTER && coding != CHUNK_TIME;
}

int chunk_records(struct chunk_decoder *decoder, struct kvm_exit_record *records)
{
	const uint64_t *columns[CHUNK_FIELDS] = {0};

	if (!decoder->count)
		return -EINVAL;
	for (int i = 0; i < CHUNK_FIELDS; i++) {
		int rc = chunk_is_zero(decoder, (enum chunk_field)i)
				 ? 0
				 : chunk_column(decoder, (enum chunk_field)i, &columns[i]);

		if (rc)
			return rc;
	}

	/* In blocks that stay in the first cache. */
	for (size_t at = 0; at < decoder->count; at += BLOCK) {
		size_t count = decoder->count - at < BLOCK ? decoder->count - at : BLOCK;

		memset(records + at, 0, count * sizeof(*records));
		for (int i = 0; i < CHUNK_FIELDS; i++) {
			if (columns[i])
				scatter(columns[i] + at, &chunk_fields[i], records + at, count);
		}
	}
	return 0;
}
