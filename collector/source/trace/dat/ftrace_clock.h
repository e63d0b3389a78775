/* SPDX-License-Identifier: GPL-2.0-only */
/* ftrace_clock.h - what ftrace's clocks count */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_FTRACE_CLOCK_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_FTRACE_CLOCK_H

/* CLOCK_COUNTS: ticks of 10 ms, or just the order of events */
enum clock_kind { CLOCK_NS, CLOCK_TSC, CLOCK_COUNTS };

/* By the name in ftrace's file trace_clock; "": ftrace's default, local. */
enum clock_kind clock_kind(const char *name);

#endif
