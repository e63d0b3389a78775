// SPDX-License-Identifier: GPL-2.0-only
/* ftrace_clock.c - the clocks of kernel/trace/trace.c, trace_clocks[] */
#include "collector/source/trace/dat/ftrace_clock.h"

#include <stddef.h>
#include <string.h>

enum clock_kind clock_kind(const char *name)
{
	static const char *const ns[] = {"",	 "local",    "global", "perf",
					 "mono", "mono_raw", "boot",   "tai"};

	for (size_t i = 0; i < sizeof(ns) / sizeof(*ns); i++) {
		if (!strcmp(name, ns[i]))
			return CLOCK_NS;
	}
	return strcmp(name, "x86-tsc") ? CLOCK_COUNTS : CLOCK_TSC;
}
