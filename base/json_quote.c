// SPDX-License-Identifier: GPL-2.0-only
/*
 * json_quote.c - a text as JSON has it; see json_quote.h
 */
#include "base/json_quote.h"

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
