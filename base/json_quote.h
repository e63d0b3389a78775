/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json_quote.h - a text as JSON has it (RFC 8259, section 7)
 */
#ifndef EXITSCOPE_BASE_JSON_QUOTE_H
#define EXITSCOPE_BASE_JSON_QUOTE_H

#include <stdio.h>

/*
 * Writes @text with JSON's quotes and escapes. What is not safe to show (clean.h) is escaped;
 * bytes that are not UTF-8 become U+FFFD. Errors are those of @file.
 */
void json_quote(FILE *file, const char *text);

#endif
