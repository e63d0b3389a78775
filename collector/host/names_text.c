// SPDX-License-Identifier: GPL-2.0-only
/* names_text.c - text of other processes: read from /proc, and made safe; see names_text.h */
#include "collector/host/names_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"

ssize_t names_read_file(const char *path, char *data, size_t bytes)
{
	FILE *file = fopen(path, "re");
	size_t n;

	*data = '\0';
	if (!file)
		return -errno;

	n = fread(data, 1, bytes - 1, file);
	fclose(file);
	data[n] = '\0';
	return (ssize_t)n;
}

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
