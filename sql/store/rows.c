// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - rows of table exit, many at once
 *
 * An INSERT for each row costs SQLite's machinery for 25 values each time. Here
 * rows are encoded into the pages of a small database in memory, in SQLite's file
 * format (sqlite.org/fileformat.html, sections 1.3, 1.6 and 2.1), which is
 * attached as "batch". INSERT ... SELECT * between two tables of the same
 * definition then copies whole rows without decoding them. Should a version of
 * SQLite not do so, the result is the same, only slower.
 *
 * A row ends after its last value that is not NULL. SQLite reads NULL for the columns after that,
 * as in rows that are older than a column that was added to their table.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	    65536U
#define COLUMNS	    25U
#define MAX_CELL    (3 + 3 + 1 + COLUMNS + 8 * COLUMNS) /* length, rowid, header, values */
#define LEAF_HEADER 8U
#define ROOT_HEADER 12U

/* Pages: 1 the schema, 2 the root of table exit, from 3 on its leaves. */
#define ROOT_PAGE  2U
#define FIRST_LEAF 3U
#define LEAVES	   256U /* 16 MiB: some 340,000 rows */

/* Places in the header of the file. */
#define CHANGE_COUNTER	  24
#define PAGE_COUNT	  28
#define VERSION_VALID_FOR 92

