// SPDX-License-Identifier: GPL-2.0-only
/*
 * clean.c - text from elsewhere, made safe to show; see clean.h
 */
#include "base/clean.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

uint32_t clean_code(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t bytes = (size_t)utf8_length(s);
	uint32_t code = bytes <= 1 ? s[0] : s[0] & (0x7f >> bytes);

	for (size_t i = 1; i < bytes; i++)
		code = code << 6 | (s[i] & 0x3f);
	return code;
}

/* Characters that do something, or can't be seen. */
static bool is_active(uint32_t code)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0x00, 0x1f},	    /* C0 */
		{0x7f, 0x9f},	    /* DEL, C1 */
		{0x061c, 0x061c},   /* Arabic letter mark */
		{0x200b, 0x200f},   /* zero width, left-to-right and right-to-left marks */
		{0x2028, 0x202e},   /* line and paragraph separators, embeddings, overrides */
		{0x2060, 0x206f},   /* word joiner, isolates */
		{0xfeff, 0xfeff},   /* byte order mark */
		{0xfff9, 0xfffb},   /* interlinear annotations */
		{0xe0000, 0xe007f}, /* tags */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

size_t clean_next(const char *text, bool *is_safe)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t bytes = (size_t)utf8_length(s);

	*is_safe = bytes && !is_active(clean_code(text));
	return bytes ? bytes : 1;
}

char *clean_text(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		bool is_safe;
		size_t bytes = clean_next(from, &is_safe);

		if (is_safe) {
			memmove(to, from, bytes);
			to += bytes;
		} else {
			*to++ = '?';
		}
		from += bytes;
	}

	*to = '\0';
	return text;
}
