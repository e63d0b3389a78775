/* SPDX-License-Identifier: GPL-2.0-only */
/* text_clean.h - what terminals and web pages add to a text */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_CLEAN_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_CLEAN_H

/*
 * text_clean - remove control sequences of terminals (ECMA-48: colours of any kind, titles, links)
 *	from a line, and make no-break spaces of UTF-8 blanks
 */
void text_clean(char *text);

#endif
