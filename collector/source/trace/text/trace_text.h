/* SPDX-License-Identifier: GPL-2.0-only */
/* trace_text.h - events from what ftrace, trace-cmd report or perf script printed */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TRACE_TEXT_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TRACE_TEXT_H

#include <stdint.h>

#include "collector/source/source.h"

/* @tsc_khz: as in source_import_open(). 0, or -errno with words in @fault. */
int source_trace_text_open(const char *path, uint32_t tsc_khz, struct source **source,
			   struct fault *fault);

#endif
