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

#define BAR_WIDTH 20

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
	if (failed)
		return -1;
	if (out->failed)
		return app_fail(app, "out of memory");
	if (fflush(out->file) || ferror(out->file))
		return app_fail(app, "standard output: %s", strerror(errno));
	return 0;
}

void out_note(struct out *out, const char *format, ...)
{
	char **note = realloc(out->note, (size_t)(out->notes + 1) * sizeof(*note));
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
	char *line;
	va_list ap;
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

/*
 * A spreadsheet takes a text that begins like this for a formula, and runs it: an apostrophe
 * before it makes it a text again. Numbers ("-20 %") are none. JSON has texts as they are.
 */
static bool is_formula(const char *text)
{
	bool is_number = strchr("+-", *text) && !text[1 + strspn(text + 1, "0123456789., %")];

	return *text && strchr("=+-@", *text) && !is_number;
}

static void csv_text(struct out *out, const char *text)
{
	bool is_quoted = strpbrk(text, ",\"\r\n");

	if (is_quoted)
		putc('"', out->file);
	if (is_formula(text))
		putc('\'', out->file);
	while (*text) {
		bool is_safe;
		size_t bytes = clean_next(text, &is_safe);

		if (!is_safe)
			putc('?', out->file);
		else if (*text == '"')
			fputs("\"\"", out->file);
		else
			fwrite(text, 1, bytes, out->file);
		text += bytes;
	}
	if (is_quoted)
		putc('"', out->file);
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
	if (out->format == OUT_JSON)
		json_open(&out->json, name, '[');
	if (out->format != OUT_CSV)
		return;
	for (int i = 0, first = 1; i < columns; i++) {
		if (column[i].type == OUT_BAR)
			continue;
		if (!first)
			putc(',', out->file);
		csv_text(out, column[i].name);
		if (column[i].type == OUT_TIME)
			fputs(out->cycles ? "_cycles" : "_ns", out->file);
		first = 0;
	}
	putc('\n', out->file);
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
		shown[i] = out->column[i].type != OUT_BAR || out->width || !out->column[i].drop;
		total += shown[i] ? width[i] + 2 : 0;
	}
	while (out->width && total - 2 > out->width) {
		drop = -1;
		for (int i = 0; i < out->columns; i++)
			if (shown[i] && out->column[i].drop &&
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

	if (out->column[i].type == OUT_TEXT || out->column[i].type == OUT_BAR)
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
	for (int c = 0; c < out->columns; c++)
		if (!shown[c] && out->column[c].type != OUT_BAR) {
			fprintf(out->file, "(more columns: --format csv, or a wider terminal)\n");
			break;
		}
}

void out_table_end(struct out *out)
{
	if (out->format == OUT_JSON)
		json_close(&out->json, '[');
	if (out->format == OUT_TABLE && !out->failed)
		print_table(out);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i].text);
	out->cells = 0;
}

/* Keep a cell of a table until all widths are known. Takes @text. */
static void keep_cell(struct out *out, char *text, double real)
{
	if (out->cells == out->room) {
		size_t room = out->room ? 2 * out->room : 256;
		struct out_cell *cell = realloc(out->cell, room * sizeof(*cell));

		if (!cell) {
			free(text);
			out->failed = true;
			return;
		}
		out->cell = cell;
		out->room = room;
	}
	out->cell[out->cells++] = (struct out_cell){.text = text, .real = real};
}

/* The column of the next cell; opens and, by end_cell(), closes rows. */
static const struct out_column *begin_cell(struct out *out)
{
	if (!out->at && out->format == OUT_JSON)
		json_open(&out->json, NULL, '{');
	return &out->column[out->at];
}

static void end_cell(struct out *out)
{
	out->at++;
	if (out->at < out->columns)
		return;
	out->at = 0;
	if (out->format == OUT_JSON)
		json_close(&out->json, '{');
	else if (out->format == OUT_CSV)
		putc('\n', out->file);
}

static void csv_comma(struct out *out)
{
	if (out->at)
		putc(',', out->file);
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
	if (out->format == OUT_JSON) {
		json_text(&out->json, column->name, text);
	} else if (out->format == OUT_CSV) {
		csv_comma(out);
		csv_text(out, text);
	} else {
		keep_cell(out, printable(text), 0);
	}
	end_cell(out);
}

void out_none(struct out *out)
{
	const struct out_column *column = begin_cell(out);
	char name[64];

	if (out->format == OUT_JSON)
		json_null(&out->json, json_name(out, column, name, sizeof(name)));
	else if (out->format == OUT_CSV)
		csv_comma(out);
	else
		keep_cell(out, NULL, 0);
	end_cell(out);
}

static void put_int(struct out *out, int64_t value, const char *text)
{
	const struct out_column *column = begin_cell(out);
	char name[64];

	if (out->format == OUT_JSON) {
		json_int(&out->json, json_name(out, column, name, sizeof(name)), value);
	} else if (out->format == OUT_CSV) {
		csv_comma(out);
		fprintf(out->file, "%" PRId64, value);
	} else {
		keep_cell(out, strdup(text), 0);
	}
	end_cell(out);
}

/* Whether the next cell would be a duration, or a share of time, of a run without any. */
static bool is_unknown(const struct out *out)
{
	static const char *const durations[] = {"time", "time_share", "busy_share", "mean",
						"min",	"p50",	      "p90",	    "p95",
						"p99",	"p999",	      "max"};
	const struct out_column *column = &out->column[out->at];

	if (!out->no_durations)
		return false;
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		if (!strcmp(column->name, durations[i]))
			return true;
	}
	return false;
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
	put_int(out, value, text);
}

void out_time(struct out *out, uint64_t cycles)
{
	int64_t value = out->cycles ? (int64_t)cycles : cycles_to_ns((int64_t)cycles, out->tsc_khz);
	char text[UNITS_TEXT];

	if (is_unknown(out)) {
		out_none(out);
		return;
	}
	put_int(out, value, out->cycles ? units_count(value, text) : units_ns((double)value, text));
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
	if (column->type == OUT_TIME && !out->cycles)
		value = value * 1e6 / (double)out->tsc_khz;
	if (out->format == OUT_JSON) {
		if (column->type != OUT_BAR)
			json_real(&out->json, json_name(out, column, name, sizeof(name)), value);
	} else if (out->format == OUT_CSV) {
		if (column->type != OUT_BAR) {
			csv_comma(out);
			fprintf(out->file, "%.10g", value);
		}
	} else if (column->type == OUT_SHARE) {
		keep_cell(out, strdup(units_share(value, text)), 0);
	} else if (column->type == OUT_TIME && !out->cycles) {
		keep_cell(out, strdup(units_ns(value, text)), 0);
	} else if (column->type == OUT_NUMBER || column->type == OUT_TEXT ||
		   column->type == OUT_ID) {
		snprintf(text, sizeof(text), "%.10g", value);
		keep_cell(out, strdup(text), 0);
	} else {
		keep_cell(out, strdup(units_real(value, text)), value);
	}
	end_cell(out);
}
