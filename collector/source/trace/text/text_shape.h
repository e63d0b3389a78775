/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_shape.h - whether the last line of a text is whole, by the lines before it
 *
 * A text that ends without an end of line was cut off, or copied without it. Lines of one event
 * have the same fields, so what was cut off has fewer words after its last field, or another last
 * field. A line that was cut within its last word can't be told from a whole one.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_SHAPE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* @field: the last word of small letters, digits and '_'; @words: after it. All 0: of no line */
struct text_shape {
	char field[16];
	size_t words;
};

struct text_shape text_shape_of(const char *text);

/*
 * Whether a last line that is not an event of KVM may be the beginning of one. A comment is not,
 * nor a line of blanks and marks; one with a time is unless the name of an event follows.
 */
bool text_shape_is_begun(const char *text, bool has_time);

/* Whether a line of shape @shape was cut off, if whole ones are like @like. */
bool text_shape_is_cut(const struct text_shape *shape, const struct text_shape *like);

#endif
