/* SPDX-License-Identifier: GPL-2.0-only */
/* internal.h - what xcheck.c gathers and store.c writes */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_INTERNAL_H
#define EXITSCOPE_COLLECTOR_XCHECK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/events/trace_instance.h"
#include "collector/xcheck/kvmstat.h"
#include "collector/xcheck/match.h"
#include "collector/xcheck/perf.h"

#define XCHECK_NOTES 16

/* Bounds of a perf counter: events traced while it surely ran, and while it may
 * have run.
 */
struct perf_bound {
	uint64_t low;
	uint64_t high;
};

/* A VM of the recording; @vcpu: the first of its vCPUs. */
struct xcheck_vm {
	uint64_t vm_id;
	uint32_t tgid;
	int vcpu;
	struct kvmstat *stat; /* NULL: not to be had, or read already */
	struct kvmstat_result result;
	bool read;
};

/*
 * @perf_on, @perf_off: TSC before and after the counters were switched; [1] of
 *		@perf_off is UINT64_MAX as long as they run
 * @round_tsc:	when the present round of reading began
 */
struct xcheck {
	struct trace_instance *trace;
	struct match *match;
	struct xcheck_perf *perf;
	bool has_kvmstat;
	struct xcheck_vm *vms;
	size_t vm_count;
	int vcpu_count;
	uint64_t round_tsc;
	uint64_t perf_on[2];
	uint64_t perf_off[2];
	struct perf_bound exit_bound;
	struct perf_bound entry_bound;
	uint64_t perf_exits;
	uint64_t perf_entries;
	bool perf_read;
	uint64_t trace_lost;
	char notes[XCHECK_NOTES][160];
	size_t note_count;
};

#endif
