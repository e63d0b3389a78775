// SPDX-License-Identifier: GPL-2.0-only
/*
 * json.c - write JSON; see json.h
 */
#include "analyzer/output/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/json_quote.h"

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
