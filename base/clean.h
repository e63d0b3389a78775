/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clean.h - text from elsewhere, made safe to show
 *
 * Labels, commands and names come from databases that anybody may have made. A terminal obeys
 * control characters (C0, DEL and C1, ECMA-48) in them; bidi controls and line separators
 * (UAX #9, UAX #14) let a line read differently from what it says.
 */
#ifndef EXITSCOPE_BASE_CLEAN_H
#define EXITSCOPE_BASE_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the next character of @text.
 * Returns its bytes, at least 1; *@is_safe: it is UTF-8 and does nothing but appear.
 */
size_t clean_next(const char *text, bool *is_safe);

/* The Unicode number of the next character of @text, which is UTF-8. */
uint32_t clean_code(const char *text);

/* Replaces each character of @text that is not safe by one '?', in place. Returns @text. */
char *clean_text(char *text);

#endif
