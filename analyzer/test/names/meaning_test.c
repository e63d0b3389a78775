// SPDX-License-Identifier: GPL-2.0-only
/* meaning_test.c - names of sub-keys, and numbers that have none */
#include "analyzer/query/guest/meaning.h"

#include <stdio.h>
#include <string.h>

#include "kvm/test/common/check.h"

#define VMX 1
#define SVM 2

static int is_called(int isa, int64_t reason, int64_t key, int64_t aux, const char *wanted)
{
	char text[64];
	const char *name = meaning_of_key(isa, reason, key, aux, text, sizeof(text));

	if (!wanted || !name)
		return !wanted && !name;
	if (!strcmp(name, wanted))
		return 1;
	fprintf(stderr, "'%s', not '%s'\n", name, wanted);
	return 0;
}

static void test_msrs(void)
{
	CHECK(is_called(VMX, 32, 0x6e0, 1, "IA32_TSC_DEADLINE"));
	CHECK(is_called(VMX, 31, 0x10, 0, "IA32_TSC"));
	CHECK(is_called(VMX, 32, 0x830, 1, "X2APIC_ICR"));
	CHECK(is_called(VMX, 85, 0x830, 1, "X2APIC_ICR"));
	CHECK(is_called(VMX, 32, 0x4b564d03, 1, "KVM_STEAL_TIME"));
	CHECK(is_called(SVM, 0x7c, 0xc0000080, 1, "EFER"));
	CHECK(is_called(VMX, 32, 0xfffffff0, 1, NULL));
	CHECK(is_called(VMX, 32, INT64_MIN, 1, NULL));
	CHECK(is_called(VMX, 32, INT64_MAX, 1, NULL));
}

/* Whole ranges, and what lies just outside. */
static void test_ranges(void)
{
	CHECK(is_called(VMX, 30, 0x70, 1, "RTC index") &&
	      is_called(VMX, 30, 0x71, 0x11, "RTC data"));
	CHECK(is_called(VMX, 30, 0x72, 1, NULL));
	CHECK(is_called(SVM, 0x7b, 0x3f8, 1, "serial port COM1"));
	CHECK(is_called(VMX, 30, 0x3ff, 1, "serial port COM1") &&
	      is_called(VMX, 30, 0x400, 1, NULL));
	CHECK(is_called(VMX, 0, 14, 0, "#PF page fault") && is_called(VMX, 0, 15, 0, NULL));
	CHECK(is_called(VMX, 10, 0, 0, "vendor, highest leaf"));
	CHECK(is_called(VMX, 10, 0x4fffffff, 0, "exitscope: exits"));
	CHECK(is_called(VMX, 18, 10, 0, "KVM_HC_SEND_IPI"));
	CHECK(is_called(VMX, 18, 29, 0, "Xen sched_op") &&
	      is_called(SVM, 0x81, 32, 0, "Xen event_channel_op"));
	CHECK(is_called(VMX, 18, 0xfffff80012345678, 0,
			"not KVM's or Xen's (Hyper-V's are in RCX)"));
	CHECK(!strcmp(meaning_of_guest_vector(0xfd), "reschedule") &&
	      !strcmp(meaning_of_guest_vector(14), "#PF page fault") &&
	      !meaning_of_guest_vector(0x30));
	CHECK(is_called(VMX, 49, 0xfee00fff, 0, "local APIC") &&
	      is_called(VMX, 49, 0xfee01000, 0, NULL));
	CHECK(is_called(VMX, 28, 3, 0, "page table, PCID") && is_called(VMX, 28, 99, 0, NULL));
	CHECK(is_called(VMX, 28, -1, 0, NULL));
}

/* A number means something in its own reason and architecture alone. */
static void test_kinds(void)
{
	CHECK(is_called(VMX, 12, 0x70, 0, NULL));
	CHECK(is_called(SVM, 30, 0x70, 0, NULL));
	CHECK(is_called(VMX, 1, 0xec, 0, "host: local timer") && is_called(VMX, 1, 14, 0, NULL));
}

int main(void)
{
	test_msrs();
	test_ranges();
	test_kinds();
	return 0;
}
