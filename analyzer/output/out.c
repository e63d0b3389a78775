// SPDX-License-Identifier: GPL-2.0-only
/*
 * out.c - a table for people, CSV or JSON; see out.h
 */
#include "analyzer/output/out.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analyzer/output/clean.h"
#include "analyzer/output/units.h"
#include "base/array.h"

#define BAR_WIDTH   20
#define SPLIT_WIDTH 10

static int terminal_width(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

void out_begin(struct out *out, const struct out_style *style, int64_t tsc_khz)
{
	*out = (struct out){
		.file = stdout,
		.format = style->format,
		.choice = style->columns,
		.cycles = style->cycles,
		.tsc_khz = tsc_khz,
		.width = terminal_width(stdout),
		.json = {.file = stdout},
	};
	if (out->format == OUT_JSON)
		json_open(&out->json, NULL, '{');
}

static void write_notes(struct out *out)
{
	if (out->format == OUT_JSON)
		json_open(&out->json, "notes", '[');
	for (int i = 0; i < out->notes; i++) {
		if (out->format == OUT_JSON)
			json_text(&out->json, NULL, out->note[i]);
		else
			fprintf(out->format == OUT_CSV ? stderr : out->file, "%s\n", out->note[i]);
	}
	if (out->format == OUT_JSON)
		json_close(&out->json, '[');
}

int out_end(struct out *out, struct app *app, bool failed)
{
	if (!failed) {
		write_notes(out);
		if (out->format == OUT_JSON)
			json_close(&out->json, '{');
	}
	for (int i = 0; i < out->notes; i++)
		free(out->note[i]);
	free(out->note);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i].text);
	free(out->cell);
	free(out->chosen);
	free(out->tail);
	free(out->tail_names);
	if (failed) {
		free(out->error);
		return -1;
	}
	if (out->error) {
		app_fail(app, "%s", out->error);
		free(out->error);
		return -1;
	}
	if (out->failed)
		return app_fail(app, "out of memory");
	if (fflush(out->file) || ferror(out->file))
		return app_fail(app, "standard output: %s", strerror(errno));
	return 0;
}

void out_note(struct out *out, const char *format, ...)
{
	char **note = array_reserve(out->note, (size_t)out->notes, 1, sizeof(*note));
	va_list ap;
	int n;

	if (!note) {
		out->failed = true;
		return;
	}
	out->note = note;
	va_start(ap, format);
	n = vasprintf(&out->note[out->notes], format, ap);
	va_end(ap);
	if (n < 0) {
		out->failed = true;
		return;
	}
	clean_text(out->note[out->notes]);
	for (int i = 0; i < out->notes; i++)
		if (!strcmp(out->note[i], out->note[out->notes])) {
			free(out->note[out->notes]);
			return;
		}
	out->notes++;
}

void out_line(struct out *out, const char *format, ...)
{
	va_list ap;
	char *line;
	int n;

	if (out->format != OUT_TABLE)
		return;
	va_start(ap, format);
	n = vasprintf(&line, format, ap);
	va_end(ap);
	if (n < 0) {
		out->failed = true;
		return;
	}

	/* The screen's own mark of a bright line (live/screen.h) stays. */
	clean_text(*line == '\2' ? line + 1 : line);
	fprintf(out->file, "%s\n", line);
	free(line);
}

/* Columns for people alone: not in CSV and JSON, and where they may drop, not in files. */
static bool is_drawing(const struct out_column *column)
{
	return column->type == OUT_BAR || column->type == OUT_SPLIT;
}

/* Append to a string of the heap. */
static void append(struct out *out, char **to, const char *text)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s", *to ? *to : "", text) < 0) {
		out->failed = true;
		return;
	}
	free(*to);
	*to = longer;
}

/*
 * A spreadsheet takes a text that begins like this for a formula, and runs it: an apostrophe
 * before it makes it a text again. Numbers ("-20 %") are none. JSON has texts as they are.
 */
static bool is_formula(const char *text)
{
	/* The end of the text is in every set of strchr(). */
	if (!*text || !strchr("=+-@", *text))
		return false;
	if (!strchr("+-", *text))
		return true;

	return text[1 + strspn(text + 1, "0123456789., %")];
}

