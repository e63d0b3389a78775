/* SPDX-License-Identifier: GPL-2.0-only */
/* dat_options.h - the options of a trace.dat file that both versions have; for dat_header.c */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_OPTIONS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_OPTIONS_H

#include "collector/source/trace/cursor.h"
#include "collector/source/trace/dat/dat_file.h"

/* trace-cmd.dat.v7(5), "Options, supported by the trace file version 7" */
enum {
	DAT_OPTION_DONE = 0,
	DAT_OPTION_DATE = 1,
	DAT_OPTION_CPUSTAT = 2,
	DAT_OPTION_BUFFER = 3,
	DAT_OPTION_TRACECLOCK = 4,
	DAT_OPTION_UNAME = 5,
	DAT_OPTION_OFFSET = 7,
	DAT_OPTION_CPUCOUNT = 8,
	DAT_OPTION_TSC2NSEC = 14,
	DAT_OPTION_HEADER_INFO = 16,
	DAT_OPTION_EVENT_FORMATS = 18,
	DAT_OPTION_CMDLINES = 21,
	DAT_OPTION_BUFFER_TEXT = 22
};

/* Take an option that is the same in both versions; others are left out. */
int dat_option_take(struct dat_file *file, unsigned int option, struct cursor data);

/*
 * dat_option_clock - the clock in @text, a copy of ftrace's file trace_clock:
 *	"local global [mono] x86-tsc" is mono
 *
 * Return false if there is none.
 */
bool dat_option_clock(const char *text, size_t bytes, char *clock, size_t clock_bytes);

/* The buffer of that name, made if need be; NULL: no memory. */
struct dat_buffer *dat_option_buffer(struct dat_file *file, const char *name);

#endif
