// SPDX-License-Identifier: GPL-2.0-only
/*
 * out.c - what a command found, brought to the units in which it is shown; see out.h
 *
 * out_text.c, out_csv.c and out_json.c write it (out_writer.h).
 */
#include "analyzer/output/out.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analyzer/output/out_writer.h"
#include "analyzer/query/near.h"
#include "analyzer/query/vms.h"
#include "base/array.h"
#include "base/clean.h"
#include "base/output.h"
#include "base/width.h"

#define SPLIT_WIDTH   10
#define LETTERS_WIDTH 30
#define LINE_WIDTH    80
#define LEAST_ROOM    20 /* columns for a text after its head */

static int terminal_width(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

void out_begin_file(struct out *out, FILE *file, const struct out_style *style, int64_t tsc_khz)
{
	static const struct out_writer *const writers[] = {
		[OUT_TABLE] = &out_text_writer,
		[OUT_CSV] = &out_csv_writer,
		[OUT_JSON] = &out_json_writer,
	};

	*out = (struct out){
		.file = file,
		.format = style->format,
		.writer = writers[style->format],
		.choice = style->columns,
		.cycles = style->cycles,
		.tsc_khz = tsc_khz,
		.json = {.file = file},
	};
	if (out->writer->begin)
		out->writer->begin(out);
}

void out_begin(struct out *out, const struct out_style *style, int64_t tsc_khz)
{
	out_begin_file(out, stdout, style, tsc_khz);
	out->width = terminal_width(stdout);
}

static void release(struct out *out)
{
	for (int i = 0; i < out->notes; i++)
		free(out->note[i]);
	free(out->note);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i].text);
	free(out->cell);
	free(out->chosen);
	free(out->words);
	free(out->tail);
	free(out->tail_names);
	free(out->error);
	for (size_t i = 0; i < out->example_count; i++)
		free(out->examples[i].text);
	free(out->examples);
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

bool out_may_show(const struct out_style *style, const char *name)
{
	return !style->columns || in_list(style->columns, name);
}

/* Note which words of --columns are columns of the present table. */
static void find_words(struct out *out)
{
	const char *word = out->choice;

	if (!out->words)
		out->words = calloc(OUT_WORDS, sizeof(*out->words));
	if (!out->words) {
		out->failed = true;
		return;
	}

	for (int i = 0; i < OUT_WORDS && word; i++) {
		struct out_word *w = &out->words[i];
		char text[sizeof(w->near)];
		int letters = (int)strcspn(word, ",");

		snprintf(text, sizeof(text), "%.*s", letters, word);
		if (w->distance == 0)
			w->distance = NEAR_NONE;
		for (int c = 0; c < out->columns; c++) {
			const char *near = NULL;

			w->is_found |= in_list(text, out->column[c].name);
			near_best(text, out->column[c].name, &near, &w->distance);
			if (near)
				snprintf(w->near, sizeof(w->near), "%s", near);
		}
		word = strchr(word, ',');
		word += !!word;
	}
}

/* A word of --columns that no table has, as app->error. */
static int check_words(struct app *app, const struct out *out)
{
	const char *word = out->choice;

	for (int i = 0; out->words && i < OUT_WORDS && word; i++) {
		int letters = (int)strcspn(word, ",");
		const char *near = out->words[i].near;

		if (letters && !out->words[i].is_found)
			return app_fail(app, "--columns %.*s: no such column (%s%s%s)", letters,
					word, *near ? "did you mean " : "--format csv names all",
					near, *near ? "?" : "");
		word = strchr(word, ',');
		word += !!word;
	}
	return 0;
}

int out_end(struct out *out, struct app *app, bool failed)
{
	int rc = failed ? -1 : 0;
	int flushed = 0;

	if (!failed && out->error) {
		__fpurge(out->file); /* what stands above the table that was refused */
	} else if (!failed) {
		out->writer->end(out);
		flushed = output_flush(out->file);
	}

	if (!failed && out->error)
		rc = app_fail(app, "%s", out->error);
	else if (!failed && out->failed)
		rc = app_fail(app, "out of memory");
	else if (flushed)
		rc = app_fail(app, "standard output: %s", strerror(-flushed));
	else if (!failed && out->choice)
		rc = check_words(app, out);

	release(out);
	return rc;
}

