/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_ring_sev.h - what is known of an exit of a guest whose registers are encrypted (SEV-ES and
 * SEV-SNP). Plain C, for the kernel, BPF programs, and the tests, because no emulated machine has
 * SEV.
 */
#ifndef _KVM_EXIT_RING_SEV_H
#define _KVM_EXIT_RING_SEV_H

#include "uapi/kvm_exit_ring.h"

/* GHCBInfo, bits 11:0 of the GHCB's MSR; 0: the rest is the address of the GHCB page */
#define VMGEXIT_INFO(msr)	((msr) & 0xfffU)
#define VMGEXIT_DATA(msr)	((msr) >> 12)

/* SVM exit codes whose key is in registers of the guest */
#define SVM_CODE_CPUID		0x72U
#define SVM_CODE_MSR		0x7cU
#define SVM_CODE_VMMCALL	0x81U
#define SVM_CODE_VMGEXIT	0x403U

/*
 * What a VMGEXIT asks for, as far as the GHCB's MSR has it: with the MSR protocol all of it. What
 * is in the GHCB page KVM reads later. Returns the flag of the key, or 0.
 */
static inline __u32 exit_ring_vmgexit_key(struct kvm_exit_record *record, __u64 ghcb_msr)
{
	record->key = 0;
	record->key_aux = 0;
	if (!VMGEXIT_INFO(ghcb_msr))
		return 0;
	record->key = KVM_EXIT_KEY_GHCB_MSR | VMGEXIT_INFO(ghcb_msr);
	record->key_aux = VMGEXIT_DATA(ghcb_msr);
	return KVM_EXIT_REC_KEY;
}

/*
 * The VMCB and KVM's copy of the registers have old values: nothing that comes from them stays.
 * @flags: of the record; returns what is left of them, with KVM_EXIT_REC_NO_RIP.
 */
static inline __u32 exit_ring_hide_encrypted(struct kvm_exit_record *record, __u32 flags)
{
	record->guest_rip = 0;
	record->guest_cr3 = 0;
	record->value = 0;
	flags &= ~(KVM_EXIT_REC_CR3 | KVM_EXIT_REC_VALUE);
	switch (record->reason) {
	case SVM_CODE_CPUID:
	case SVM_CODE_MSR:
	case SVM_CODE_VMMCALL:
		record->key = 0;
		record->key_aux = 0;
		flags &= ~KVM_EXIT_REC_KEY;
	}
	return flags | KVM_EXIT_REC_NO_RIP;
}

#endif
