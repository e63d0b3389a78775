// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmx_caps_test.c - the table of VMX capabilities, and answers out of the MSRs of a
 * CPU like Haswell
 */
#include "kvm/caps/vmx_caps_decode.h"
#include "kvm/test/common/check.h"

#include <string.h>

static void set(struct vmx_caps_cpu *cpu, unsigned int msr, __u64 value)
{
	cpu->value[msr - VMX_CAPS_FIRST_MSR] = value;
	cpu->read |= 1U << (msr - VMX_CAPS_FIRST_MSR);
}

static void unset(struct vmx_caps_cpu *cpu, unsigned int msr)
{
	set(cpu, msr, 0);
	cpu->read &= ~(1U << (msr - VMX_CAPS_FIRST_MSR));
}

/* A CPU like an Intel Core of 2013 with EPT, VPID and VM functions. */
static struct vmx_caps_cpu haswell(void)
{
	struct vmx_caps_cpu cpu = {.read = 0};

	set(&cpu, 0x480, 0x00d8100000000012);
	set(&cpu, 0x481, 0x0000007f00000016);
	set(&cpu, 0x482, 0xfff9fffe0401e172);
	set(&cpu, 0x483, 0x007fffff00036dff);
	set(&cpu, 0x484, 0x0000ffff000011ff);
	set(&cpu, 0x485, 0x00000000300481e5);
	set(&cpu, 0x486, 0x0000000080000021);
	set(&cpu, 0x487, 0x00000000ffffffff);
	set(&cpu, 0x488, 0x0000000000002000);
	set(&cpu, 0x489, 0x00000000001727ff);
	set(&cpu, 0x48a, 0x000000000000002a);
	set(&cpu, 0x48b, 0x00007cff00000000);
	set(&cpu, 0x48c, 0x00000f0106334141);
	set(&cpu, 0x48d, 0x0000007f00000016);
	set(&cpu, 0x48e, 0xfff9fffe04006172);
	set(&cpu, 0x48f, 0x007fffff00036dfb);
	set(&cpu, 0x490, 0x0000ffff000011fb);
	set(&cpu, 0x491, 0x0000000000000001);
	return cpu;
}

static const struct vmx_cap_word *word_of(unsigned int msr)
{
	unsigned int i;

	for (i = 0; i < VMX_CAP_WORDS; i++)
		if (vmx_cap_words[i].msr == msr)
			return &vmx_cap_words[i];
	CHECK(!"no such word");
	return NULL;
}

static void check_settings(const struct vmx_caps_cpu *cpu, unsigned int msr, const char *name,
			   int can_set, int can_clear)
{
	const struct vmx_cap_word *word = word_of(msr);
	unsigned int i;

	for (i = 0; i < word->n_bits; i++) {
		__u64 mask = vmx_cap_mask(&word->bits[i]);

		if (strcmp(word->bits[i].name, name))
			continue;
		CHECK(!!(vmx_cap_may_be_1(cpu, word) & mask) == can_set);
		CHECK(!!(vmx_cap_may_be_0(cpu, word) & mask) == can_clear);
		return;
	}
	CHECK(!"no such control");
}

/* Every MSR has one word, every bit one name, every gate a lower number. */
static void test_table(void)
{
	unsigned int words[VMX_CAPS_MSRS] = {0};
	unsigned int i, j;

	for (i = 0; i < VMX_CAP_WORDS; i++) {
		const struct vmx_cap_word *word = &vmx_cap_words[i];
		__u64 used = 0;

		words[word->msr - VMX_CAPS_FIRST_MSR]++;
		if (word->true_msr)
			words[word->true_msr - VMX_CAPS_FIRST_MSR]++;
		if (word->kind == VMX_CAP_FIXED)
			words[word->msr + 1 - VMX_CAPS_FIRST_MSR]++;
		CHECK(word->gate_msr < word->msr);
		CHECK(!word->gate_msr == !word->gate_mask);
		for (j = 0; j < word->n_bits; j++) {
			__u64 mask = vmx_cap_mask(&word->bits[j]);

			CHECK(word->bits[j].width && word->bits[j].bit + word->bits[j].width <= 64);
			CHECK(word->kind != VMX_CAP_CONTROLS || mask <= 0xffffffff);
			CHECK(!(used & mask));
			used |= mask;
		}
	}
	for (i = 0; i < VMX_CAPS_MSRS; i++)
		CHECK(words[i] == 1 && vmx_cap_msr_names[i]);
}

static void test_true_controls(void)
{
	struct vmx_caps_cpu cpu = haswell();

	CHECK(vmx_cap_word_msr(&cpu, word_of(0x482)) == 0x48e);
	check_settings(&cpu, 0x481, "External-interrupt exiting", 1, 1);
	check_settings(&cpu, 0x481, "Process posted interrupts", 0, 1);
	check_settings(&cpu, 0x482, "CR3-load exiting", 1, 1);
	check_settings(&cpu, 0x483, "Save debug controls", 1, 1);
	check_settings(&cpu, 0x482, "Activate tertiary controls", 0, 1);
	check_settings(&cpu, 0x486, "CR0.PE", 1, 0);
	check_settings(&cpu, 0x488, "CR4.SMEP", 1, 1);
	check_settings(&cpu, 0x488, "CR4.LA57", 0, 1);
	check_settings(&cpu, 0x491, "EPTP switching", 1, 1);

	set(&cpu, 0x480, 0x00d8100000000012 & ~VMX_CAP_TRUE_CTLS);
	CHECK(vmx_cap_word_msr(&cpu, word_of(0x482)) == 0x482);
	check_settings(&cpu, 0x482, "CR3-load exiting", 1, 0);
	check_settings(&cpu, 0x483, "Save debug controls", 1, 0);
}

