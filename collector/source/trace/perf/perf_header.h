/* SPDX-License-Identifier: GPL-2.0-only */
/* perf_header.h - what stands around the records of a perf.data file; for perf_file.c */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_HEADER_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_HEADER_H

#include "collector/source/trace/cursor.h"
#include "collector/source/trace/perf/perf_file.h"

/* Read the headers of a mapped file: where the records are, its events, its features. */
int perf_header_read(struct perf_file *file, struct fault *fault);

/* Add an event that @cursor begins with, @bytes long, and its ids up to the cursor's end. */
int perf_header_add_attr(struct perf_file *file, struct cursor attr, struct cursor ids);

/* All events are known: sort the ids. */
void perf_header_end(struct perf_file *file);

/* Read section "tracing data": the formats of the tracepoints. -EBADMSG, -ENOTSUP. */
int perf_header_add_formats(struct perf_file *file, struct cursor section);

/* Read feature section number @bit. A damaged one is left out. */
void perf_header_add_feature(struct perf_file *file, unsigned int bit, struct cursor section);

#endif
