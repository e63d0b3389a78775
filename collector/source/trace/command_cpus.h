/* SPDX-License-Identifier: GPL-2.0-only */
/* command_cpus.h - which CPUs a command line of perf record chose */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_COMMAND_CPUS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_COMMAND_CPUS_H

#include <stdint.h>

/* Why an exit has no duration where some CPUs were not recorded, and what to do about it. */
#define CPUS_MISSING_BYTES 64
#define CPUS_MISSING_WAY                                                                           \
	"perf record -a: a vCPU that went to another CPU and came back seems to be in one long exit"

/* @count of @all CPUs, of which @first is one, were recorded: in words, at @words. */
const char *cpus_missing(uint32_t count, uint32_t first, uint32_t all,
			 char words[CPUS_MISSING_BYTES]);

/* How many CPUs -C names in @command, and the first of them; 0: it records all, or threads. */
uint32_t command_cpus(const char *command, uint32_t *first);

#endif
