/* SPDX-License-Identifier: GPL-2.0-only */
/* filter.h - which exits the kernel records at all; totals count the others as filtered */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_FILTER_H
#define EXITSCOPE_COLLECTOR_SOURCE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"

#define SOURCE_FILTER_REASONS 32

/*
 * struct source_filter - what the user asks for; all 0: every exit
 * @min_ns:	exits of at least that long
 * @one_in:	each n-th of those that pass the rest; 0 and 1: all
 * @reasons:	basic reasons (VMX) or exit codes (SVM), @reason_count of them; 0: all
 */
struct source_filter {
	int64_t min_ns;
	uint32_t one_in;
	uint32_t reasons[SOURCE_FILTER_REASONS];
	uint32_t reason_count;
};

/* Whether it leaves anything out. */
bool source_filter_is_on(const struct source_filter *filter);

/* As the kernel takes it: struct kvm_exit_ring_attach. All 0: every reason. */
void source_filter_mask(const struct source_filter *filter, uint32_t isa,
			__u64 mask[KVM_EXIT_TOTAL_SLOTS / 64]);

/* min_ns in TSC cycles. */
uint64_t source_filter_cycles(const struct source_filter *filter, uint32_t tsc_khz);

/* Adds the reasons of a list such as "30,0x400" to @filter. -EINVAL, -E2BIG. */
int source_filter_parse(struct source_filter *filter, const char *list);

#endif
