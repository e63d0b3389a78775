// SPDX-License-Identifier: GPL-2.0-only
/* filter.c - from what the user asks for to what the kernel takes */
#include "collector/source/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/ring/exit_reason.h"

bool source_filter_is_on(const struct source_filter *filter)
{
	return filter->min_ns || filter->one_in > 1 || filter->reason_count;
}

void source_filter_mask(const struct source_filter *filter, uint32_t isa,
			__u64 mask[KVM_EXIT_TOTAL_SLOTS / 64])
{
	memset(mask, 0, KVM_EXIT_TOTAL_SLOTS / 8);
	for (uint32_t i = 0; i < filter->reason_count; i++) {
		uint32_t reason = filter->reasons[i];
		unsigned int slot = isa == KVM_EXIT_ISA_SVM ? kvm_exit_slot_svm(reason)
							    : kvm_exit_slot_vmx(reason & 0xffff);

		mask[slot / 64] |= 1ULL << slot % 64;
	}
}

uint64_t source_filter_cycles(const struct source_filter *filter, uint32_t tsc_khz)
{
	return (uint64_t)((double)filter->min_ns * tsc_khz / 1e6 + 0.5);
}

int source_filter_parse(struct source_filter *filter, const char *list)
{
	for (;;) {
		char *end;
		unsigned long reason = strtoul(list, &end, 0);

		if (!isdigit((unsigned char)*list) || reason > UINT32_MAX || (*end && *end != ','))
			return -EINVAL;
		if (filter->reason_count == SOURCE_FILTER_REASONS)
			return -E2BIG;
		filter->reasons[filter->reason_count++] = (uint32_t)reason;
		if (!*end)
			return 0;
		list = end + 1;
	}
}
