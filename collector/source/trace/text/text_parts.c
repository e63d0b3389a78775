// SPDX-License-Identifier: GPL-2.0-only
/* text_parts.c - finds events that were printed again; see text_parts.h */
#include "collector/source/trace/text/text_parts.h"

#include <errno.h>

#include "base/array.h"

/* As many as can be sorted (survey.c): a text with more is refused. */
#define EVENTS_MOST (UINT32_C(1) << 23)

/* @print: of time, thread, CPU, instance and words; two events with the same one are taken as one
 */
struct text_parts_event {
	uint64_t print;
	uint32_t part;
};

static uint64_t print_of(const struct text_line *line, size_t instance)
{
	uint64_t print = hash_mix(text_line_print(line), line->event.ts);

	print = hash_mix(print, (uint64_t)line->event.tid << 32 | line->event.cpu);
	return hash_mix(print, instance);
}

static bool has_print(const void *items, uint32_t i, const void *key)
{
	return ((const struct text_parts_event *)items)[i].print == *(const uint64_t *)key;
}

static uint32_t *find_place(const struct text_parts *parts, uint64_t print)
{
	return hash_place(&parts->hash, print, has_print, parts->event, &print);
}

void text_parts_follow(struct text_parts *parts, struct text_part *part,
		       const struct text_line *line)
{
	if (line->event.ts < part->last_ts) {
		part->number++;
		parts->has_parts = true;
	}
	part->last_ts = line->event.ts;
}

static int add(struct text_parts *parts, const struct text_parts_event *event)
{
	struct text_parts_event *more = array_reserve(parts->event, parts->count, 1, sizeof(*more));
	int rc;

	if (!more)
		return -ENOMEM;
	parts->event = more;
	rc = hash_make_room(&parts->hash, parts->count);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; rc && i < parts->count; i++)
		*find_place(parts, more[i].print) = i + 1;

	more[parts->count] = *event;
	*find_place(parts, event->print) = parts->count + 1;
	parts->count++;
	return 0;
}

int text_parts_collect(struct text_parts *parts, const struct text_part *part, size_t instance,
		       const struct text_line *line)
{
	struct text_parts_event event = {print_of(line, instance), part->number};
	uint32_t found = parts->count ? *find_place(parts, event.print) : 0;

	if (found) {
		parts->again += parts->event[found - 1].part < part->number;
		return 0;
	}
	return parts->count < EVENTS_MOST ? add(parts, &event) : 0;
}

bool text_parts_have(const struct text_parts *parts, const struct text_part *part, size_t instance,
		     const struct text_line *line)
{
	uint32_t found;

	if (!parts->count || !part->number)
		return false;
	found = *find_place(parts, print_of(line, instance));
	return found && parts->event[found - 1].part < part->number;
}

void text_parts_free(struct text_parts *parts)
{
	free(parts->event);
	hash_free(&parts->hash);
	*parts = (struct text_parts){.has_parts = parts->has_parts};
}
