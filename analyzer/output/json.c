// SPDX-License-Identifier: GPL-2.0-only
/*
 * json.c - write JSON; see json.h
 */
#include "analyzer/output/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/clean.h"
#include "base/utf8.h"

/* A character as JSON escapes it: in UTF-16. */
static void put_escaped(FILE *file, uint32_t code)
{
	if (code >= 0x10000)
		fprintf(file, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
			0xdc00 + ((code - 0x10000) & 0x3ff));
	else
		fprintf(file, "\\u%04x", code);
}

/* What is not safe to show is escaped, so that a terminal does not obey it and nothing is lost. */
void json_quote(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', file);
	while (*s) {
		bool is_safe;
		size_t n = clean_next((const char *)s, &is_safe);

		if (!utf8_length(s))
			fputs("\\ufffd", file);
		else if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (!is_safe)
			put_escaped(file, clean_code((const char *)s));
		else
			fwrite(s, 1, n, file);
		s += n;
	}
	putc('"', file);
}

/* Whether what stands in the open object or array has lines of its own. */
static bool in_lines(const struct json *j)
{
	return !j->flat || j->depth <= j->flat;
}

static void new_line(struct json *j)
{
	putc('\n', j->file);
	for (int i = 0; i < j->depth; i++)
		fputs("  ", j->file);
}

/* The comma and line break before a member, and its name. */
static void member(struct json *j, const char *name)
{
	if (j->filled)
		putc(',', j->file);
	if (j->depth && in_lines(j))
		new_line(j);
	else if (j->filled)
		putc(' ', j->file);
	if (name) {
		json_quote(j->file, name);
		fputs(": ", j->file);
	}
	j->filled = true;
}

void json_open(struct json *j, const char *name, char bracket)
{
	member(j, name);
	putc(bracket, j->file);
	j->depth++;
	j->filled = false;
}

void json_close(struct json *j, char bracket)
{
	bool lines = in_lines(j);

	j->depth--;
	if (j->filled && lines)
		new_line(j);
	putc(bracket == '{' ? '}' : ']', j->file);
	j->filled = true;
	if (!j->depth)
		putc('\n', j->file);
}

void json_text(struct json *j, const char *name, const char *text)
{
	member(j, name);
	if (text)
		json_quote(j->file, text);
	else
		fputs("null", j->file);
}

void json_int(struct json *j, const char *name, int64_t value)
{
	member(j, name);
	fprintf(j->file, "%" PRId64, value);
}

void json_real(struct json *j, const char *name, double value)
{
	member(j, name);
	if (isfinite(value))
		fprintf(j->file, "%.10g", value);
	else
		fputs("null", j->file);
}

void json_bool(struct json *j, const char *name, bool value)
{
	member(j, name);
	fputs(value ? "true" : "false", j->file);
}

void json_null(struct json *j, const char *name)
{
	json_text(j, name, NULL);
}
