// SPDX-License-Identifier: GPL-2.0-only
/* import.c - which kind of recording a file is */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/trace/source_trace.h"

int source_import_open(const char *path, struct source **source, struct fault *fault)
{
	static const char trace_magic[] = "\x17\x08\x44tracing";
	char begin[sizeof(trace_magic) - 1] = "";
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	errno = 0;
	n = fread(begin, 1, sizeof(begin), file);
	fclose(file);
	if (n >= 8 && !memcmp(begin, "PERFILE2", 8))
		return source_perf_data_open(path, source, fault);
	if (n == sizeof(begin) && !memcmp(begin, trace_magic, sizeof(begin)))
		return source_trace_dat_open(path, source, fault);
	return fault_set(fault, -EPROTO, "%s: neither a perf.data nor a trace.dat file", path);
}
