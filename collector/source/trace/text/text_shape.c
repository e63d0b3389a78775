// SPDX-License-Identifier: GPL-2.0-only
/* text_shape.c - the last field of a line; see text_shape.h */
#include "collector/source/trace/text/text_shape.h"

#include <stdio.h>
#include <string.h>

static bool is_field(const char *word, size_t length)
{
	const char *others = "abcdefghijklmnopqrstuvwxyz0123456789_";

	return *word >= 'a' && *word <= 'z' && strspn(word, others) >= length;
}

struct text_shape text_shape_of(const char *text)
{
	struct text_shape shape = {.words = 0};
	size_t length;

	for (text += strspn(text, " "); *text; text += length + strspn(text + length, " ")) {
		length = strcspn(text, " ");
		shape.words++;
		if (!is_field(text, length))
			continue;
		snprintf(shape.field, sizeof(shape.field), "%.*s", (int)length, text);
		shape.words = 0;
	}
	return shape;
}

bool text_shape_is_cut(const struct text_shape *shape, const struct text_shape *like)
{
	return (*like->field || like->words) &&
	       (strcmp(shape->field, like->field) != 0 || shape->words < like->words);
}

bool text_shape_is_begun(const char *text, bool has_time)
{
	const char *colon = strrchr(text, ':');

	if (has_time && colon)
		return text_shape_of(colon + 1).words <= 1 && !strchr(colon + 1, '=');
	return *text != '#' && strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789");
}
