// SPDX-License-Identifier: GPL-2.0-only
/* names_text.c - text of other processes, made safe; see names_text.h */
#include "collector/host/names_text.h"

#include <string.h>

#include "base/clean.h"

void names_clean(char *to, size_t bytes, const char *text)
{
	size_t used = 0;

	while (*text) {
		bool is_safe;
		size_t length = clean_next(text, &is_safe);
		size_t written = is_safe ? length : 1;

		if (used + written >= bytes)
			break;
		memcpy(to + used, is_safe ? text : "?", written);
		used += written;
		text += length;
	}
	to[used] = '\0';
}