/* The note is kept until the end; what is said already is not said again. */
static void keep_note(struct out *out, char *text)
{
	char **note = array_reserve(out->note, (size_t)out->notes, 1, sizeof(*note));

	if (!note) {
		free(text);
		out->failed = true;
		return;
	}
	out->note = note;

	for (int i = 0; i < out->notes; i++)
		if (!strcmp(note[i], text)) {
			free(text);
			return;
		}
	note[out->notes++] = text;
}

/* A note about one of two runs, "B: ...". If it is true of the other one as well, it says so. */
static int name_run(struct out *out, char **text)
{
	char *named;

	for (int i = 0; i < out->notes; i++) {
		char *other = out->note[i];

		if (!*other || strncmp(other + 1, ": ", 2) || strcmp(other + 3, *text))
			continue;
		if (asprintf(&named, "%c and %c: %s", *other, out->whose, *text) < 0)
			return -1;
		out->note[i] = named;
		free(other);
		return 1;
	}
	if (asprintf(&named, "%c: %s", out->whose, *text) < 0)
		return -1;
	free(*text);
	*text = named;
	return 0;
}

void out_note(struct out *out, const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		out->failed = true;
		return;
	}
	clean_text(text);
	n = out->whose ? name_run(out, &text) : 0;
	if (!n) {
		keep_note(out, text);
		return;
	}
	out->failed |= n < 0;
	free(text);
}

/* The bytes of @text for a line of @width columns: up to its last blank, or as many as there is
 * room for. */
static size_t line_bytes(const char *text, int width)
{
	size_t room = width_fit(text, width), length = room;

	if (!text[room])
		return room;
	while (length && text[length] != ' ')
		length--;
	return length ? length : room;
}

void out_sentence(struct out *out, const char *text)
{
	do {
		size_t length = out->width ? line_bytes(text, out->width) : strlen(text);

		if (!length) /* a character wider than the terminal */
			length = strlen(text);
		fprintf(out->file, "%.*s\n", (int)length, text);
		text += length;
		text += strspn(text, " ");
	} while (*text);
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
	out_sentence(out, line);
	free(line);
}

void out_append(struct out *out, char **to, const char *text)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s", *to ? *to : "", text) < 0) {
		out->failed = true;
		return;
	}
	free(*to);
	*to = longer;
}

/* Whether a table up to now has a word of --columns. */
static bool has_found_word(const struct out *out)
{
	for (int i = 0; out->words && i < OUT_WORDS; i++)
		if (out->words[i].is_found)
			return true;
	return false;
}

/*
 * Which columns --columns chooses; an error if neither this table nor one before has any of them.
 * A table that has none after one that has some is empty: the total of top-exits has no names.
 */
static void choose(struct out *out)
{
	int found = 0;

	free(out->chosen);
	out->chosen = calloc((size_t)out->columns + 1, sizeof(*out->chosen));
	if (!out->chosen) {
		out->failed = true;
		return;
	}

	if (out->choice)
		find_words(out);
	for (int i = 0; i < out->columns; i++) {
		out->chosen[i] = !out->choice || in_list(out->choice, out->column[i].name);
		found += out->chosen[i];
	}
	if (found || out->error || has_found_word(out))
		return;

	out_append(out, &out->error, "--columns ");
	out_append(out, &out->error, out->choice);
	out_append(out, &out->error, ": none of");
	for (int i = 0; i < out->columns; i++) {
		out_append(out, &out->error, i ? ", " : " ");
		out_append(out, &out->error, out->column[i].name);
	}
}

