/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - records made of tracepoints: kvm_exit and the kvm_entry after it
 *
 * For hosts whose KVM has no exit ring, and for recordings of other tools. What
 * such a record lacks: the parts of its time, flags, MSR numbers and CPUID leaves.
 * vCPUs are told apart by thread and vCPU id; a VM is what one process runs.
 *
 * Pairing starts anew where events were lost. How many exits were lost is known
 * only as half of the lost events; they count as dropped.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TRACE_H

#include <stdbool.h>

#include "collector/events/trace_instance.h"
#include "collector/source/source.h"

/*
 * Where events come from. The functions get @self.
 * @fill: hands over events; *@horizon: nothing older comes any more; *@end: nothing
 *	comes at all. 0 or -errno with words in @fault.
 * @stop: no more events are wanted; may be NULL
 * @lost: events lost so far, over all
 * @tgid: the process of a thread, 0: unknown
 */
struct trace_feed {
	void *self;
	int (*fill)(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		    struct fault *fault);
	void (*stop)(void *self);
	uint64_t (*lost)(void *self);
	uint32_t (*tgid)(void *self, uint32_t tid);
	void (*close)(void *self);
};

/*
 * Takes @feed over, whatever it returns. @name: table run, column source. @info:
 * what is known of the run; tsc_khz 1000000 where times are ns.
 */
int source_trace_open(const struct trace_feed *feed, const char *name, const struct run_info *info,
		      struct source **source, struct fault *fault);

/* kvm_exit and kvm_entry of this kernel; @buffer_kb as in trace_instance_open(). */
int source_tracefs_open(size_t buffer_kb, struct source **source, struct fault *fault);

/* A file of perf record or perf kvm stat record. Times are ns of perf's clock. */
int source_perf_data_open(const char *path, struct source **source, struct fault *fault);

/* A file of trace-cmd record. Times are ns (clock local, or x86-tsc, which
 * trace-cmd converts).
 */
int source_trace_dat_open(const char *path, struct source **source, struct fault *fault);

enum import_kind { IMPORT_PERF_DATA, IMPORT_TRACE_DAT, IMPORT_TEXT };

/* Which of them a file is, by what it begins with. */
int import_kind(const char *path, enum import_kind *kind, struct fault *fault);

#endif
