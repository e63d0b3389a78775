/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_file.h - files that the user names: read whole, and line by line
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_TEXT_FILE_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_TEXT_FILE_H

#include "analyzer/query/app.h"

/**
 * text_file_read - read a file into memory
 * @path: may be a pipe
 * @most: bytes; a larger file is refused
 * @text: set to its text with a NUL after it, for free(); NULL if it fails
 * @bytes: its length without that
 *
 * Return: 0, or -1 with app->error.
 */
int text_file_read(struct app *app, const char *path, size_t most, char **text, size_t *bytes);

/**
 * text_file_next - cut the next line off a text
 * @text: moved to the line after it
 *
 * Return: the line without its end and the blanks at both ends; NULL: no more.
 */
char *text_file_next(char **text);

/**
 * text_file_hex - read a number of hexadecimal digits
 * @text: begins with it, "0x" may be before it; moved to what follows
 *
 * Return: whether there is one of up to 64 bits.
 */
bool text_file_hex(char **text, uint64_t *value);

#endif
