/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * html.h - write HTML: escaping, numbers with units, tables and bars
 *
 * What is written is HTML 5 that an XML parser reads too. Nothing here fails: what could not be
 * written shows in ferror(h->file) at the end. Text from a database goes through html_text() or
 * "%s" of nothing else.
 */
#ifndef EXITSCOPE_ANALYZER_REPORT_HTML_H
#define EXITSCOPE_ANALYZER_REPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/units.h"

/*
 * struct html - a document being written
 * @cycles: show durations in TSC cycles instead of time
 * @is_prose: in a sentence: texts keep a number and its unit on one line
 * @tsc_khz: TSC frequency in kHz, not 0
 */
struct html {
	FILE *file;
	bool cycles;
	bool is_prose;
	int64_t tsc_khz;
};

/* Markup, as it is. The format's arguments must need no escaping. */
__attribute__((format(printf, 2, 3))) void html_put(struct html *h, const char *format, ...);

/* A paragraph of small print; like html_put(). */
__attribute__((format(printf, 2, 3))) void html_note(struct html *h, const char *format, ...);

/* Text with & < > " ' escaped; control characters and what is not UTF-8 become U+FFFD. NULL: "". */
void html_text(struct html *h, const char *text);

/* A duration for people: "12.3 µs", or "24,600 cycles". Returns @text. */
const char *html_duration(const struct html *h, double cycles, char text[UNITS_TEXT]);

/* The same as html_duration(), written. */
void html_put_duration(struct html *h, double cycles);

/* An integer as 1,234. */
void html_put_count(struct html *h, uint64_t n);

/* 0 to 1 as "12.3 %". */
void html_put_share(struct html *h, double share);

/* Begin and end <section id=...> with its heading. @id needs no escaping. */
void html_section(struct html *h, const char *id, const char *title);
void html_section_end(struct html *h);

/*
 * A table with its header cells. @titles: separated by '|'; a title that begins
 * with '#' heads a column of numbers (aligned right), one with '>' is a bar's.
 * Wide tables scroll in their own box, @label names it.
 */
void html_table(struct html *h, const char *label, const char *titles);
void html_table_end(struct html *h);

/* Cells of a row, between html_row() and html_row_end(). A name heads its row. */
void html_row(struct html *h);
void html_row_end(struct html *h);
void html_cell_name(struct html *h, const char *text);
void html_cell_text(struct html *h, const char *text);
void html_cell_count(struct html *h, uint64_t n);
void html_cell_real(struct html *h, double value);
void html_cell_share(struct html *h, double share);
void html_cell_duration(struct html *h, double cycles);
void html_cell_none(struct html *h);

/* One piece of a stacked bar: @class gives its colour. */
struct html_piece {
	const char *class;
	double share; /* of the whole bar, 0 to 1 */
};

/* A bar of pieces side by side; @label says the same in words. */
void html_bar(struct html *h, const char *label, const struct html_piece *piece, int pieces);

#endif
