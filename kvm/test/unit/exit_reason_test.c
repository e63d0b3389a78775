// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_reason_test.c - slots stay inside the totals for every number; the defined
 * reasons are those of the manuals
 */
#include "kvm/ring/exit_reason.h"
#include "kvm/test/common/check.h"

static void test_basic_reason(void)
{
	CHECK(kvm_exit_basic(KVM_EXIT_ISA_VMX, 0x80000021) == 33);
	CHECK(kvm_exit_basic(KVM_EXIT_ISA_VMX, 0xffffffff) == 0xffff);
	CHECK(kvm_exit_basic(KVM_EXIT_ISA_SVM, 0x40010403) == 0x40010403);
}

/* Any reason that hardware or a guest gives has a slot. */
static void test_every_number_has_a_slot(void)
{
	for (unsigned int basic = 0; basic <= 0xffff; basic++) {
		unsigned int slot = kvm_exit_slot_vmx(basic);

		CHECK(slot < KVM_EXIT_TOTAL_SLOTS);
		CHECK(slot == (basic < 128 ? basic : KVM_EXIT_TOTAL_OTHER));
		CHECK(kvm_exit_slot_svm(basic) < KVM_EXIT_TOTAL_SLOTS);
	}
	CHECK(kvm_exit_slot_svm(0xdf) == 0xdf);
	CHECK(kvm_exit_slot_svm(0xe0) == KVM_EXIT_TOTAL_OTHER);
	CHECK(kvm_exit_slot_svm(0x3ff) == KVM_EXIT_TOTAL_OTHER);
	CHECK(kvm_exit_slot_svm(0x400) == 0xe0);
	CHECK(kvm_exit_slot_svm(0x40f) == 0xef);
	CHECK(kvm_exit_slot_svm(0x410) == KVM_EXIT_TOTAL_OTHER);
	CHECK(kvm_exit_slot_svm(0xffffffff) == KVM_EXIT_TOTAL_OTHER);
}

/* No two defined reasons share a slot, and none is in the slot of the rest. */
static void test_defined_ones_have_their_own(void)
{
	unsigned char vmx[KVM_EXIT_TOTAL_SLOTS] = {0}, svm[KVM_EXIT_TOTAL_SLOTS] = {0};
	unsigned int vmx_defined = 0, svm_defined = 0;

	for (unsigned int n = 0; n <= 0xffff; n++) {
		if (kvm_exit_defined_vmx(n)) {
			vmx_defined++;
			CHECK(!vmx[kvm_exit_slot_vmx(n)]++);
		}
		if (kvm_exit_defined_svm(n)) {
			svm_defined++;
			CHECK(!svm[kvm_exit_slot_svm(n)]++);
		}
	}
	CHECK(vmx_defined == 79 && !vmx[KVM_EXIT_TOTAL_OTHER]);
	CHECK(svm_defined == 0xa7 + 4 && !svm[KVM_EXIT_TOTAL_OTHER]);
}

static void test_holes(void)
{
	static const unsigned int holes[] = {35, 38, 42,  70,  71,     82,
					     83, 86, 127, 128, 0xffff, 0x80000021};
	static const unsigned int defined[] = {0,  1,  10, 33, 34, 36, 48, 62,
					       63, 67, 69, 72, 75, 81, 84, 85};

	for (unsigned int i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
		CHECK(!kvm_exit_defined_vmx(holes[i]));
	for (unsigned int i = 0; i < sizeof(defined) / sizeof(defined[0]); i++)
		CHECK(kvm_exit_defined_vmx(defined[i]));
	CHECK(!kvm_exit_defined_svm(0xa7) && !kvm_exit_defined_svm(0x404));
	CHECK(kvm_exit_defined_svm(0x403) && kvm_exit_defined_svm(0));
	CHECK(!kvm_exit_defined_svm(0xffffffff));
}

int main(void)
{
	test_basic_reason();
	test_every_number_has_a_slot();
	test_defined_ones_have_their_own();
	test_holes();
	return 0;
}
