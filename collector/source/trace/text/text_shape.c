// SPDX-License-Identifier: GPL-2.0-only
/* text_shape.c - the last field of a line; see text_shape.h */
#include "collector/source/trace/text/text_shape.h"

#include <stdio.h>
#include <string.h>

/* Fewer lines of one width don't show that all have it. */
#define LINES_MIN 4

static bool is_field(const char *word, size_t length)
{
	const char *others = "abcdefghijklmnopqrstuvwxyz0123456789_";

	/* A hexadecimal number may have letters alone. */
	return *word >= 'a' && *word <= 'z' && strspn(word, others) >= length &&
	       strspn(word, "0123456789abcdef") < length;
}

/* What the last word, at @word, is the value of. */
static void set_name(struct text_shape *shape, const char *word)
{
	size_t length = strcspn(word, "= ");

	if (word[length] == '=')
		snprintf(shape->name, sizeof(shape->name), "%.*s", (int)length, word);
	else
		snprintf(shape->name, sizeof(shape->name), "%s", shape->field);
}

struct text_shape text_shape_of(const char *text)
{
	struct text_shape shape = {.words = 0};
	const char *last = "";
	size_t length;

	for (text += strspn(text, " "); *text; text += length + strspn(text + length, " ")) {
		length = strcspn(text, " ");
		last = text;
		shape.width = length;
		shape.words++;
		if (!is_field(text, length))
			continue;
		snprintf(shape.field, sizeof(shape.field), "%.*s", (int)length, text);
		shape.words = 0;
	}
	set_name(&shape, last);
	return shape;
}

void text_shapes_add(struct text_shapes *shapes, const struct text_shape *shape)
{
	shapes->like = *shape;
	if (!shapes->lines++ || shape->width < shapes->least)
		shapes->least = shape->width;
	if (shape->width > shapes->most)
		shapes->most = shape->width;
}

static bool have_one_width(const struct text_shapes *shapes)
{
	return shapes->lines >= LINES_MIN && shapes->least == shapes->most;
}

bool text_shape_is_cut(const struct text_shape *shape, const struct text_shapes *whole)
{
	const struct text_shape *like = &whole->like;

	if (!whole->lines)
		return false;
	if (strcmp(shape->field, like->field) || shape->words < like->words)
		return true;
	/* The beginning of a vCPU's number is another vCPU's. */
	if (!strncmp(shape->name, "vcpu", 4) && whole->least != whole->most)
		return shape->width < whole->most;
	return have_one_width(whole) && shape->width < whole->least;
}

bool text_shape_may_be_cut(const struct text_shapes *whole)
{
	return !have_one_width(whole);
}

bool text_shape_is_begun(const char *text, bool has_time)
{
	const char *colon = strrchr(text, ':');

	if (has_time && colon)
		return text_shape_of(colon + 1).words <= 1 && !strchr(colon + 1, '=');
	return *text != '#' && strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789");
}
