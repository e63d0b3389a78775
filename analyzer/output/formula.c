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

#define SEPARATORS ";|" /* and TAB, which no cell has */

struct range {
	uint32_t first;
	uint32_t last;
};

/* In addition to what clean_next() calls not safe. */
static const struct range passed_over[] = {
	{' ', ' '},	    /* space */
	{'"', '"'},	    /* quotes */
	{'\'', '\''},	    /* the apostrophe that marks a text */
	{'`', '`'},	    /* grave accent */
	{0xa0, 0xa0},	    /* no-break space */
	{0xad, 0xad},	    /* soft hyphen */
	{0x034f, 0x034f},   /* combining grapheme joiner */
	{0x115f, 0x1160},   /* Hangul fillers */
	{0x1680, 0x1680},   /* Ogham space */
	{0x17b4, 0x17b5},   /* Khmer vowels that are not shown */
	{0x180b, 0x180f},   /* Mongolian variation selectors */
	{0x2000, 0x200a},   /* spaces of all widths */
	{0x2018, 0x201f},   /* typographic quotes */
	{0x202f, 0x202f},   /* narrow no-break space */
	{0x205f, 0x205f},   /* mathematical space */
	{0x2800, 0x2800},   /* Braille blank */
	{0x3000, 0x3000},   /* ideographic space */
	{0x3164, 0x3164},   /* Hangul filler */
	{0xfe00, 0xfe0f},   /* variation selectors */
	{0xff02, 0xff02},   /* wide quote */
	{0xff07, 0xff07},   /* wide apostrophe */
	{0xffa0, 0xffa0},   /* half-width Hangul filler */
	{0xe0080, 0xe0fff}, /* variation selectors, unassigned */
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

/* What is not safe, also a byte that is no UTF-8, may be dropped by a program in between. */
static bool is_passed_over(const char *text, size_t *bytes)
{
	bool is_safe;

	*bytes = clean_next(text, &is_safe);
	return !is_safe ||
	       is_in(passed_over, sizeof(passed_over) / sizeof(*passed_over), clean_code(text));
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
