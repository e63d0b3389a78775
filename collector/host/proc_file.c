// SPDX-License-Identifier: GPL-2.0-only
/* proc_file.c - a small file of /proc or /sys as text */
#include "collector/host/proc_file.h"

#include <errno.h>
#include <stdio.h>

ssize_t proc_file_read(const char *path, char *data, size_t bytes)
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
