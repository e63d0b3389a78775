// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - tables of a ClickHouse server, and RowBinary; see table.h
 */
#include "analyzer/push/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

static const struct {
	const char *name;
	enum column_type type;
	unsigned int bytes;
} types[] = {
	{"UInt8", COLUMN_INTEGER, 1},  {"UInt16", COLUMN_INTEGER, 2}, {"UInt32", COLUMN_INTEGER, 4},
	{"UInt64", COLUMN_INTEGER, 8}, {"Int32", COLUMN_INTEGER, 4},  {"Int64", COLUMN_INTEGER, 8},
	{"Date", COLUMN_INTEGER, 2},   {"Float64", COLUMN_REAL, 8},   {"String", COLUMN_TEXT, 0},
};

/* Takes "HEAD(TYPE)" apart, in place. */
static bool unwrap(char **type, const char *head)
{
	size_t length = strlen(head), end = strlen(*type);

	if (strncmp(*type, head, length) || (*type)[end - 1] != ')')
		return false;
	(*type)[end - 1] = '\0';
	*type += length;
	return true;
}

/* Takes @type apart, in place. */
static int parse_type(char *type, struct column *column)
{
	column->is_nullable = unwrap(&type, "Nullable(");
	column->is_array = unwrap(&type, "Array(");

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].name, type))
			continue;
		column->type = types[i].type;
		column->bytes = types[i].bytes;
		return 0;
	}
	return -ENOENT;
}

/* A line "  NAME TYPE," of the schema. */
static int parse_column(const char *line, struct column *column)
{
	char type[64];

	memset(column, 0, sizeof(*column));
	if (sscanf(line, " %31[a-z0-9_] %63[A-Za-z0-9()]", column->name, type) != 2)
		return -ENOENT;
	return parse_type(type, column);
}

bool column_is_of(const struct column *column, const char *type)
{
	struct column there = {0};
	char text[64], *inner = text;

	if (snprintf(text, sizeof(text), "%s", type) >= (int)sizeof(text) || !*text)
		return false;
	/* An administrator may have chosen it; values look the same. */
	unwrap(&inner, "LowCardinality(");
	return !parse_type(inner, &there) && there.type == column->type &&
	       there.bytes == column->bytes && there.is_nullable == column->is_nullable &&
	       there.is_array == column->is_array;
}

/* The line after the one at @line. */
static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

int table_find(const char *schema, const char *name, struct table *table)
{
	char head[80];
	const char *line;

	*table = (struct table){.name = name};
	snprintf(head, sizeof(head), "CREATE TABLE IF NOT EXISTS exitscope.%s (\n", name);
	line = strstr(schema, head);
	if (!line)
		return -ENOENT;

	for (line = next_line(line); *line && *line != ')'; line = next_line(line)) {
		if (table->columns == TABLE_COLUMNS_MAX ||
		    parse_column(line, &table->column[table->columns++]))
			return -ENOENT;
	}
	return 0;
}

/* Whether @list, with commas between its words, has @word. */
static bool list_has(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL) {
		if (!strncmp(list, word, length) && (!list[length] || list[length] == ','))
			return true;
	}
	return false;
}

/* Whether @list has the column @name, or another one that says the same. */
static bool list_has_column(const char *list, const char *name)
{
	return list_has(list, name) ||
	       (!strcmp(name, "request_names") && list_has(list, "requests")) ||
	       (!strcmp(name, "requests") && list_has(list, "request_names"));
}

void table_leave_out(struct table *table, const char *list)
{
	for (unsigned int i = 0; i < table->columns; i++) {
		struct column *column = &table->column[i];

		column->is_left_out = column->is_nullable && list_has_column(list, column->name);
	}
}

bool table_leaves_out(const struct table *table, const char *name)
{
	for (unsigned int i = 0; i < table->columns; i++) {
		if (!strcmp(table->column[i].name, name))
			return table->column[i].is_left_out;
	}
	return false;
}

