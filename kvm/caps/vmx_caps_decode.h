/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx_caps_decode.h - answers out of one CPU's VMX capability MSRs
 *
 * For the kernel module and for user space alike. Reads nothing itself.
 */
#ifndef VMX_CAPS_DECODE_H
#define VMX_CAPS_DECODE_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#include "vmx_caps_table.h"

#define VMX_CAP_IA32_VMX_BASIC 0x480
#define VMX_CAP_TRUE_CTLS      (1ULL << 55) /* IA32_VMX_BASIC: 0x48d to 0x490 exist */

/* True if RDMSR of @msr (0x480 to 0x493) gave a value. */
static inline int vmx_cap_was_read(const struct vmx_caps_cpu *cpu, unsigned int msr)
{
	return cpu->read >> (msr - VMX_CAPS_FIRST_MSR) & 1;
}

/* The value of @msr (0x480 to 0x493); 0 where it was not read. */
static inline __u64 vmx_cap_value(const struct vmx_caps_cpu *cpu, unsigned int msr)
{
	return cpu->value[msr - VMX_CAPS_FIRST_MSR];
}

/*
 * False if the CPU has no @msr (0x480 to 0x493), by what the MSRs below it say.
 * An MSR that it may have and that was not read is unknown; one that it doesn't
 * have stands for controls that can't be set.
 */
static inline int vmx_cap_exists(const struct vmx_caps_cpu *cpu, unsigned int msr)
{
	unsigned int gate = 0;
	__u64 mask = 0;
	unsigned int i;

	for (i = 0; i < VMX_CAP_WORDS; i++) {
		if (vmx_cap_words[i].true_msr == msr) {
			gate = VMX_CAP_IA32_VMX_BASIC;
			mask = VMX_CAP_TRUE_CTLS;
		} else if (vmx_cap_words[i].msr == msr) {
			gate = vmx_cap_words[i].gate_msr;
			mask = vmx_cap_words[i].gate_mask;
		}
	}
	if (!gate)
		return 1;
	if (!vmx_cap_was_read(cpu, gate))
		return vmx_cap_exists(cpu, gate); /* gates have lower numbers */
	return !!(vmx_cap_value(cpu, gate) & mask);
}

/* The MSR that describes @word on this CPU: the true controls where there are. */
static inline unsigned int vmx_cap_word_msr(const struct vmx_caps_cpu *cpu,
					    const struct vmx_cap_word *word)
{
	if (word->true_msr && vmx_cap_exists(cpu, word->true_msr))
		return word->true_msr;
	return word->msr;
}

/* True if what vmx_cap_may_be_1() and the like say of @word is known. */
static inline int vmx_cap_word_known(const struct vmx_caps_cpu *cpu,
				     const struct vmx_cap_word *word)
{
	unsigned int msr = vmx_cap_word_msr(cpu, word);

	if (!vmx_cap_was_read(cpu, msr))
		return 0;
	return word->kind != VMX_CAP_FIXED || vmx_cap_was_read(cpu, msr + 1);
}

/* The bits of @word that may be 1: "Can set". For facts: those that are 1. */
static inline __u64 vmx_cap_may_be_1(const struct vmx_caps_cpu *cpu,
				     const struct vmx_cap_word *word)
{
	unsigned int msr = vmx_cap_word_msr(cpu, word);

	if (word->kind == VMX_CAP_CONTROLS)
		return vmx_cap_value(cpu, msr) >> 32;
	if (word->kind == VMX_CAP_FIXED)
		return vmx_cap_value(cpu, msr + 1);
	return vmx_cap_value(cpu, msr);
}

/* The bits of @word that may be 0: "Can clear". Says nothing about facts. */
static inline __u64 vmx_cap_may_be_0(const struct vmx_caps_cpu *cpu,
				     const struct vmx_cap_word *word)
{
	__u64 value = vmx_cap_value(cpu, vmx_cap_word_msr(cpu, word));

	if (word->kind == VMX_CAP_CONTROLS)
		return ~value & 0xffffffff;
	if (word->kind == VMX_CAP_FIXED)
		return ~value;
	return ~0ULL;
}

/* The bits of @bit's field, in place. */
static inline __u64 vmx_cap_mask(const struct vmx_cap_bit *bit)
{
	return (~0ULL >> (64 - bit->width)) << bit->bit;
}

/*
 * Bits of @word that software has a choice about (facts: that are 1) and that
 * the table has no name for: something newer than the table.
 */
static inline __u64 vmx_cap_unknown(const struct vmx_caps_cpu *cpu, const struct vmx_cap_word *word)
{
	__u64 bits = vmx_cap_may_be_1(cpu, word) & vmx_cap_may_be_0(cpu, word) & ~word->reserved;
	unsigned int i;

	for (i = 0; i < word->n_bits; i++)
		bits &= ~vmx_cap_mask(&word->bits[i]);
	return bits;
}

/* Whether a bit can be 1, or an exit reason can occur, if software asks for it. */
enum vmx_cap_answer {
	VMX_CAP_NO,
	VMX_CAP_UNKNOWN, /* the MSRs that were read don't show it */
	VMX_CAP_YES,
};

static inline enum vmx_cap_answer vmx_cap_bit_answer(const struct vmx_caps_cpu *cpu,
						     const struct vmx_cap_word *word,
						     const struct vmx_cap_bit *bit)
{
	if (vmx_cap_may_be_1(cpu, word) & vmx_cap_mask(bit))
		return VMX_CAP_YES;
	if (!vmx_cap_exists(cpu, vmx_cap_word_msr(cpu, word)) || vmx_cap_word_known(cpu, word))
		return VMX_CAP_NO;
	return VMX_CAP_UNKNOWN;
}

static inline int vmx_cap_lists(const __u8 *reasons, unsigned int reason)
{
	for (; reasons && *reasons != VMX_CAP_END; reasons++)
		if (*reasons == reason)
			return 1;
	return 0;
}

/*
 * Can basic exit reason @reason occur on @cpu, as far as the CPU goes? *@control
 * gets the control that brings it about, or the one that is missing for it; NULL
 * where the reason is unconditional (YES), no control is known for it (NO), or
 * the MSRs don't show whether its instruction exists (UNKNOWN).
 */
static inline enum vmx_cap_answer vmx_cap_reason(const struct vmx_caps_cpu *cpu,
						 unsigned int reason,
						 const struct vmx_cap_bit **control)
{
	enum vmx_cap_answer brought = VMX_CAP_NO, enabled = VMX_CAP_YES;
	const struct vmx_cap_bit *missing = NULL;
	unsigned int i, j;

	*control = NULL;
	if (vmx_cap_lists(vmx_cap_unconditional, reason))
		return VMX_CAP_YES;
	if (vmx_cap_lists(vmx_cap_instruction, reason))
		return VMX_CAP_UNKNOWN;
	for (i = 0; i < VMX_CAP_WORDS; i++) {
		for (j = 0; j < vmx_cap_words[i].n_bits; j++) {
			const struct vmx_cap_bit *bit = &vmx_cap_words[i].bits[j];
			enum vmx_cap_answer answer =
				vmx_cap_bit_answer(cpu, &vmx_cap_words[i], bit);

			if (vmx_cap_lists(bit->brings, reason) && (!*control || answer > brought)) {
				brought = answer;
				*control = bit;
			}
			if (vmx_cap_lists(bit->enables, reason) && answer < enabled) {
				enabled = answer;
				missing = bit;
			}
		}
	}
	if (enabled >= brought)
		return brought;
	*control = missing;
	return enabled;
}

#endif