/* Text as a CSV field, of the heap; NULL without memory. */
static char *csv_field(const char *text)
{
	bool is_quoted = strpbrk(text, ",\"\r\n");
	char *field = malloc(2 * strlen(text) + 4), *at = field;

	if (!field)
		return NULL;

	if (is_quoted)
		*at++ = '"';
	if (is_formula(text))
		*at++ = '\'';
	while (*text) {
		bool is_safe;
		size_t bytes = clean_next(text, &is_safe);

		if (!is_safe) {
			*at++ = '?';
		} else if (*text == '"') {
			*at++ = '"';
			*at++ = '"';
		} else {
			memcpy(at, text, bytes);
			at += bytes;
		}
		text += bytes;
	}
	if (is_quoted)
		*at++ = '"';
	*at = '\0';
	return field;
}

void out_tail(struct out *out, const char *name, const char *format, ...)
{
	char *text, *field;
	va_list ap;
	int n;

	if (out->format != OUT_CSV)
		return;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	field = n < 0 ? NULL : csv_field(text);
	if (n >= 0)
		free(text);
	if (!field) {
		out->failed = true;
		return;
	}

	append(out, &out->tail_names, ",");
	append(out, &out->tail_names, name);
	append(out, &out->tail, ",");
	append(out, &out->tail, field);
	free(field);
}

/* Whether @list, names with commas between them, has @name, or @name_ns as CSV calls it. */
static bool in_list(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (list) {
		size_t letters = strcspn(list, ",");

		if (!strncmp(list, name, length) &&
		    (letters == length ||
		     (letters == length + 3 && !strncmp(list + length, "_ns", 3))))
			return true;
		list = strchr(list, ',');
		list += !!list;
	}
	return false;
}

/* Which columns --columns chooses; an error if there is none of them. */
static void choose(struct out *out)
{
	int found = 0;

	free(out->chosen);
	out->chosen = calloc((size_t)out->columns + 1, sizeof(*out->chosen));
	if (!out->chosen) {
		out->failed = true;
		return;
	}

	for (int i = 0; i < out->columns; i++) {
		out->chosen[i] = !out->choice || in_list(out->choice, out->column[i].name);
		found += out->chosen[i];
	}
	if (found || out->error)
		return;

	append(out, &out->error, "--columns ");
	append(out, &out->error, out->choice);
	append(out, &out->error, ": none of");
	for (int i = 0; i < out->columns; i++) {
		append(out, &out->error, i ? ", " : " ");
		append(out, &out->error, out->column[i].name);
	}
}

static void csv_text(struct out *out, const char *text)
{
	char *field = csv_field(text);

	if (field)
		fputs(field, out->file);
	else
		out->failed = true;
	free(field);
}

static char *printable(const char *text)
{
	char *copy = strdup(text);

	return copy ? clean_text(copy) : NULL;
}

void out_table(struct out *out, const char *name, const struct out_column *column, int columns)
{
	out->column = column;
	out->columns = columns;
	out->at = 0;
	out->cells = 0;
	choose(out);

	if (out->format == OUT_JSON)
		json_open(&out->json, name, '[');
	if (out->format != OUT_CSV || out->failed)
		return;

	out->comma = false;
	for (int i = 0; i < columns; i++) {
		if (is_drawing(&column[i]) || !out->chosen[i])
			continue;
		if (out->comma)
			putc(',', out->file);
		csv_text(out, column[i].name);
		if (column[i].type == OUT_TIME)
			fputs(out->cycles ? "_cycles" : "_ns", out->file);
		out->comma = true;
	}
	fprintf(out->file, "%s\n", out->tail_names ? out->tail_names : "");
	out->comma = false;
}

/* Display width: bytes that do not continue a UTF-8 character. */
static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* Choose the columns to show: as many as the terminal has room for. */
static void choose_columns(struct out *out, const int *width, bool *shown)
{
	int total = 0, drop;

	for (int i = 0; i < out->columns; i++) {
		shown[i] = out->chosen[i] && (!is_drawing(&out->column[i]) || out->width ||
					      !out->column[i].drop || out->choice);
		if (out->column[i].drop == OUT_HIDDEN && !out->choice)
			shown[i] = false;
		total += shown[i] ? width[i] + 2 : 0;
	}
	while (out->width && !out->choice && total - 2 > out->width) {
		drop = -1;
		for (int i = 0; i < out->columns; i++)
			if (shown[i] && out->column[i].drop > 0 &&
			    (drop < 0 || out->column[i].drop > out->column[drop].drop))
				drop = i;
		if (drop < 0)
			return;
		shown[drop] = false;
		total -= width[drop] + 2;
	}
}

