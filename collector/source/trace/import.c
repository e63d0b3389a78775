// SPDX-License-Identifier: GPL-2.0-only
/* import.c - which kind of recording a file is */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/source/trace/trace.h"

int import_kind(const char *path, enum import_kind *kind, struct fault *fault)
{
	static const char perf_magic[] = "PERFILE2";
	static const char trace_magic[] = "\x17\x08\x44tracing";
	char begin[sizeof(trace_magic)] = "";
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	errno = 0;
	n = fread(begin, 1, sizeof(begin) - 1, file);
	fclose(file);
	if (!n)
		return fault_set(fault, errno ? -errno : -EPROTO, "%s: %s", path,
				 errno ? strerror(errno) : "is empty");
	*kind = IMPORT_TEXT;
	if (!strncmp(begin, perf_magic, sizeof(perf_magic) - 1))
		*kind = IMPORT_PERF_DATA;
	else if (!strcmp(begin, trace_magic))
		*kind = IMPORT_TRACE_DAT;
	return 0;
}
