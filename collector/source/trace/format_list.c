// SPDX-License-Identifier: GPL-2.0-only
/* format_list.c - the formats of tracepoints in files; see format_list.h */
#include "collector/source/trace/format_list.h"

#include <string.h>

void format_list_skip_ftrace(struct cursor *c)
{
	uint32_t count = cursor_u32(c);

	for (uint32_t i = 0; i < count && !c->bad; i++)
		cursor_take(c, cursor_u64(c));
}

/* One system's events: its name, their number, size and text of each. */
static void read_system(struct cursor *c, struct kvm_event_formats *formats)
{
	const char *system = cursor_text(c);
	uint32_t count = cursor_u32(c);

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		uint64_t size = cursor_u64(c);
		const char *text = cursor_take(c, size);

		if (text && !strcmp(system, "kvm"))
			kvm_event_formats_add(formats, text, size);
	}
}

void format_list_read(struct cursor *c, struct kvm_event_formats *formats)
{
	uint32_t count = cursor_u32(c);

	for (uint32_t i = 0; i < count && !c->bad; i++)
		read_system(c, formats);
}
