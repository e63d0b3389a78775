// SPDX-License-Identifier: GPL-2.0-only
/* names_text.c - text of other processes: read from /proc, and made safe; see names_text.h */
#include "collector/host/names_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

ssize_t names_read_file(const char *path, char *data, size_t bytes)
{
	FILE *file = fopen(path, "re");
	size_t n;

	*data = '\0';
	if (!file)
		return -errno;

	n = fread(data, 1, bytes - 1, file);
	fclose(file);
	data[n] = '\0';
	return (ssize_t)n;
}

/* Bytes of the UTF-8 character at @s that may be shown; 0: there is none. */
static size_t safe_length(const unsigned char *s)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	/* Control characters: C0, DEL, C1 (C2 80 to C2 9F). */
	if (s[0] < 0x20 || s[0] == 0x7f || s[0] > 0xf4 || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	/* Line separators and bidi controls: U+2028 to U+202E, U+200E, U+200F, U+2066 to U+2069. */
	if (s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f))
		return 0;
	if (s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae)
		return 0;
	if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
		return 0;
	return length;
}

void names_clean(char *to, size_t bytes, const char *text)
{
	size_t used = 0;

	while (*text) {
		size_t length = safe_length((const unsigned char *)text);

		if (used + (length ? length : 1) >= bytes)
			break;
		if (length)
			memcpy(to + used, text, length);
		else
			to[used] = '?';
		used += length ? length : 1;
		text += length ? length : 1;
	}
	to[used] = '\0';
}
