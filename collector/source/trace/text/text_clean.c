// SPDX-License-Identifier: GPL-2.0-only
/* text_clean.c - what terminals and web pages add to a text; see text_clean.h */
#include "collector/source/trace/text/text_clean.h"

#include <stddef.h>
#include <string.h>

#define ESCAPE '\033'
#define BELL   '\a'

static size_t count_between(const char *text, char first, char last)
{
	size_t count = 0;

	while (text[count] >= first && text[count] <= last)
		count++;
	return count;
}

/* "ESC [", parameters, intermediate bytes and a last byte. 0: it is another text. */
static size_t control_length(const char *text)
{
	size_t length = 2;

	if (text[1] != '[')
		return 0;
	length += count_between(text + length, '0', '?');
	length += count_between(text + length, ' ', '/');
	return text[length] >= '@' && text[length] <= '~' ? length + 1 : 0;
}

/* "ESC ] ... BEL" or "ESC ] ... ESC \\": a title or a link. 0: it is another text. */
static size_t command_length(const char *text)
{
	const char ends[] = {BELL, ESCAPE, '\0'};
	size_t length = 2;

	if (text[1] != ']')
		return 0;
	length += strcspn(text + length, ends);
	if (text[length] == BELL)
		return length + 1;
	return text[length] == ESCAPE && text[length + 1] == '\\' ? length + 2 : 0;
}

/* What a control sequence takes, at least the escape itself. */
static size_t sequence_length(const char *text)
{
	size_t length = control_length(text);

	if (!length)
		length = command_length(text);
	return length ? length : 1;
}

void text_clean(char *text)
{
	static const char odd[] = {ESCAPE, '\xc2', '\0'};
	char *to;

	text += strcspn(text, odd);
	for (to = text; *text;) {
		if (*text == ESCAPE) {
			text += sequence_length(text);
		} else if (!strncmp(text, "\xc2\xa0", 2)) {
			*to++ = ' ';
			text += 2;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}
