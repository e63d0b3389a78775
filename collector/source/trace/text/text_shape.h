/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_shape.h - whether the last line of a text is whole, by the lines before it
 *
 * A text that ends without an end of line was cut off, or copied without it. Lines of one event
 * have the same fields, so what was cut off has fewer words after its last field, or another last
 * field. Cut within its last word it has the fields of a whole one: then the word is shorter than
 * the others, if these all have one width, and may be the beginning of another number if not.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_SHAPE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * @field: the last word of small letters, digits and '_'; @words: after it; @width: of the last one
 * @name: what the last one is the value of: @field, or of the last word what stands before '='
 */
struct text_shape {
	char field[16];
	char name[16];
	size_t words;
	size_t width;
};

/* Of whole lines of one kind of event: the last one, how many, and their least and most width. */
struct text_shapes {
	struct text_shape like;
	uint64_t lines;
	size_t least;
	size_t most;
};

struct text_shape text_shape_of(const char *text);

void text_shapes_add(struct text_shapes *shapes, const struct text_shape *shape);

/*
 * Whether a last line that is not an event of KVM may be the beginning of one. A comment is not,
 * nor a line of blanks and marks; one with a time is unless the name of an event follows.
 */
bool text_shape_is_begun(const char *text, bool has_time);

/* Whether a line was cut off, by whole ones: before its last word, or surely within it. */
bool text_shape_is_cut(const struct text_shape *shape, const struct text_shapes *whole);

/* Whether a line that is not cut off by that may have lost the end of its last word. */
bool text_shape_may_be_cut(const struct text_shapes *whole);

#endif
