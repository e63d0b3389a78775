/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which exit reasons the vendors define, and the slot of the totals that an
 * exit is counted in. Plain C, for the kernel and for user space.
 */
#ifndef _KVM_EXIT_REASON_H
#define _KVM_EXIT_REASON_H

#include "uapi/kvm_exit_ring.h"

/* The SVM exit codes from KVM_EXIT_SVM_HIGH on, and their slots. */
#define KVM_EXIT_SVM_HIGH 0x400U
#define KVM_EXIT_SVM_HIGH_SLOT 0xe0U
#define KVM_EXIT_SVM_HIGH_SLOTS 0x10U
/* VMX basic reasons with a slot of their own. */
#define KVM_EXIT_VMX_SLOTS 128U

/*
 * Basic reason of a VMX exit reason: its low 16 bits (SDM volume 3, table "Format of
 * Exit Reason"); what is above are flags. An SVM exit code is one as it is.
 */
static inline __u32 kvm_exit_basic(__u32 isa, __u32 reason)
{
	return isa == KVM_EXIT_ISA_VMX ? reason & 0xffff : reason;
}

/* Slot of the totals for the low 16 bits of a VMX exit reason. */
static inline unsigned int kvm_exit_slot_vmx(unsigned int basic)
{
	return basic < KVM_EXIT_VMX_SLOTS ? basic : KVM_EXIT_TOTAL_OTHER;
}

/* Slot of the totals for an SVM exit code. */
static inline unsigned int kvm_exit_slot_svm(unsigned int code)
{
	unsigned int high = code - KVM_EXIT_SVM_HIGH;

	if (code < KVM_EXIT_SVM_HIGH_SLOT)
		return code;
	return high < KVM_EXIT_SVM_HIGH_SLOTS ? KVM_EXIT_SVM_HIGH_SLOT + high :
						KVM_EXIT_TOTAL_OTHER;
}

/* The basic exit reason of a slot of the totals, other than KVM_EXIT_TOTAL_OTHER. */
static inline __u32 kvm_exit_slot_reason(__u32 isa, unsigned int slot)
{
	if (isa == KVM_EXIT_ISA_SVM && slot >= KVM_EXIT_SVM_HIGH_SLOT)
		return KVM_EXIT_SVM_HIGH + (slot - KVM_EXIT_SVM_HIGH_SLOT);
	return slot;
}

/*
 * Whether Intel defines a basic exit reason, whatever KVM does about it: SDM
 * volume 3, appendix C "VMX basic exit reasons", edition 325462-091US (March
 * 2026), has 0 to 85 but for these. 70 was ENCLV until 2024. Compared with lists
 * that two hypervisors took from the SDM, and with those of Linux and Bochs; not
 * with the appendix itself.
 */
static inline int kvm_exit_defined_vmx(unsigned int basic)
{
	switch (basic) {
	case 35:
	case 38:
	case 42:
	case 70:
	case 71:
	case 82:
	case 83:
		return 0;
	}
	return basic <= 85;
}

/*
 * Whether AMD defines an exit code: APM volume 2, appendix C "SVM intercept exit
 * codes", edition 24593-3.42 (March 2024), has 0 to 0xa6 (up to the idle HLT
 * intercept) and 0x400 to 0x403. Compared with a text of its table C-1. (It also
 * has -1 to -4: VMRUN failed, and no guest ran.)
 */
static inline int kvm_exit_defined_svm(unsigned int code)
{
	return code <= 0xa6 || code - KVM_EXIT_SVM_HIGH <= 3;
}

#endif
