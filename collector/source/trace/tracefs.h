/* SPDX-License-Identifier: GPL-2.0-only */
/* tracefs.h - the tracepoints of this kernel, live */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACEFS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACEFS_H

#include <stddef.h>

#include "collector/source/source.h"

/*
 * kvm_exit and kvm_entry; @buffer_kb as in trace_instance_open(). 0, or -errno with words in
 * @fault.
 */
int source_tracefs_open(size_t buffer_kb, struct source **source, struct fault *fault);

#endif
