/* SPDX-License-Identifier: GPL-2.0-only */
/* perf_data.h - events from a file of perf record or perf kvm stat record */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_DATA_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_DATA_H

#include "collector/source/source.h"

/* Times are always ns. 0, or -errno with words in @fault. */
int source_perf_data_open(const char *path, struct source **source, struct fault *fault);

#endif
