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

/*
 * Whether Intel defines a basic exit reason, whatever KVM does about it: SDM
 * volume 3, appendix C "VMX basic exit reasons", edition 325462-086US (December
 * 2024), has 0 to 81 but for the four.
 */
static inline int kvm_exit_defined_vmx(unsigned int basic)
{
	switch (basic) {
	case 35:
	case 38:
	case 42:
	case 71:
		return 0;
	}
	return basic <= 81;
}

/*
 * Whether AMD defines an exit code: APM volume 2, appendix C "SVM intercept exit
 * codes", edition 24593-3.42 (March 2024), has 0 to 0xa6 (up to the idle HLT
 * intercept) and 0x400 to 0x403.
 */
static inline int kvm_exit_defined_svm(unsigned int code)
{
	return code <= 0xa6 || code - KVM_EXIT_SVM_HIGH <= 3;
}

#endif
