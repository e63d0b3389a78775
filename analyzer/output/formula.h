/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * formula.h - which texts a spreadsheet would run
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_FORMULA_H
#define EXITSCOPE_ANALYZER_OUTPUT_FORMULA_H

#include <stdbool.h>

/*
 * Whether a spreadsheet takes a cell that begins with @text for a formula, in any locale and with
 * any of its options. Numbers ("-20 %") are not formulas.
 */
bool formula_begins(const char *text);

/* Whether a file that begins with @text is something else than CSV to a spreadsheet. */
bool formula_is_other_format(const char *text);

/* Whether some spreadsheet ends a cell at this character, in addition to the comma. */
bool formula_ends_cell(char character);

#endif
