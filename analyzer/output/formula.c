// SPDX-License-Identifier: GPL-2.0-only
/*
 * formula.c - which texts a spreadsheet would run; see formula.h
 *
 * Excel, LibreOffice Calc and Google Sheets run a cell that begins with = + - or @, those of East
 * Asia also with their wide forms. Blanks, quotes and what can't be seen may be taken away before
 * that, by an option of the import or by a program in between. Where a semicolon is the separator,
 * as in most of Europe, "label;=1+1" has a cell that begins with =, with or without quotes around.
 */
#include "analyzer/output/formula.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/clean.h"
#include "base/utf8.h"

#define SEPARATORS ";|" /* and TAB, which no cell has */

struct range {
	uint32_t first;
	uint32_t last;
};

static const struct range passed_over[] = {
	{0x01, 0x20},	    /* C0, space */
	{'"', '"'},	    /* quotes */
	{'\'', '\''},	    /* the apostrophe that marks a text */
	{'`', '`'},	    /* grave accent */
	{0x7f, 0xa0},	    /* DEL, C1, no-break space */
	{0xad, 0xad},	    /* soft hyphen */
	{0x034f, 0x034f},   /* combining grapheme joiner */
	{0x061c, 0x061c},   /* Arabic letter mark */
	{0x115f, 0x1160},   /* Hangul fillers */
	{0x1680, 0x1680},   /* Ogham space */
	{0x17b4, 0x17b5},   /* Khmer vowels that are not shown */
	{0x180b, 0x180f},   /* Mongolian variation selectors */
	{0x2000, 0x200f},   /* spaces of all widths, also zero; marks of direction */
	{0x2018, 0x201f},   /* typographic quotes */
	{0x2028, 0x202f},   /* separators, embeddings, narrow no-break space */
	{0x205f, 0x206f},   /* mathematical space, word joiner, isolates */
	{0x2800, 0x2800},   /* Braille blank */
	{0x3000, 0x3000},   /* ideographic space */
	{0x3164, 0x3164},   /* Hangul filler */
	{0xfe00, 0xfe0f},   /* variation selectors */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xff02, 0xff02},   /* wide quote */
	{0xff07, 0xff07},   /* wide apostrophe */
	{0xffa0, 0xffa0},   /* half-width Hangul filler */
	{0xe0000, 0xe0fff}, /* tags, more variation selectors */
};

static const struct range begins[] = {
	{'=', '='},	  {'+', '+'}, {'-', '-'}, {'@', '@'}, {0x2212, 0x2212}, /* minus sign */
	{0xfe62, 0xfe63}, /* small plus, hyphen-minus */
	{0xfe66, 0xfe66}, /* small equals sign */
	{0xfe6b, 0xfe6b}, /* small at */
	{0xff0b, 0xff0b}, /* wide plus */
	{0xff0d, 0xff0d}, /* wide hyphen-minus */
	{0xff1d, 0xff1d}, /* wide equals sign */
	{0xff20, 0xff20}, /* wide at */
};

static bool is_in(const struct range *range, size_t ranges, uint32_t code)
{
	for (size_t i = 0; i < ranges; i++)
		if (code >= range[i].first && code <= range[i].last)
			return true;
	return false;
}

/* A byte that is no UTF-8 is passed over too: a program in between may drop it. */
static bool is_passed_over(const char *text, size_t *bytes)
{
	*bytes = (size_t)utf8_length((const unsigned char *)text);
	if (!*bytes) {
		*bytes = 1;
		return true;
	}
	return is_in(passed_over, sizeof(passed_over) / sizeof(*passed_over), clean_code(text));
}

static bool is_number(const char *text)
{
	if (!strchr("+-", *text))
		return false;
	text += 1 + strspn(text + 1, "0123456789., %");
	return !*text || formula_ends_cell(*text);
}

bool formula_begins(const char *text)
{
	size_t bytes;

	while (*text && is_passed_over(text, &bytes))
		text += bytes;
	return *text && is_in(begins, sizeof(begins) / sizeof(*begins), clean_code(text)) &&
	       !is_number(text);
}

/* Excel takes its separator from a first line "sep=;", and a file that begins with ID for SYLK. */
bool formula_is_other_format(const char *text)
{
	return !strncasecmp(text, "sep=", 4) || !strncmp(text, "ID;", 3);
}

bool formula_ends_cell(char character)
{
	return character && strchr(SEPARATORS, character);
}
