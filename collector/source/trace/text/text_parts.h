/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_parts.h - events that stand in a text again, as the same buffer was printed twice
 *
 * HOW IT WORKS
 * A buffer is printed in order of time, CPU by CPU or merged. Where the time of a CPU falls,
 *another part of the text begins (`cat trace >> log` a second time, `cat a a`). An event that an
 *earlier part has too, with the same time, thread and words, is the same event again:
 *
 *	1 exit  2 entry  3 exit | 2 entry  3 exit  4 entry		4 events, 2 of them twice
 *
 * Within a part two lines may be the same: two short exits within one us.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_PARTS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "collector/source/trace/text/text_line.h"

/* The part that a CPU is in. All 0: before its first event */
struct text_part {
	uint64_t last_ts;
	uint32_t number;
};

/*
 * All 0: of no text
 * @has_parts: some CPU has more than one part
 * @again: events that are there in an earlier part; known when all of them were collected
 */
struct text_parts {
	bool has_parts;
	uint64_t again;
	struct text_parts_event *event;
	uint32_t count;
	struct hash hash;
};

/* The CPU's next event: which part it is in. */
void text_parts_follow(struct text_parts *parts, struct text_part *part,
		       const struct text_line *line);

/* Remember in which part an event comes first. @instance: it is of. -ENOMEM. */
int text_parts_collect(struct text_parts *parts, const struct text_part *part, size_t instance,
		       const struct text_line *line);

/* Whether an earlier part has the event. */
bool text_parts_have(const struct text_parts *parts, const struct text_part *part, size_t instance,
		     const struct text_line *line);

void text_parts_free(struct text_parts *parts);

#endif