static void test_absent_is_not_unreadable(void)
{
	struct vmx_caps_cpu cpu = haswell();

	CHECK(!vmx_cap_exists(&cpu, 0x492) && !vmx_cap_exists(&cpu, 0x493));
	CHECK(vmx_cap_exists(&cpu, 0x491) && vmx_cap_word_known(&cpu, word_of(0x491)));
	set(&cpu, 0x482, 0xfffbfffe0401e172); /* tertiary controls, whose MSR was not read */
	CHECK(vmx_cap_exists(&cpu, 0x492) && !vmx_cap_word_known(&cpu, word_of(0x492)));

	/* A CPU without secondary controls has neither their MSR nor that of VM functions. */
	set(&cpu, 0x482, 0x7ff9fffe0401e172);
	unset(&cpu, 0x48b);
	CHECK(!vmx_cap_exists(&cpu, 0x48b) && !vmx_cap_exists(&cpu, 0x491));
	/* Whether there are any is not known: nor what depends on it. */
	unset(&cpu, 0x482);
	CHECK(vmx_cap_exists(&cpu, 0x48b) && vmx_cap_exists(&cpu, 0x491));
	CHECK(!vmx_cap_word_known(&cpu, word_of(0x48b)));
	unset(&cpu, 0x480);
	CHECK(vmx_cap_exists(&cpu, 0x48d));

	unset(&cpu, 0x487);
	CHECK(!vmx_cap_word_known(&cpu, word_of(0x486)));
}

static void test_unknown_bits(void)
{
	struct vmx_caps_cpu cpu = haswell();

	CHECK(!vmx_cap_unknown(&cpu, word_of(0x482)));
	CHECK(!vmx_cap_unknown(&cpu, word_of(0x481)));
	CHECK(!vmx_cap_unknown(&cpu, word_of(0x486)) && !vmx_cap_unknown(&cpu, word_of(0x488)));
	set(&cpu, 0x48d, 0x0000017f00000016);
	CHECK(vmx_cap_unknown(&cpu, word_of(0x481)) == 0x100);
	set(&cpu, 0x48d, 0x0000017f00000116); /* fixed to 1: no choice, nothing to know */
	CHECK(!vmx_cap_unknown(&cpu, word_of(0x481)));
	set(&cpu, 0x491, 0x8000000000000001);
	CHECK(vmx_cap_unknown(&cpu, word_of(0x491)) == 1ULL << 63);
	CHECK(!vmx_cap_unknown(&cpu, word_of(0x48c)));
	set(&cpu, 0x48c, 0x00000f0106334141 | 1ULL << 62);
	CHECK(vmx_cap_unknown(&cpu, word_of(0x48c)) == 1ULL << 62);
}

static void check_reason(const struct vmx_caps_cpu *cpu, unsigned int reason,
			 enum vmx_cap_answer answer, const char *name)
{
	const struct vmx_cap_bit *control;

	CHECK(vmx_cap_reason(cpu, reason, &control) == answer);
	CHECK(!name == !control && (!name || !strcmp(name, control->name)));
}

static void test_reasons(void)
{
	struct vmx_caps_cpu cpu = haswell();

	check_reason(&cpu, 10, VMX_CAP_YES, NULL);
	check_reason(&cpu, 28, VMX_CAP_YES, NULL);
	check_reason(&cpu, 12, VMX_CAP_YES, "HLT exiting");
	check_reason(&cpu, 48, VMX_CAP_YES, "Enable EPT");
	check_reason(&cpu, 58, VMX_CAP_YES, "INVLPG exiting");
	check_reason(&cpu, 62, VMX_CAP_NO, "Enable PML");
	check_reason(&cpu, 67, VMX_CAP_NO, "Enable user wait and pause");
	check_reason(&cpu, 69, VMX_CAP_NO, "LOADIWKEY exiting");
	check_reason(&cpu, 35, VMX_CAP_NO, NULL);
	check_reason(&cpu, 76, VMX_CAP_UNKNOWN, NULL);
	check_reason(&cpu, 99999, VMX_CAP_NO, NULL);

	/* 40 needs one of two controls, of which the second is left. */
	set(&cpu, 0x48e, 0xbff9fffe04006172);
	check_reason(&cpu, 40, VMX_CAP_YES, "PAUSE-loop exiting");

	unset(&cpu, 0x48b);
	check_reason(&cpu, 62, VMX_CAP_UNKNOWN, "Enable PML");
	check_reason(&cpu, 58, VMX_CAP_UNKNOWN, "Enable INVPCID");
	check_reason(&cpu, 12, VMX_CAP_YES, "HLT exiting");
}

int main(void)
{
	test_table();
	test_true_controls();
	test_absent_is_not_unreadable();
	test_unknown_bits();
	test_reasons();
	return 0;
}
