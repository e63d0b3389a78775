/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lines.h - the lines of a text of unknown origin, in bounded memory
 *
 * A line ends with LF, CR LF or, as old systems and some terminals have it, CR alone.
 */
#ifndef EXITSCOPE_BASE_LINES_H
#define EXITSCOPE_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* isspace() of the C locale, and the zeros that a crash leaves in a file. */
static inline bool line_is_blank(int c)
{
	return c <= ' ' && (c == ' ' || (c >= '\t' && c <= '\r') || !c);
}

/*
 * line_read - the next line without its end
 * @left: how many bytes may be read; those that were are taken off
 * @text: gets it; what is longer than @bytes - 1 is left out. Its blanks are all ' '.
 *
 * After CR LF an empty line follows. Return false at the end, or where reading failed
 * (ferror()).
 */
static inline bool line_read(FILE *file, uint64_t *left, char *text, size_t bytes)
{
	uint64_t limit = *left;
	size_t length = 0;
	int c = EOF;

	while (limit && (c = getc_unlocked(file)) != EOF) {
		limit--;
		if (c == '\n' || c == '\r')
			break;
		if (length < bytes - 1)
			text[length++] = line_is_blank(c) ? ' ' : (char)c;
	}
	text[length] = '\0';
	*left = limit;
	return c != EOF || length;
}

#endif
