/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * out_writer.h - one writer a format: the half of out.h that knows how a result is written
 *
 * out.c brings each value to the unit in which it is shown and calls the writer: table, then per
 * row the cells and row_end, then table_end, and end once. Inside output/ only.
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_OUT_WRITER_H
#define EXITSCOPE_ANALYZER_OUTPUT_OUT_WRITER_H

#include "analyzer/output/out.h"

enum out_value_type {
	VALUE_NONE,
	VALUE_TEXT,
	VALUE_INT,
	VALUE_TIME,
	VALUE_REAL,
	VALUE_SPLIT,
	VALUE_VM
};

/*
 * struct out_value - what a cell holds
 * @text: VALUE_TEXT, not cleaned; VALUE_SPLIT: its letters; VALUE_VM: the name, NULL: it has none
 * @integer: VALUE_VM: the number; VALUE_INT, as the column's type says; VALUE_TIME: ns, or cycles
 * with --cycles
 * @real: VALUE_REAL, as the column's type says; a time in ns, or cycles with --cycles
 */
struct out_value {
	enum out_value_type type;
	const char *text;
	int64_t integer;
	double real;
};

/*
 * struct out_writer - how a format is written; a member may be NULL: nothing to write
 * @begin: the document
 * @table: out->column, out->columns and out->chosen are those of the new table
 * @cell: the cell of column out->at
 * @end: the notes, and the end of the document
 */
struct out_writer {
	void (*begin)(struct out *out);
	void (*table)(struct out *out, const char *name);
	void (*cell)(struct out *out, const struct out_value *value);
	void (*row_end)(struct out *out);
	void (*table_end)(struct out *out);
	void (*end)(struct out *out);
};

extern const struct out_writer out_text_writer, out_csv_writer, out_json_writer;

/* Prints a line; on a terminal it is broken between words. */
void out_sentence(struct out *out, const char *text);

/* Columns for people alone: not in CSV and JSON; those with .drop on a terminal only. */
static inline bool out_is_drawing(const struct out_column *column)
{
	return column->type == OUT_BAR || column->type == OUT_SPLIT;
}

/* Columns whose values are cycles, or ns made of them. */
static inline bool out_is_cycles(const struct out_column *column)
{
	return column->type == OUT_TIME || column->type == OUT_MOMENT;
}

/* Whether CSV and JSON have the column. */
static inline bool out_is_in_file(const struct out *out, int column)
{
	return out->chosen && out->chosen[column] && !out_is_drawing(&out->column[column]);
}

/*
 * out_fit_columns() - which columns of a table have room on the terminal, and how wide they are
 * @width: of each column, what its title and its cells need; what is left of it, filled in
 * @shown: filled in
 * Return: whether texts must be shortened to their column's width, by out_fit_text().
 */
bool out_fit_columns(const struct out *out, int *width, bool *shown);

/* A text in @width columns, its middle left out, or a bar of fewer letters; of malloc(). */
char *out_fit_text(enum out_type type, const char *text, int width);

/* Give the cells of each OUT_MOMENT column so many digits that neighbours differ. */
void out_fit_moments(struct out *out);

/* Append to a string of the heap. */
void out_append(struct out *out, char **to, const char *text);

/* A CSV field of the heap, quoted where necessary; NULL: no memory. */
char *out_csv_field(const char *text);

#endif