static void print_cell(struct out *out, int i, const char *text, int width, bool last)
{
	int pad = width - text_width(text);

	if (out->column[i].type == OUT_TEXT || is_drawing(&out->column[i]))
		fprintf(out->file, "%s%*s", text, last ? 0 : pad, "");
	else
		fprintf(out->file, "%*s%s", pad, "", text);
	fputs(last ? "\n" : "  ", out->file);
}

/* Titles of analyzer sql are names in the user's query, or in a view of the file. */
static void print_title(struct out *out, int i, int width, bool last)
{
	char *title = printable(out->column[i].title);

	print_cell(out, i, title ? title : "?", width, last);
	free(title);
}

static const char *cell_text(const struct out *out, size_t i, char bar[BAR_WIDTH + 1])
{
	int n;

	if (out->column[i % (size_t)out->columns].type != OUT_BAR)
		return out->cell[i].text ? out->cell[i].text : "-";
	n = (int)lround(out->cell[i].real * BAR_WIDTH);
	n = n < 0 ? 0 : n > BAR_WIDTH ? BAR_WIDTH : n;
	memset(bar, '#', (size_t)n);
	bar[n] = '\0';
	return bar;
}

static void print_table(struct out *out)
{
	size_t columns = (size_t)out->columns;
	bool shown[columns];
	int width[columns], last = 0;
	char bar[BAR_WIDTH + 1];

	for (size_t c = 0; c < columns; c++)
		width[c] = out->column[c].type == OUT_BAR ? BAR_WIDTH
							  : text_width(out->column[c].title);
	for (size_t i = 0; i < out->cells; i++) {
		int w = text_width(cell_text(out, i, bar));

		if (w > width[i % columns])
			width[i % columns] = w;
	}
	choose_columns(out, width, shown);
	for (int c = 0; c < out->columns; c++)
		if (shown[c])
			last = c;
	for (int c = 0; c < out->columns; c++)
		if (shown[c])
			print_title(out, c, width[c], c == last);
	for (size_t i = 0; i < out->cells; i++)
		if (shown[i % columns])
			print_cell(out, (int)(i % columns), cell_text(out, i, bar),
				   width[i % columns], (int)(i % columns) == last);
	for (int c = 0; c < out->columns && !out->choice; c++)
		if (!shown[c] && !is_drawing(&out->column[c]) &&
		    out->column[c].drop != OUT_HIDDEN) {
			fprintf(out->file,
				"(more columns: --columns, --format csv, or a wider terminal)\n");
			break;
		}
}

void out_table_end(struct out *out)
{
	if (out->format == OUT_JSON)
		json_close(&out->json, '[');
	if (out->format == OUT_TABLE && !out->failed && !out->error)
		print_table(out);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i].text);
	out->cells = 0;
}

/* Keep a cell of a table until all widths are known. Takes @text. */
static void keep_cell(struct out *out, char *text, double real)
{
	struct out_cell *cell = array_reserve(out->cell, out->cells, 1, sizeof(*cell));

	if (!cell) {
		free(text);
		out->failed = true;
		return;
	}
	out->cell = cell;
	cell[out->cells++] = (struct out_cell){.text = text, .real = real};
}

/*
 * The column of the next cell; opens and, by end_cell(), closes rows. NULL: the cell is
 * not shown.
 */
static const struct out_column *begin_cell(struct out *out)
{
	const struct out_column *column = &out->column[out->at];
	bool hidden = !out->chosen || !out->chosen[out->at];

	if (!out->at && out->format == OUT_JSON)
		json_open(&out->json, NULL, '{');
	if (out->format == OUT_TABLE)
		return column;
	if (hidden || is_drawing(column))
		return NULL;
	if (out->format == OUT_CSV) {
		if (out->comma)
			putc(',', out->file);
		out->comma = true;
	}
	return column;
}

static void end_cell(struct out *out)
{
	out->at++;
	if (out->at < out->columns)
		return;

	out->at = 0;
	out->comma = false;
	if (out->format == OUT_JSON)
		json_close(&out->json, '{');
	else if (out->format == OUT_CSV)
		fprintf(out->file, "%s\n", out->tail ? out->tail : "");
}