bool table_may_leave_out(const char *schema, const char *name, size_t length)
{
	struct column column;

	for (const char *line = schema; *line; line = next_line(line)) {
		if (strncmp(line, "  ", 2) || parse_column(line, &column) || !column.is_nullable)
			continue;
		if (strlen(column.name) == length && !strncmp(column.name, name, length))
			return true;
	}
	return false;
}

struct value value_of(sqlite3_stmt *stmt, int i)
{
	struct value value = {.kind = VALUE_NULL};

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		value.kind = VALUE_INTEGER;
		value.integer = sqlite3_column_int64(stmt, i);
		break;
	case SQLITE_FLOAT:
		value.kind = VALUE_REAL;
		value.real = sqlite3_column_double(stmt, i);
		break;
	case SQLITE_TEXT:
		value.kind = VALUE_TEXT;
		value.text = (const char *)sqlite3_column_text(stmt, i);
		value.length = (size_t)sqlite3_column_bytes(stmt, i);
		break;
	}
	return value;
}

static unsigned char *put_bytes(unsigned char *to, const void *from, size_t bytes)
{
	if (bytes)
		memcpy(to, from, bytes);
	return to + bytes;
}

/* LEB128: 7 bits a byte, the lowest first. */
static unsigned char *put_length(unsigned char *to, uint64_t length)
{
	for (; length >= 0x80; length >>= 7)
		*to++ = (unsigned char)(length | 0x80);
	*to++ = (unsigned char)length;
	return to;
}

/* One value without what stands before it. x86 is little endian, and so is the format. */
static unsigned char *put_value(unsigned char *to, const struct column *column,
				const struct value *value)
{
	double real = value->kind == VALUE_INTEGER ? (double)value->integer : value->real;

	if (column->is_array) {
		to = put_length(to, value->length);
		for (size_t i = 0; i < value->length; i++)
			to = put_bytes(to, &value->array[i], column->bytes);
		return to;
	}

	switch (column->type) {
	case COLUMN_INTEGER:
		return put_bytes(to, &value->integer, column->bytes);
	case COLUMN_REAL:
		return put_bytes(to, &real, sizeof(real));
	case COLUMN_TEXT:
		to = put_length(to, value->length);
		return put_bytes(to, value->text, value->length);
	}
	return to;
}

/* Most bytes that a value takes. */
static size_t value_room(const struct value *value)
{
	return 16 + value->length * (value->kind == VALUE_ARRAY ? sizeof(uint64_t) : 1);
}

int table_put(const struct table *table, const struct value *value, struct rows *rows)
{
	static const struct value none = {.kind = VALUE_NULL};
	unsigned char *to;
	size_t room = 0;

	for (unsigned int i = 0; i < table->columns; i++)
		room += value_room(&value[i]);
	to = array_reserve(rows->data, rows->bytes, room, 1);
	if (!to)
		return -ENOMEM;
	rows->data = to;
	to += rows->bytes;

	for (unsigned int i = 0; i < table->columns; i++) {
		const struct column *column = &table->column[i];
		const struct value *one = column->is_left_out ? &none : &value[i];

		if (column->is_nullable) {
			*to++ = one->kind == VALUE_NULL;
			if (one->kind == VALUE_NULL)
				continue;
		}
		to = put_value(to, column, one);
	}
	rows->bytes = (size_t)(to - rows->data);
	rows->count++;
	return 0;
}

uint64_t rows_hash(const void *data, size_t bytes)
{
	const unsigned char *at = data;
	uint64_t word, hash = hash_mix(0, bytes);

	for (; bytes >= sizeof(word); at += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = hash_mix(hash, word);
	}
	word = 0;
	put_bytes((unsigned char *)&word, at, bytes);
	return hash_mix(hash, word);
}

void rows_cut(struct rows *rows, size_t bytes, uint64_t count)
{
	rows->bytes = bytes;
	rows->count = count;
}

void rows_free(struct rows *rows)
{
	free(rows->data);
	*rows = (struct rows){0};
}
