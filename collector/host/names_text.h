/* SPDX-License-Identifier: GPL-2.0-only */
/* names_text.h - text of other processes, made safe; for names.c alone */
#ifndef EXITSCOPE_COLLECTOR_HOST_NAMES_TEXT_H
#define EXITSCOPE_COLLECTOR_HOST_NAMES_TEXT_H

#include <stddef.h>

/* Copies @text; a character that is not safe to show (base/clean.h) becomes '?'. Never cuts a
 * character in two. */
void names_clean(char *to, size_t bytes, const char *text);

#endif
