/* SPDX-License-Identifier: GPL-2.0-only */
/* trace_dat.h - events from a file of trace-cmd record */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_TRACE_DAT_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_TRACE_DAT_H

#include <stdint.h>

#include "collector/source/source.h"

/* @tsc_khz: as in source_import_open(). 0, or -errno with words in @fault. */
int source_trace_dat_open(const char *path, uint32_t tsc_khz, struct source **source,
			  struct fault *fault);

#endif
