// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_text.c - results as tables for people
 *
 * A table's cells are kept until its end: only then are the widths of its columns known, and which
 * columns the terminal has room for.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/output/out_writer.h"
#include "base/array.h"
#include "base/clean.h"
#include "base/units.h"
#include "base/width.h"

#define BAR_WIDTH 20

static char *printable(const char *text)
{
	char *copy = strdup(text);

	return copy ? clean_text(copy) : NULL;
}

static void integer_text(enum out_type type, int64_t value, char text[UNITS_TEXT])
{
	if (type == OUT_COUNT)
		units_count(value, text);
	else if (type == OUT_NS)
		units_ns((double)value, text);
	else
		snprintf(text, UNITS_TEXT, "%" PRId64, value);
}

static void real_text(const struct out *out, enum out_type type, double value,
		      char text[UNITS_TEXT])
{
	if (type == OUT_SHARE)
		units_share(value, text);
	else if (type == OUT_TIME && !out->cycles)
		units_ns(value, text);
	else if (type == OUT_NUMBER || type == OUT_TEXT || type == OUT_ID)
		snprintf(text, UNITS_TEXT, "%.10g", value);
	else
		units_real(value, text);
}

/* A value as it stands in tables, of the heap; NULL: no memory. There must be a value. */
static char *value_text(const struct out *out, const struct out_value *value)
{
	enum out_type type = out->column[out->at].type;
	char text[UNITS_TEXT] = "";
	char *about;

	switch (value->type) {
	case VALUE_TEXT:
		return printable(value->text);
	case VALUE_SPLIT:
		return strdup(value->text);
	case VALUE_VM:
		if (value->text)
			return printable(value->text);
		integer_text(OUT_ID, value->integer, text);
		break;
	case VALUE_INT:
		integer_text(type, value->integer, text);
		break;
	case VALUE_TIME:
		integer_text(out->cycles ? OUT_COUNT : OUT_NS, value->integer, text);
		break;
	case VALUE_REAL:
		real_text(out, type, value->real, text);
		break;
	case VALUE_NONE:
		break;
	}

	if (!out->about)
		return strdup(text);
	return asprintf(&about, "~%s", text) < 0 ? NULL : about;
}

static void keep_cell(struct out *out, const struct out_value *value)
{
	struct out_cell *cell = array_reserve(out->cell, out->cells, 1, sizeof(*cell));
	char *text = NULL;

	if (!cell) {
		out->failed = true;
		return;
	}
	out->cell = cell;

	if (value->type != VALUE_NONE) {
		text = value_text(out, value);
		out->failed |= !text;
	}
	cell[out->cells++] = (struct out_cell){
		.text = text,
		.real = value->type == VALUE_TIME ? (double)value->integer : value->real,
	};
}

/* A cell as it is printed: "-" without a value, the bar of a share. */
static const char *cell_text(const struct out *out, size_t i, char bar[BAR_WIDTH + 1])
{
	long length;

	if (out->column[i % (size_t)out->columns].type != OUT_BAR)
		return out->cell[i].text ? out->cell[i].text : "-";

	length = lround(out->cell[i].real * BAR_WIDTH);
	if (length < 0)
		length = 0;
	if (length > BAR_WIDTH)
		length = BAR_WIDTH;
	memset(bar, '#', (size_t)length);
	bar[length] = '\0';
	return bar;
}

/* What each column needs: its title and its widest cell. */
static void measure(const struct out *out, int *width)
{
	size_t columns = (size_t)out->columns;
	char bar[BAR_WIDTH + 1];

	for (size_t c = 0; c < columns; c++)
		width[c] =
			out->column[c].type == OUT_BAR ? BAR_WIDTH : width_of(out->column[c].title);

	for (size_t i = 0; i < out->cells; i++) {
		int cell_width = width_of(cell_text(out, i, bar));

		if (cell_width > width[i % columns])
			width[i % columns] = cell_width;
	}
}

static void print_cell(struct out *out, int i, const char *text, int width, bool last)
{
	int pad = width - width_of(text);

	/* A VM is a name or a number. */
	if (out->column[i].type == OUT_TEXT || out_is_drawing(&out->column[i]) ||
	    (out->column[i].type == OUT_VM && text[strspn(text, "0123456789")]))
		fprintf(out->file, "%s%*s", text, last ? 0 : pad, "");
	else
		fprintf(out->file, "%*s%s", pad, "", text);
	fputs(last ? "\n" : "  ", out->file);
}

static void print_fitted(struct out *out, int i, const char *text, int width, bool last)
{
	char *fitted;

	if (width_of(text) <= width) {
		print_cell(out, i, text, width, last);
		return;
	}

	fitted = out_fit_text(out->column[i].type, text, width);
	print_cell(out, i, fitted ? fitted : "?", width, last);
	free(fitted);
}

/* Titles of analyzer sql are names in the user's query, or in a view of the file. */
static void print_title(struct out *out, int i, int width, bool last)
{
	char *title = printable(out->column[i].title);

	print_cell(out, i, title ? title : "?", width, last);
	free(title);
}

/* Say so when a column is left out for lack of room, or a text is cut. */
static void print_left_out(struct out *out, const bool *shown, bool shorten)
{
	if (shorten)
		out_sentence(out, "(..: text left out; whole: --format csv, or a wider terminal)");
	for (int i = 0; i < out->columns && !out->choice; i++) {
		if (shown[i] || out_is_drawing(&out->column[i]) ||
		    out->column[i].drop == OUT_HIDDEN)
			continue;
		out_sentence(out, "(more columns: --columns, --format csv, or a wider terminal)");
		return;
	}
}

static void print_table(struct out *out)
{
	int columns = out->columns, last = 0;
	int width[columns];
	bool shown[columns], shorten;
	char bar[BAR_WIDTH + 1];

	out_fit_moments(out);
	measure(out, width);
	shorten = out_fit_columns(out, width, shown);
	for (int c = 0; c < columns; c++)
		if (shown[c])
			last = c;

	for (int c = 0; c < columns; c++)
		if (shown[c])
			print_title(out, c, width[c], c == last);
	for (size_t i = 0; i < out->cells; i++) {
		int c = (int)(i % (size_t)columns);

		if (shown[c])
			print_fitted(out, c, cell_text(out, i, bar), width[c], c == last);
	}
	print_left_out(out, shown, shorten);
}

static void end_table(struct out *out)
{
	/* Titles without rows say something only where nothing else does. */
	if (!out->failed && !out->error && (out->cells || !out->tables))
		print_table(out);
	out->tables++;
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i].text);
	out->cells = 0;
}

static void end(struct out *out)
{
	for (int i = 0; i < out->notes; i++)
		out_sentence(out, out->note[i]);
}

const struct out_writer out_text_writer = {
	.cell = keep_cell,
	.table_end = end_table,
	.end = end,
};
