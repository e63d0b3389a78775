// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - rows of table exit, many at once
 *
 * An INSERT for each row costs SQLite's machinery for 19 values each time. Here
 * rows are encoded into the pages of a small database in memory, in SQLite's file
 * format (sqlite.org/fileformat.html, sections 1.3, 1.6 and 2.1), which is
 * attached as "batch". INSERT ... SELECT * between two tables of the same
 * definition then copies whole rows without decoding them. Should a version of
 * SQLite not do so, the result is the same, only slower.
 */
#include "sql/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	    65536U
#define COLUMNS	    19U
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
	uint32_t bytes = value < 1U << 7 ? 1 : value < 1U << 14 ? 2 : 3;
	uint32_t i;

	for (i = 0; i < bytes; i++)
		p[i] = (value >> 7 * (bytes - 1 - i) & 0x7f) | (i + 1 < bytes ? 0x80 : 0);
	return bytes;
}

static unsigned char *page(const struct row_image *image, uint32_t number)
{
	return image->pages + (size_t)(number - 1) * PAGE;
}

/* Bytes of serial types 0 to 9. */
static const unsigned char type_bytes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

/* The shortest serial type of an integer. */
static unsigned char type_of(int64_t value)
{
	/* Bits that differ from the sign. */
	uint64_t magnitude = (uint64_t)(value ^ value >> 63);

	if (magnitude < 1ULL << 7)
		return value == 0 ? 8 : value == 1 ? 9 : 1;
	if (magnitude < 1ULL << 31)
		return magnitude < 1ULL << 15 ? 2 : magnitude < 1ULL << 23 ? 3 : 4;
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
		(int64_t)r->key,
		(int64_t)r->key_aux,
		(int64_t)r->qualification,
		(int64_t)r->info2,
		r->intr_info,
		r->error_code,
		r->user_reason,
		r->pcpu,
		(int64_t)r->guest_cr3,
	};
	unsigned char *types = record + 1;
	unsigned char *p = types + COLUMNS;
	uint32_t i;

	record[0] = 1 + COLUMNS;
	for (i = 0; i < COLUMNS; i++) {
		/* key, key_aux, cr3: NULL where the field is not valid */
		if (((i == 10 || i == 11) && !(r->flags & KVM_EXIT_REC_KEY)) ||
		    (i == 18 && !(r->flags & KVM_EXIT_REC_CR3)))
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

/* Returns 0 when there is no room any more. */
static int add_row(struct row_image *image, int64_t vcpu, const struct kvm_exit_record *r)
{
	unsigned char record[MAX_CELL + 8];
	unsigned char head[6];
	uint32_t bytes = encode(record, vcpu, r);
	uint32_t head_bytes = put_varint(head, bytes);
	unsigned char *leaf;

	head_bytes += put_varint(head + head_bytes, image->rows + 1);
	if (!image->leaves ||
	    LEAF_HEADER + 2 * (image->cells + 1) + head_bytes + bytes > image->content) {
		if (image->leaves == LEAVES)
			return 0;
		if (image->leaves)
			end_leaf(image);
		start_leaf(image);
	}
	leaf = page(image, FIRST_LEAF + image->leaves - 1);
	image->content -= head_bytes + bytes;
	memcpy(leaf + image->content, head, head_bytes);
	memcpy(leaf + image->content + head_bytes, record, bytes);
	put16(leaf + LEAF_HEADER + 2 * image->cells, image->content);
	image->cells++;
	image->rows++;
	return 1;
}

size_t store_rows_add(struct row_image *image, int64_t vcpu, const struct kvm_exit_record *records,
		      size_t count)
{
	size_t i;

	for (i = 0; i < count && add_row(image, vcpu, &records[i]); i++)
		;
	return i;
}

/* The root above the leaves; a single leaf is the root itself. */
static void write_root(struct row_image *image)
{
	unsigned char *root = page(image, ROOT_PAGE);
	uint32_t content = PAGE;
	unsigned char cell[8];
	uint32_t bytes;
	uint32_t i;

	if (image->leaves == 1) {
		memcpy(root, page(image, FIRST_LEAF), PAGE);
		return;
	}
	for (i = 0; i + 1 < image->leaves; i++) {
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
	rc = sqlite3_deserialize(store->db, "batch", image->pages, (sqlite3_int64)pages * PAGE,
				 (sqlite3_int64)pages * PAGE, SQLITE_DESERIALIZE_READONLY);
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

/*
 * The first two pages: a database with nothing but an empty table exit. Its
 * definition is our own; the file's is never executed.
 */
static int make_template(struct store *store)
{
	static const char definition[] = "SELECT sql FROM sqlite_schema WHERE name = 'exit'";
	sqlite3_stmt *stmt = NULL;
	sqlite3 *own = NULL;
	sqlite3 *db = NULL;
	unsigned char *template = NULL;
	sqlite3_int64 bytes = 0;
	int rc = schema_open_own(STORE_VERSION, &own);

	if (!rc)
		rc = sqlite3_prepare_v2(own, definition, -1, &stmt, NULL);
	if (!rc && sqlite3_step(stmt) != SQLITE_ROW)
		rc = SQLITE_CORRUPT;
	if (!rc)
		rc = sqlite3_open(":memory:", &db);
	if (!rc)
		rc = sqlite3_exec(db, "PRAGMA page_size = 65536; PRAGMA auto_vacuum = 0", NULL,
				  NULL, NULL);
	if (!rc)
		rc = sqlite3_exec(db, (const char *)sqlite3_column_text(stmt, 0), NULL, NULL, NULL);
	if (!rc)
		template = sqlite3_serialize(db, "main", &bytes, 0);
	if (!rc && (!template || bytes != 2 * PAGE))
		rc = SQLITE_NOMEM;
	if (!rc)
		memcpy(store->image.pages, template, 2 * PAGE);

	sqlite3_free(template);
	sqlite3_close(db);
	sqlite3_finalize(stmt);
	sqlite3_close(own);
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
	rc = make_template(store);
	if (!rc)
		rc = sqlite3_exec(store->db, "ATTACH ':memory:' AS batch", NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_deserialize(store->db, "batch", image->pages, 2 * PAGE, 2 * PAGE,
					 SQLITE_DESERIALIZE_READONLY);
	return rc ? rc
		  : sqlite3_prepare_v3(store->db, "INSERT INTO main.exit SELECT * FROM batch.exit",
				       -1, SQLITE_PREPARE_PERSISTENT, &store->insert_rows, NULL);
}

void store_rows_free(struct store *store)
{
	free(store->image.pages);
	free(store->image.last_row);
}
