// SPDX-License-Identifier: GPL-2.0-only
/* pack.c - rows of table exit become chunks; see pack.h */
#include "sql/compact/pack.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sql/chunk/chunk.h"
#include "sql/chunk/format.h"
#include "sql/compact/chunk_row.h"
#include "sql/compact/columns.h"

/* Most exits that wait for their chunk: 96 MiB. Beyond it the longest chunk is written early. */
#define WAITING_MAX (1U << 19)

/* The chunk of a vCPU that is being filled. */
struct filling {
	int64_t vcpu;
	int64_t chunk; /* its id; taken when the first exit comes */
	struct kvm_exit_record *records;
	size_t count;
	uint16_t vcpu_id;
	uint8_t isa;
};

struct pack {
	sqlite3 *from;
	sqlite3 *to;
	struct chunk_encoder *encoder;
	sqlite3_stmt *find_vcpu;
	sqlite3_stmt *insert;

	struct filling *fillings;
	size_t count;
	size_t last; /* the one that was filled last */
	size_t waiting;
	int64_t next_chunk;
	char error[200];
};

static int fail_sql(struct pack *pack, sqlite3 *db)
{
	snprintf(pack->error, sizeof(pack->error), "%s", sqlite3_errmsg(db));
	return -1;
}

static int fail_memory(struct pack *pack)
{
	snprintf(pack->error, sizeof(pack->error), "out of memory");
	return -1;
}

int pack_begin(struct pack *pack)
{
	static const char find_vcpu[] =
		"SELECT c.vcpu_id, r.isa FROM vcpu c JOIN vm m ON m.id = c.vm_id JOIN run r ON r.id = m.run_id WHERE c.id = ?";
	int rc;

	pack->encoder = chunk_encoder_new(CHUNK_ROW_LEVEL);
	if (!pack->encoder)
		return fail_memory(pack);

	if (sqlite3_prepare_v2(pack->from, find_vcpu, -1, &pack->find_vcpu, NULL))
		return fail_sql(pack, pack->from);
	rc = chunk_row_prepare(pack->to, &pack->insert);
	return rc ? fail_sql(pack, pack->to) : 0;
}

struct pack *pack_new(sqlite3 *from, sqlite3 *to)
{
	struct pack *pack = calloc(1, sizeof(*pack));

	if (!pack)
		return NULL;
	pack->from = from;
	pack->to = to;
	pack->next_chunk = 1;
	return pack;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;

	for (size_t i = 0; i < pack->count; i++)
		free(pack->fillings[i].records);
	free(pack->fillings);
	sqlite3_finalize(pack->find_vcpu);
	sqlite3_finalize(pack->insert);
	chunk_encoder_free(pack->encoder);
	free(pack);
}

const char *pack_error(const struct pack *pack)
{
	return pack->error;
}

/* Writes the chunk; the next exit of the vCPU begins another one. */
static int write_chunk(struct pack *pack, struct filling *f)
{
	struct chunk_row row = {.id = f->chunk, .vcpu = f->vcpu};

	if (chunk_row_make(pack->encoder, f->records, f->count, &row))
		return fail_memory(pack);
	if (chunk_row_insert(pack->insert, &row))
		return fail_sql(pack, pack->to);

	pack->waiting -= f->count;
	f->count = 0;
	free(f->records);
	f->records = NULL;
	return 0;
}

/* What is in every record of a vCPU and in no column of table exit. */
static void find_vcpu(struct pack *pack, struct filling *f)
{
	sqlite3_bind_int64(pack->find_vcpu, 1, f->vcpu);
	if (sqlite3_step(pack->find_vcpu) == SQLITE_ROW) {
		f->vcpu_id = (uint16_t)sqlite3_column_int64(pack->find_vcpu, 0);
		f->isa = (uint8_t)sqlite3_column_int64(pack->find_vcpu, 1);
	}
	sqlite3_reset(pack->find_vcpu);
}

/* The chunk for an exit of @vcpu; NULL: no memory. */
static struct filling *find_filling(struct pack *pack, int64_t vcpu)
{
	struct filling *more;

