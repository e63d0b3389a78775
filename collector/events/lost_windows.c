// SPDX-License-Identifier: GPL-2.0-only
/* lost_windows.c - a sorted list of windows per CPU */
#include "collector/events/lost_windows.h"

#include <errno.h>
#include <stdlib.h>

int lost_windows_add(struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	struct lost_window *more = reallocarray(lost->window, lost->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	lost->window = more;
	more[lost->count++] = (struct lost_window){.from = from, .to = to, .cpu = cpu};
	return 0;
}

bool lost_windows_hit(const struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	for (size_t i = lost->count; i-- > 0;) {
		const struct lost_window *w = &lost->window[i];

		if (w->cpu != cpu)
			continue;
		if (w->to <= from)
			return false;
		if (w->from < to)
			return true;
	}
	return false;
}

void lost_windows_free(struct lost_windows *lost)
{
	free(lost->window);
	lost->window = NULL;
	lost->count = 0;
}
