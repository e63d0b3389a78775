// SPDX-License-Identifier: GPL-2.0-only
/* filter_test.c - reasons and times as the kernel takes them */
#include "collector/source/filter.h"

#include <errno.h>

#include "kvm/test/common/check.h"

int main(void)
{
	struct source_filter filter = {0};
	__u64 mask[4];

	CHECK(!source_filter_is_on(&filter));
	source_filter_mask(&filter, KVM_EXIT_ISA_VMX, mask);
	CHECK(!mask[0] && !mask[1] && !mask[2] && !mask[3]);

	CHECK(!source_filter_parse(&filter, "30,0x400,128"));
	CHECK(source_filter_is_on(&filter) && filter.reason_count == 3);
	source_filter_mask(&filter, KVM_EXIT_ISA_VMX, mask);
	CHECK(mask[0] == 1ULL << 30 && !mask[1] && !mask[2] && mask[3] == 1ULL << 63);
	source_filter_mask(&filter, KVM_EXIT_ISA_SVM, mask);
	CHECK(mask[0] == 1ULL << 30 && !mask[1] && mask[2] == 1 && mask[3] == 1ULL << 32);

	CHECK(source_filter_parse(&filter, "") == -EINVAL);
	CHECK(source_filter_parse(&filter, "-1") == -EINVAL);
	CHECK(source_filter_parse(&filter, "1,") == -EINVAL);
	CHECK(source_filter_parse(&filter, "1;2") == -EINVAL);
	CHECK(source_filter_parse(&filter, "0x100000000") == -EINVAL);
	for (uint32_t n = filter.reason_count; n < SOURCE_FILTER_REASONS; n++)
		CHECK(!source_filter_parse(&filter, "1"));
	CHECK(source_filter_parse(&filter, "1") == -E2BIG);

	filter.min_ns = 1000;
	CHECK(source_filter_cycles(&filter, 2500000) == 2500);
	return 0;
}