	if (pack->last < pack->count && pack->fillings[pack->last].vcpu == vcpu)
		return &pack->fillings[pack->last];
	for (pack->last = 0; pack->last < pack->count; pack->last++) {
		if (pack->fillings[pack->last].vcpu == vcpu)
			return &pack->fillings[pack->last];
	}

	more = array_reserve(pack->fillings, pack->count, 1, sizeof(*more));
	if (!more)
		return NULL;
	pack->fillings = more;
	more[pack->count] = (struct filling){.vcpu = vcpu};
	find_vcpu(pack, &more[pack->count]);
	return &more[pack->count++];
}

/* Puts a column's value into its field; says whether it fits. */
static bool put_field(struct kvm_exit_record *record, const struct chunk_field_format *format,
		      int64_t value)
{
	uint64_t stored = htole64((uint64_t)value);

	if (format->bytes < sizeof(stored) && (uint64_t)value >> format->bytes * 8)
		return false;
	memcpy((char *)record + format->offset, &stored, format->bytes);
	return true;
}

/* Makes a record of a row. The column that no record can have; NULL: all is well. */
static const char *make_record(struct kvm_exit_record *record, sqlite3_stmt *row)
{
	for (int i = 0; i < exit_column_count; i++) {
		const struct exit_column *column = &exit_columns[i];
		int type = sqlite3_column_type(row, i + 1);

		if (type == SQLITE_NULL && column->null != EXIT_NEVER_NULL)
			continue;
		if (type != SQLITE_INTEGER || !put_field(record, &chunk_fields[column->field],
							 sqlite3_column_int64(row, i + 1)))
			return column->name;
	}

	/* NULL must come back as NULL, and 0 as 0. */
	for (int i = 0; i < exit_column_count; i++) {
		const struct exit_column *column = &exit_columns[i];
		bool is_null = sqlite3_column_type(row, i + 1) == SQLITE_NULL;

		if (column->null == EXIT_NULL_UNLESS_FLAG &&
		    is_null != !(record->flags & column->flag))
			return column->name;
		if (column->null == EXIT_NULL_IF_ZERO && !is_null &&
		    !sqlite3_column_int64(row, i + 1))
			return column->name;
	}
	record->handler_cycles = record->cycles - record->halted_cycles - record->userspace_cycles -
				 record->preempted_cycles;
	return NULL;
}

/* Makes room: writes the longest chunk. */
static int write_longest(struct pack *pack)
{
	struct filling *longest = &pack->fillings[0];

	for (size_t i = 1; i < pack->count; i++) {
		if (pack->fillings[i].count > longest->count)
			longest = &pack->fillings[i];
	}
	return write_chunk(pack, longest);
}

int pack_row(struct pack *pack, sqlite3_stmt *row)
{
	struct filling *f = find_filling(pack, sqlite3_column_int64(row, 0));
	struct kvm_exit_record *more;
	const char *bad;

	if (!f)
		return fail_memory(pack);
	more = array_reserve(f->records, f->count, 1, sizeof(*more));
	if (!more)
		return fail_memory(pack);
	f->records = more;

	more[f->count] = (struct kvm_exit_record){.vcpu_id = f->vcpu_id, .isa = f->isa};
	bad = make_record(&more[f->count], row);
	if (bad) {
		snprintf(pack->error, sizeof(pack->error),
			 "exit %lld of vCPU %lld: %s has a value that no record has",
			 (long long)sqlite3_column_int64(row, 1), (long long)f->vcpu, bad);
		return -1;
	}

	if (!f->count)
		f->chunk = pack->next_chunk++;
	f->count++;
	pack->waiting++;
	if (f->count == CHUNK_RECORDS_MAX)
		return write_chunk(pack, f);
	return pack->waiting > WAITING_MAX ? write_longest(pack) : 0;
}

int pack_finish(struct pack *pack)
{
	int rc = 0;

	for (size_t i = 0; i < pack->count && !rc; i++)
		rc = pack->fillings[i].count ? write_chunk(pack, &pack->fillings[i]) : 0;
	return rc;
}
