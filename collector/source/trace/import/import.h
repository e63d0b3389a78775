/* SPDX-License-Identifier: GPL-2.0-only */
/* import.h - which kind of recording a file is, and the source for it */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_IMPORT_IMPORT_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_IMPORT_IMPORT_H

#include <stdint.h>

#include "collector/source/source.h"

enum import_kind {
	IMPORT_PERF_DATA,  /* perf record, perf kvm stat record */
	IMPORT_TRACE_DAT,  /* trace-cmd record */
	IMPORT_TRACE_TEXT, /* ftrace's file trace, trace-cmd report, perf script */
	IMPORT_OTHER
};

/* Which of them a file is, by how it begins. -errno with words in @fault. */
int import_kind(const char *path, enum import_kind *kind, struct fault *fault);

/*
 * source_import_open - read a recording of another tool
 * @kind: not IMPORT_OTHER
 * @tsc_khz: frequency of a TSC that the file's times are cycles of; 0: not given
 *
 * Return 0 or -errno with words in @fault.
 */
int source_import_open(const char *path, enum import_kind kind, uint32_t tsc_khz,
		       struct source **source, struct fault *fault);

#endif
