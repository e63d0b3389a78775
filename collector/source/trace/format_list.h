/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * format_list.h - the formats of tracepoints, as perf.data and trace.dat both have them
 *
 * trace-cmd made the layout, and perf took it for its section "tracing data". A list that ends
 * too early sets the cursor's @bad.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_FORMAT_LIST_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_FORMAT_LIST_H

#include "collector/events/kvm_event.h"
#include "collector/source/trace/cursor.h"

/* Pass over ftrace's own events: their number, size and text of each. */
void format_list_skip_ftrace(struct cursor *c);

/* The systems: their number, of each its name and its events. Those of kvm are taken. */
void format_list_read(struct cursor *c, struct kvm_event_formats *formats);

#endif
