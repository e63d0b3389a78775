/* SPDX-License-Identifier: GPL-2.0-only */
/* command_filter.h - which events a command line of perf record filters */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_COMMAND_FILTER_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_COMMAND_FILTER_H

#include <stdbool.h>

/* For the user, if kvm_exit has a filter and no kvm_entry shows what it left out. */
#define COMMAND_FILTER_NOTE                                                                        \
	"kvm_exit was recorded with --filter: the exits that it left out are missing, and how many is not known (kvm_entry without a filter shows them)"

/* Whether --filter follows the -e that has the tracepoint of KVM called @name. */
bool command_filters(const char *command, const char *name);

#endif