static void put16(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static void put32(unsigned char *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* A varint of less than 2^21. Returns its bytes. */
static uint32_t put_varint(unsigned char *p, uint32_t value)
{
	uint32_t bytes = 1 + (value >= 1U << 7) + (value >= 1U << 14);

	for (uint32_t i = 0; i < bytes; i++)
		p[i] = (value >> 7 * (bytes - 1 - i) & 0x7f) | (i + 1 < bytes ? 0x80 : 0);
	return bytes;
}

static unsigned char *page(const struct row_image *image, uint32_t number)
{
	return image->pages + (size_t)(number - 1) * PAGE;
}

/* Bytes of the serial types of integers: 0 is NULL, 8 and 9 are the values 0 and 1. */
static const unsigned char type_bytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

/* The shortest serial type of an integer. */
static unsigned char type_of(int64_t value)
{
	/* Bits that differ from the sign. */
	uint64_t magnitude = (uint64_t)(value ^ value >> 63);

	if (value == 0 || value == 1)
		return (unsigned char)(8 + value);
	if (magnitude < 1ULL << 7)
		return 1;
	if (magnitude < 1ULL << 15)
		return 2;
	if (magnitude < 1ULL << 23)
		return 3;
	if (magnitude < 1ULL << 31)
		return 4;
	return magnitude < 1ULL << 47 ? 5 : 6;
}

/* Appends @value to a record: its type to @types, its bytes to @p. */
static unsigned char *put_value(unsigned char *types, unsigned char *p, int64_t value)
{
	unsigned char type = type_of(value);
	uint32_t bytes = type_bytes[type];
	uint64_t big;

	*types = type;
	if (!bytes)
		return p;

	/* Writes 8 bytes, of which the last ones will be written over. */
	big = __builtin_bswap64((uint64_t)value << (64 - 8 * bytes));
	memcpy(p, &big, sizeof(big));
	return p + bytes;
}

#define KEY_COLUMN     10U
#define KEY_AUX_COLUMN 11U
#define CR3_COLUMN     18U

/* From this column on NULL stands for 0 (schema.sql). */
#define FIRST_SPARSE_COLUMN 19U

/* Columns of table exit that are NULL where the record's field is not valid, or is 0. */
static bool is_null(uint32_t column, uint32_t flags, int64_t value)
{
	if (column >= FIRST_SPARSE_COLUMN)
		return !value;
	if (column == KEY_COLUMN || column == KEY_AUX_COLUMN)
		return !(flags & KVM_EXIT_REC_KEY);
	return column == CR3_COLUMN && !(flags & KVM_EXIT_REC_CR3);
}

/* The columns of a row up to the last one that is not NULL. */
static uint32_t count_columns(const int64_t values[COLUMNS], uint32_t flags)
{
	uint32_t count = COLUMNS;

	while (is_null(count - 1, flags, values[count - 1]))
		count--;
	return count;
}

/* Encodes a row in the order of table exit. Returns the bytes of the record. */
static uint32_t encode(unsigned char *record, int64_t vcpu, const struct kvm_exit_record *r)
{
	const int64_t values[COLUMNS] = {
		vcpu,
		(int64_t)r->seq,
		(int64_t)r->tsc,
		r->reason,
		r->flags,
		(int64_t)r->cycles,
		(int64_t)r->halted_cycles,
		(int64_t)r->userspace_cycles,
		(int64_t)r->preempted_cycles,
		(int64_t)r->guest_rip,
		[KEY_COLUMN] = (int64_t)r->key,
		[KEY_AUX_COLUMN] = (int64_t)r->key_aux,
		(int64_t)r->qualification,
		(int64_t)r->info2,
		r->intr_info,
		r->error_code,
		r->user_reason,
		r->pcpu,
		[CR3_COLUMN] = (int64_t)r->guest_cr3,
		[FIRST_SPARSE_COLUMN] = (int64_t)r->value,
		(int64_t)r->requests,
		r->entry_event,
		(int64_t)r->polled_cycles,
		r->run_errno,
		r->entry_error_code,
	};
	uint32_t columns = count_columns(values, r->flags);
	unsigned char *types = record + 1;
	unsigned char *p = types + columns;

	/* A record is its header (the header's bytes, a type per value), then the values. */
	record[0] = (unsigned char)(1 + columns);

	for (uint32_t i = 0; i < columns; i++) {
		if (is_null(i, r->flags, values[i]))
			types[i] = 0;
		else
			p = put_value(types + i, p, values[i]);
	}
	return (uint32_t)(p - record);
}

static void start_leaf(struct row_image *image)
{
	image->leaves++;
	image->cells = 0;
	image->content = PAGE;
}

/* Writes the header of the leaf that was filled last. */
static void end_leaf(struct row_image *image)
{
	unsigned char *leaf = page(image, FIRST_LEAF + image->leaves - 1);

	leaf[0] = 0x0d;
	put16(leaf + 1, 0);
	put16(leaf + 3, image->cells);
	put16(leaf + 5, image->content); /* 65536 is written as 0 */
	leaf[7] = 0;
	image->last_row[image->leaves - 1] = image->rows;
}

static bool has_room(const struct row_image *image, uint32_t bytes)
{
	return image->leaves && LEAF_HEADER + 2 * (image->cells + 1) + bytes <= image->content;
}

/* Returns whether there was room. */
static bool add_row(struct row_image *image, int64_t vcpu, const struct kvm_exit_record *r)
{
	unsigned char record[MAX_CELL + 8];
	unsigned char head[6];
	uint32_t bytes = encode(record, vcpu, r);
	uint32_t head_bytes = put_varint(head, bytes);
	unsigned char *leaf;

	head_bytes += put_varint(head + head_bytes, image->rows + 1);
	if (!has_room(image, head_bytes + bytes)) {
		if (image->leaves == LEAVES)
			return false;
		if (image->leaves)
			end_leaf(image);
		start_leaf(image);
	}

	/* Cells grow from the end of the page down, the list of their places from the header up. */
	leaf = page(image, FIRST_LEAF + image->leaves - 1);
	image->content -= head_bytes + bytes;
	memcpy(leaf + image->content, head, head_bytes);
	memcpy(leaf + image->content + head_bytes, record, bytes);
	put16(leaf + LEAF_HEADER + 2 * image->cells, image->content);

	image->cells++;
	image->rows++;
	return true;
}

size_t store_rows_add(struct row_image *image, int64_t vcpu, const struct kvm_exit_record *records,
		      size_t count)
{
	size_t added = 0;

	while (added < count && add_row(image, vcpu, &records[added]))
		added++;
	return added;
}

/* The root above the leaves; a single leaf is the root itself. */
static void write_root(struct row_image *image)
{
	unsigned char *root = page(image, ROOT_PAGE);
	uint32_t content = PAGE;

	if (image->leaves == 1) {
		memcpy(root, page(image, FIRST_LEAF), PAGE);
		return;
	}

	for (uint32_t i = 0; i + 1 < image->leaves; i++) {
		unsigned char cell[8];
		uint32_t bytes;

		put32(cell, FIRST_LEAF + i);
		bytes = 4 + put_varint(cell + 4, image->last_row[i]);
		content -= bytes;
		memcpy(root + content, cell, bytes);
		put16(root + ROOT_HEADER + 2 * i, content);
	}

	root[0] = 0x05;
	put16(root + 1, 0);
	put16(root + 3, image->leaves - 1);
	put16(root + 5, content);
	root[7] = 0;
	put32(root + 8, FIRST_LEAF + image->leaves - 1);
}

/* Makes @bytes of the image the database "batch". */
static int show_image(struct store *store, sqlite3_int64 bytes)
{
	return sqlite3_deserialize(store->db, "batch", store->image.pages, bytes, bytes,
				   SQLITE_DESERIALIZE_READONLY);
}

int store_rows_write(struct store *store)
{
	struct row_image *image = &store->image;
	uint32_t pages = FIRST_LEAF - 1 + image->leaves;
	int rc;

	if (!image->rows)
		return 0;

	end_leaf(image);
	write_root(image);
	put32(image->pages + CHANGE_COUNTER, 1);
	put32(image->pages + VERSION_VALID_FOR, 1);
	put32(image->pages + PAGE_COUNT, pages);

	rc = show_image(store, (sqlite3_int64)pages * PAGE);
	if (!rc)
		rc = store_step(store->insert_rows);
	if (!rc) {
		store->last_row = sqlite3_last_insert_rowid(store->db);
		if (!store->first_row)
			store->first_row = store->last_row - image->rows + 1;
	}

	store_rows_clear(image);
	return rc;
}

void store_rows_clear(struct row_image *image)
{
	image->leaves = 0;
	image->rows = 0;
}

/* Writes the first two pages: a database with nothing but an empty table exit. */
static int write_template(struct row_image *image, const char *definition)
{
	static const char settings[] = "PRAGMA page_size = 65536; PRAGMA auto_vacuum = 0;";
	unsigned char *template = NULL;
	sqlite3_int64 bytes = 0;
	sqlite3 *db = NULL;
	int rc = sqlite3_open(":memory:", &db);

	if (!rc)
		rc = sqlite3_exec(db, settings, NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_exec(db, definition, NULL, NULL, NULL);
	if (!rc) {
		template = sqlite3_serialize(db, "main", &bytes, 0);
		rc = template && bytes == 2 * PAGE ? 0 : SQLITE_NOMEM;
	}
	if (!rc)
		memcpy(image->pages, template, 2 * PAGE);

	sqlite3_free(template);
	sqlite3_close(db);
	return rc;
}

int store_rows_init(struct store *store)
{
	struct row_image *image = &store->image;
	int rc;

	image->pages = malloc((size_t)(FIRST_LEAF - 1 + LEAVES) * PAGE);
	image->last_row = malloc(LEAVES * sizeof(*image->last_row));
	if (!image->pages || !image->last_row)
		return -ENOMEM;

	/* Our own definition; the file's is never executed. */
	rc = write_template(image, own_table_sql(STORE_VERSION, "exit"));
	if (!rc)
		rc = store_exec(store, "ATTACH ':memory:' AS batch");
	return rc ? rc : show_image(store, 2 * PAGE);
}

void store_rows_free(struct store *store)
{
	free(store->image.pages);
	free(store->image.last_row);
}
