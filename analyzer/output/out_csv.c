// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_csv.c - results as CSV (RFC 4180): the rows alone, notes go to standard error
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/output/formula.h"
#include "analyzer/output/out_writer.h"
#include "base/clean.h"

char *out_csv_field(const char *text)
{
	bool is_quoted = strpbrk(text, ",\"\r\n");
	char *field = malloc(2 * strlen(text) + 4), *at = field;
	bool is_risky = formula_begins(text) || formula_is_other_format(text);

	if (!field)
		return NULL;

	if (is_quoted)
		*at++ = '"';

	while (*text) {
		bool is_safe;
		size_t bytes = clean_next(text, &is_safe);

		/* An apostrophe makes a formula a text again. */
		if (is_risky)
			*at++ = '\'';
		is_risky = formula_ends_cell(*text) && formula_begins(text + 1);

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
	field = n < 0 ? NULL : out_csv_field(text);
	if (n >= 0)
		free(text);
	if (!field) {
		out->failed = true;
		return;
	}

	out_append(out, &out->tail_names, ",");
	out_append(out, &out->tail_names, name);
	out_append(out, &out->tail, ",");
	out_append(out, &out->tail, field);
	free(field);
}

static void write_text(struct out *out, const char *text)
{
	char *field = out_csv_field(text);

	if (field)
		fputs(field, out->file);
	else
		out->failed = true;
	free(field);
}

/* What is not finite is a word, and "-inf" a formula. */
static void write_real(struct out *out, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.10g", value);
	if (isfinite(value))
		fputs(text, out->file);
	else
		write_text(out, text);
}

static void write_comma(struct out *out)
{
	if (out->comma)
		putc(',', out->file);
	out->comma = true;
}

/* The titles; a time's has its unit. */
static void begin_table(struct out *out, const char *name)
{
	(void)name;
	if (out->failed || out->error)
		return;

	for (int i = 0; i < out->columns; i++) {
		if (!out_is_in_file(out, i))
			continue;
		write_comma(out);
		write_text(out, out->column[i].name);
		if (out_is_cycles(&out->column[i]))
			fputs(out->cycles ? "_cycles" : "_ns", out->file);
		if (out->column[i].type == OUT_VM)
			fputs(",vm_name", out->file);
	}
	fprintf(out->file, "%s\n", out->tail_names ? out->tail_names : "");
	out->comma = false;
}

static void write_cell(struct out *out, const struct out_value *value)
{
	if (!out_is_in_file(out, out->at))
		return;

	write_comma(out);
	switch (value->type) {
	case VALUE_TEXT:
		write_text(out, value->text);
		break;

	case VALUE_INT:
	case VALUE_TIME:
		fprintf(out->file, "%" PRId64, value->integer);
		break;

	case VALUE_REAL:
		write_real(out, value->real);
		break;

	case VALUE_VM:
		fprintf(out->file, "%" PRId64 ",", value->integer);
		write_text(out, value->text ? value->text : "");
		break;

	case VALUE_NONE:
		if (out->column[out->at].type == OUT_VM)
			putc(',', out->file);
		break;

	case VALUE_SPLIT:
		break;
	}
}

static void end_row(struct out *out)
{
	if (out->error)
		return;
	fprintf(out->file, "%s\n", out->tail ? out->tail : "");
	out->comma = false;
}

static void end(struct out *out)
{
	for (int i = 0; i < out->notes; i++)
		fprintf(stderr, "%s\n", out->note[i]);
}

const struct out_writer out_csv_writer = {
	.table = begin_table,
	.cell = write_cell,
	.row_end = end_row,
	.end = end,
};
