// SPDX-License-Identifier: GPL-2.0-only
/*
 * width.c - how much room a text takes on a terminal; see width.h
 */
#include "base/width.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#include "base/clean.h"
#include "base/utf8.h"

/* Columns of the character at @text, which has *bytes. */
static int next_width(const char *text, size_t *bytes)
{
	static locale_t unicode;
	locale_t before;
	int columns;

	*bytes = (size_t)utf8_length((const unsigned char *)text);
	if (*bytes <= 1) {
		*bytes = 1;
		return 1;
	}

	/* The program's own locale is "C", which knows ASCII alone. */
	if (!unicode)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!unicode)
		return 1;
	before = uselocale(unicode);
	columns = wcwidth((wchar_t)clean_code(text));
	uselocale(before);
	return columns < 0 ? 1 : columns;
}

int width_of(const char *text)
{
	size_t bytes;
	int columns = 0;

	for (; *text; text += bytes)
		columns += next_width(text, &bytes);
	return columns;
}

size_t width_fit(const char *text, int columns)
{
	size_t at = 0, bytes;

	while (text[at]) {
		columns -= next_width(text + at, &bytes);
		if (columns < 0)
			break;
		at += bytes;
	}
	return at;
}

size_t width_tail(const char *text, int columns)
{
	int excess = width_of(text) - columns;
	size_t at = 0, bytes;

	while (text[at]) {
		int width = next_width(text + at, &bytes);

		/* A mark belongs to the character before it. */
		if (excess <= 0 && width > 0)
			break;
		excess -= width;
		at += bytes;
	}
	return at;
}