/* Name in JSON; a time says its unit. */
static const char *json_name(const struct out *out, const struct out_column *column, char *name,
			     size_t size)
{
	snprintf(name, size, "%s%s", column->name,
		 column->type != OUT_TIME ? ""
		 : out->cycles		  ? "_cycles"
					  : "_ns");
	return name;
}

void out_text(struct out *out, const char *text)
{
	const struct out_column *column;

	if (!text) {
		out_none(out);
		return;
	}
	column = begin_cell(out);
	if (column && out->format == OUT_JSON)
		json_text(&out->json, column->name, text);
	else if (column && out->format == OUT_CSV)
		csv_text(out, text);
	else if (column)
		keep_cell(out, printable(text), 0);
	end_cell(out);
}

void out_none(struct out *out)
{
	const struct out_column *column = begin_cell(out);
	char name[64];

	if (column && out->format == OUT_JSON)
		json_null(&out->json, json_name(out, column, name, sizeof(name)));
	else if (column && out->format == OUT_TABLE)
		keep_cell(out, NULL, 0);
	end_cell(out);
}

static void write_int(struct out *out, int64_t value, const char *text)
{
	const struct out_column *column = begin_cell(out);
	char name[64];

	if (column && out->format == OUT_JSON)
		json_int(&out->json, json_name(out, column, name, sizeof(name)), value);
	else if (column && out->format == OUT_CSV)
		fprintf(out->file, "%" PRId64, value);
	else if (column)
		keep_cell(out, strdup(text), 0);
	end_cell(out);
}

void out_int(struct out *out, int64_t value)
{
	char text[UNITS_TEXT];

	if (out->column[out->at].type == OUT_COUNT)
		units_count(value, text);
	else if (out->column[out->at].type == OUT_NS)
		units_ns((double)value, text);
	else
		snprintf(text, sizeof(text), "%" PRId64, value);
	write_int(out, value, text);
}

/* Whether the next cell would be a duration, or a share of time, of a run without any. */
static bool is_unknown(const struct out *out)
{
	static const char *const durations[] = {"time", "time_share", "busy_share", "mean", "min",
						"p50",	"p90",	      "p95",	    "p99",  "p999",
						"max",	"split",      "p90_by_p10"};
	const struct out_column *column = &out->column[out->at];

	if (!out->no_durations)
		return false;
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		if (!strcmp(column->name, durations[i]))
			return true;
	}
	return false;
}

void out_time(struct out *out, uint64_t cycles)
{
	int64_t value = out->cycles ? (int64_t)cycles : cycles_to_ns((int64_t)cycles, out->tsc_khz);
	char text[UNITS_TEXT];

	if (is_unknown(out)) {
		out_none(out);
		return;
	}
	write_int(out, value,
		  out->cycles ? units_count(value, text) : units_ns((double)value, text));
}

/* A real as it stands in tables. */
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

void out_real(struct out *out, double value)
{
	const struct out_column *column;
	char name[64], text[UNITS_TEXT];

	if (is_unknown(out)) {
		out_none(out);
		return;
	}
	column = begin_cell(out);
	if (column && column->type == OUT_TIME && !out->cycles)
		value = value * 1e6 / (double)out->tsc_khz;

	if (column && out->format == OUT_JSON) {
		json_real(&out->json, json_name(out, column, name, sizeof(name)), value);
	} else if (column && out->format == OUT_CSV) {
		fprintf(out->file, "%.10g", value);
	} else if (column) {
		real_text(out, column->type, value, text);
		keep_cell(out, strdup(text), value);
	}
	end_cell(out);
}

void out_split(struct out *out, const uint64_t part[4])
{
	static const char letters[] = "hzup";
	const struct out_column *column = begin_cell(out);
	char text[SPLIT_WIDTH + 1] = "";
	double all = 0, upto = 0;
	int at = 0;

	for (int i = 0; i < 4; i++)
		all += (double)part[i];
	for (int i = 0; i < 4 && all > 0; i++) {
		upto += (double)part[i];
		while (at < lround(upto / all * SPLIT_WIDTH))
			text[at++] = letters[i];
	}
	text[at] = '\0';
	if (column)
		keep_cell(out, strdup(text), 0);
	end_cell(out);
}
