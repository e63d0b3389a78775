// SPDX-License-Identifier: GPL-2.0-only
/*
 * html.c - write HTML; see html.h
 */
#include "analyzer/report/html.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/clean.h"

#define LONG_NAME      32	  /* bytes; longer names of VMs are broken into lines */
#define NO_BREAK_SPACE "\xc2\xa0" /* U+00A0 */

void html_put(struct html *h, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(h->file, format, ap);
	va_end(ap);
}

void html_note(struct html *h, const char *format, ...)
{
	va_list ap;

	html_put(h, "<p class=\"note\">");
	va_start(ap, format);
	vfprintf(h->file, format, ap);
	va_end(ap);
	html_put(h, "</p>\n");
}

/* Whether @text goes on with a unit after a number's space. */
static bool is_unit(const char *text)
{
	static const char *const unit[] = {"%", "ns", "us", "µs", "ms", "s", "min", "h", "cycles"};

	for (size_t i = 0; i < sizeof(unit) / sizeof(*unit); i++) {
		size_t length = strlen(unit[i]);

		if (!strncmp(text, unit[i], length) && !isalnum((unsigned char)text[length]))
			return true;
	}
	return false;
}

void html_text(struct html *h, const char *text)
{
	const unsigned char *s = (const unsigned char *)(text ? text : "");
	bool was_digit = false;

	while (*s) {
		static const char special[] = "&<>\"'";
		static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
		const char *at = strchr(special, *s);
		bool is_safe;
		size_t length = clean_next((const char *)s, &is_safe);

		if (h->is_prose && *s == ' ' && was_digit && is_unit((const char *)s + 1))
			fputs(NO_BREAK_SPACE, h->file);
		else if (at)
			fputs(entity[at - special], h->file);
		else if (!is_safe && *s != '\n' && *s != '\t')
			fputs("&#xfffd;", h->file);
		else
			fwrite(s, 1, length, h->file);
		was_digit = isdigit(*s);
		s += length;
	}
}

const char *html_duration(const struct html *h, double cycles, char text[UNITS_TEXT])
{
	char plain[UNITS_TEXT];
	char *us;

	if (h->cycles) {
		snprintf(text, UNITS_TEXT, "%.24s", units_count((int64_t)(cycles + 0.5), plain));
		return text;
	}
	units_ns(cycles * 1e6 / (double)h->tsc_khz, plain);
	us = strstr(plain, "us");
	if (us)
		snprintf(text, UNITS_TEXT, "%.*sµs", (int)(us - plain), plain);
	else
		strcpy(text, plain);
	return text;
}

void html_put_duration(struct html *h, double cycles)
{
	char text[UNITS_TEXT];

	html_text(h, html_duration(h, cycles, text));
	if (h->cycles)
		html_put(h, "%scycles", h->is_prose ? NO_BREAK_SPACE : " ");
}

void html_put_count(struct html *h, uint64_t n)
{
	char text[UNITS_TEXT];

	html_put(h, "%s", units_count((int64_t)n, text));
}

void html_put_share(struct html *h, double share)
{
	char text[UNITS_TEXT];

	html_text(h, units_share(share, text));
}

void html_section(struct html *h, const char *id, const char *title)
{
	html_put(h, "<section id=\"%s\">\n<h2>", id);
	html_text(h, title);
	html_put(h, "</h2>\n");
}

void html_section_end(struct html *h)
{
	html_put(h, "</section>\n");
}

void html_table(struct html *h, const char *label, const char *titles)
{
	html_put(h, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(h, label);
	html_put(h, "\"><table>\n<thead><tr>");
	while (*titles) {
		size_t length = strcspn(titles, "|");
		char title[64];

		snprintf(title, sizeof(title), "%.*s", (int)length, titles);
		html_put(h, "<th scope=\"col\"%s>",
			 *title == '#'	 ? " class=\"num\""
			 : *title == '>' ? " class=\"bars\""
					 : "");
		html_text(h, title + (*title == '#' || *title == '>'));
		html_put(h, "</th>");
		titles += length + (titles[length] == '|');
	}
	html_put(h, "</tr></thead>\n<tbody>\n");
}

void html_table_end(struct html *h)
{
	html_put(h, "</tbody></table></div>\n");
}

void html_row(struct html *h)
{
	html_put(h, "<tr>");
}

void html_row_end(struct html *h)
{
	html_put(h, "</tr>\n");
}

void html_cell_name(struct html *h, const char *text)
{
	html_put(h, "<th scope=\"row\"%s>", strlen(text) > LONG_NAME ? " class=\"long\"" : "");
	html_text(h, text);
	html_put(h, "</th>");
}

void html_cell_text(struct html *h, const char *text)
{
	html_put(h, "<td>");
	html_text(h, text);
	html_put(h, "</td>");
}

void html_cell_count(struct html *h, uint64_t n)
{
	html_put(h, "<td class=\"num\">");
	html_put_count(h, n);
	html_put(h, "</td>");
}

void html_cell_real(struct html *h, double value)
{
	char text[UNITS_TEXT];

	html_put(h, "<td class=\"num\">%s</td>", units_real(value, text));
}

void html_cell_share(struct html *h, double share)
{
	html_put(h, "<td class=\"num\">");
	html_put_share(h, share);
	html_put(h, "</td>");
}

void html_cell_duration(struct html *h, double cycles)
{
	char text[UNITS_TEXT];

	html_put(h, "<td class=\"num\">%s</td>", html_duration(h, cycles, text));
}

void html_cell_none(struct html *h)
{
	html_put(h, "<td class=\"num none\">–</td>");
}

void html_bar(struct html *h, const char *label, const struct html_piece *piece, int pieces)
{
	html_put(h, "<div class=\"bar\" role=\"img\" aria-label=\"");
	html_text(h, label);
	html_put(h, "\" title=\"");
	html_text(h, label);
	html_put(h, "\">");
	for (int i = 0; i < pieces; i++)
		if (piece[i].share > 0)
			html_put(h, "<i class=\"%s\" style=\"width:%.2f%%\"></i>", piece[i].class,
				 100 * piece[i].share);
	html_put(h, "</div>");
}