void out_wrapped(struct out *out, const char *head, const char *text)
{
	size_t indent = strlen(head), room = LINE_WIDTH - indent;
	bool is_narrow = out->width > (int)indent + LEAST_ROOM && out->width < LINE_WIDTH;
	bool is_first = true;

	if (is_narrow)
		room = (size_t)out->width - indent;
	while (*text) {
		size_t length = strlen(text);

		if (length > room) {
			length = room;
			while (length > 1 && text[length] != ' ')
				length--;
			if (length == 1)
				length = strcspn(text, " ");
		}
		out_line(out, "%*s%.*s", (int)indent, is_first ? head : "", (int)length, text);
		text += length;
		text += strspn(text, " ");
		is_first = false;
	}
}

void out_table(struct out *out, const char *name, const struct out_column *column, int columns)
{
	out->column = column;
	out->columns = columns;
	out->at = 0;
	out->cells = 0;
	choose(out);

	if (out->writer->table)
		out->writer->table(out, name);
}

void out_table_end(struct out *out)
{
	if (out->writer->table_end)
		out->writer->table_end(out);
}

static void write_cell(struct out *out, const struct out_value *value)
{
	out->writer->cell(out, value);

	out->at++;
	if (out->at < out->columns)
		return;
	out->at = 0;
	if (out->writer->row_end)
		out->writer->row_end(out);
}

void out_none(struct out *out)
{
	write_cell(out, &(struct out_value){.type = VALUE_NONE});
}

void out_text(struct out *out, const char *text)
{
	write_cell(out, &(struct out_value){.type = text ? VALUE_TEXT : VALUE_NONE, .text = text});
}

void out_int(struct out *out, int64_t value)
{
	write_cell(out, &(struct out_value){.type = VALUE_INT, .integer = value});
}

void out_vm(struct out *out, const struct run *run, int64_t id)
{
	const struct vm_ref *vm = vms_find(run, id);
	struct out_value value = {.type = VALUE_VM, .integer = id};

	if (!vm) {
		out_none(out);
		return;
	}
	value.text = *vm->name ? vm->label : NULL;
	write_cell(out, &value);
}

/* Whether the next cell would be a duration, or a share of time, of a run without any. */
static bool is_unknown(const struct out *out)
{
	static const char *const durations[] = {"time",
						"time_share",
						"busy_share",
						"time_of_vcpu",
						"busy_of_vcpu",
						"halted_of_vcpu",
						"busy_of_vcpu_a",
						"busy_of_vcpu_b",
						"mean",
						"min",
						"p50",
						"p90",
						"p95",
						"p99",
						"p999",
						"max",
						"split",
						"p90_by_p10"};
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
	struct out_value value = {.type = VALUE_TIME, .integer = (int64_t)cycles};

	if (is_unknown(out)) {
		out_none(out);
		return;
	}

	if (!out->cycles)
		value.integer = cycles_to_ns(value.integer, out->tsc_khz);
	write_cell(out, &value);
}

void out_real(struct out *out, double value)
{
	if (is_unknown(out)) {
		out_none(out);
		return;
	}

	if (out->column[out->at].type == OUT_TIME && !out->cycles)
		value = value * 1e6 / (double)out->tsc_khz;
	write_cell(out, &(struct out_value){.type = VALUE_REAL, .real = value});
}

/* A bar of @width letters, at most LETTERS_WIDTH. */
static void write_letters(struct out *out, int width, const char *letters, const double *part,
			  int parts)
{
	char text[LETTERS_WIDTH + 1] = "";
	double all = 0, upto = 0;
	int at = 0;

	for (int i = 0; i < parts; i++)
		all += part[i];

	/* Each letter ends where the sum up to its part does, so that the bar is always full. */
	for (int i = 0; i < parts && all > 0; i++) {
		upto += part[i];
		while (at < width && at < lround(upto / all * width))
			text[at++] = letters[i];
	}
	write_cell(out, &(struct out_value){.type = VALUE_SPLIT, .text = text});
}

void out_letters(struct out *out, const char *letters, const double *part, int parts)
{
	write_letters(out, LETTERS_WIDTH, letters, part, parts);
}

void out_split(struct out *out, const uint64_t part[4])
{
	const double real[4] = {(double)part[0], (double)part[1], (double)part[2], (double)part[3]};

	write_letters(out, SPLIT_WIDTH, "hzup", real, 4);
}
