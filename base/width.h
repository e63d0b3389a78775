/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * width.h - how much room a text takes on a terminal
 *
 * A character has 0, 1 or 2 columns there, as wcwidth(3) says: combining marks have none, most of
 * those of Chinese, Japanese and Korean, and emoji, have two.
 */
#ifndef EXITSCOPE_BASE_WIDTH_H
#define EXITSCOPE_BASE_WIDTH_H

#include <stddef.h>

/* Columns of @text; what is not UTF-8 or has no width counts one a byte. */
int width_of(const char *text);

/*
 * How many bytes of @text, whole characters, fit into @columns; marks that combine with the last
 * one are with it.
 */
size_t width_fit(const char *text, int columns);

/* Where the last characters of @text begin that fit into @columns, in bytes; never at a mark. */
size_t width_tail(const char *text, int columns);

#endif
