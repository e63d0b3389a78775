/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_key.h - key, key_aux and value of an exit by its reason (KVM_EXIT_KEY of the ABI)
 *
 * Plain C for the BPF programs and for a test. kvm/ring/exit_ring_vmx.h and exit_ring_svm.c do
 * the same from the VMCS and the VMCB.
 */
#ifndef EXITSCOPE_BPF_EXIT_KEY_H
#define EXITSCOPE_BPF_EXIT_KEY_H

#include <stdbool.h>

#include "kvm/uapi/kvm_exit_ring.h"

#define EXIT_FACTS_VMCB_BYTES 32

#define EXIT_KEY_INLINE static inline __attribute__((always_inline))

/* Exit reasons: SDM volume 3, appendix C; APM volume 2, appendix C. */
enum exit_key_vmx {
	VMX_EXCEPTION = 0,
	VMX_EXTERNAL_INTERRUPT = 1,
	VMX_CPUID = 10,
	VMX_VMCALL = 18,
	VMX_CR_ACCESS = 28,
	VMX_DR_ACCESS = 29,
	VMX_IO = 30,
	VMX_MSR_READ = 31,
	VMX_MSR_WRITE = 32,
	VMX_EPT_VIOLATION = 48,
	VMX_EPT_MISCONFIG = 49,
	VMX_MSR_READ_IMM = 84,
	VMX_MSR_WRITE_IMM = 85,
};

enum exit_key_svm {
	SVM_DR_FIRST = 0x20,
	SVM_EXCEPTION_FIRST = 0x40,
	SVM_EXCEPTION_LAST = 0x5f,
	SVM_CPUID = 0x72,
	SVM_IO = 0x7b,
	SVM_MSR = 0x7c,
	SVM_VMMCALL = 0x81,
	SVM_NPF = 0x400,
};

#define EXIT_KEY_VALID	      0x80000000U /* of interruption information */
#define EXIT_KEY_ERROR_CODE   0x00000800U /* of interruption information: it has one */
#define EXIT_KEY_FAILED_ENTRY 0x80000000U /* of a VMX exit reason */

/*
 * struct exit_facts - what is known of an exit apart from its time
 * The first six are laid out as in the VMCB from 0x70 to 0x8f (APM volume 2, appendix B), so
 * that one copy takes them all.
 * @reason, @rip, @intr_info, @error_code: as in struct kvm_exit_record
 * @info_1, @info_2: its qualification and info2
 * @rax, @rcx, @rdx: guest registers, where exit_key_needs_registers() says so
 * @cr3:	guest CR3 if @has_cr3
 * @cpu:	physical CPU
 * @nested:	exit of an L2 guest
 * @encrypted:	the guest's registers are; those of KVM are old (exit_ring_sev.h)
 */
struct exit_facts {
	__u32 reason, reason_high;
	__u64 info_1, info_2;
	__u32 intr_info, error_code;

	__u64 rip, rax, rcx, rdx, cr3;
	__u32 cpu;
	bool nested, has_cr3, encrypted;
};

/* Qualification of an I/O instruction, and EXITINFO1: IN, INS and OUTS write no EAX to the port. */
EXIT_KEY_INLINE bool exit_key_is_out_vmx(__u64 qualification)
{
	return !(qualification & 0x18);
}

EXIT_KEY_INLINE bool exit_key_is_out_svm(__u64 info)
{
	return !(info & 5);
}

/* Whether key or value of a VMX exit are in registers. */
EXIT_KEY_INLINE bool exit_key_needs_registers_vmx(__u32 reason, __u64 qualification)
{
	switch (reason & 0xffff) {
	case VMX_IO:
		return exit_key_is_out_vmx(qualification);
	case VMX_CPUID:
	case VMX_VMCALL:
	case VMX_MSR_READ:
	case VMX_MSR_WRITE:
		return true;
	}
	return false;
}

EXIT_KEY_INLINE bool exit_key_needs_registers_svm(__u32 code)
{
	return code == SVM_CPUID || code == SVM_IO || code == SVM_MSR || code == SVM_VMMCALL;
}

EXIT_KEY_INLINE __u32 exit_key_set(struct kvm_exit_record *record, __u64 key, __u64 aux)
{
	record->key = key;
	record->key_aux = aux;
	return KVM_EXIT_REC_KEY;
}

EXIT_KEY_INLINE __u32 exit_key_value(struct kvm_exit_record *record, __u64 value)
{
	record->value = value;
	return KVM_EXIT_REC_VALUE;
}

/* EAX of an OUT of @bytes: 1, 2 or 4. */
EXIT_KEY_INLINE __u32 exit_key_out_value(struct kvm_exit_record *record, const struct exit_facts *f,
					 __u64 bytes)
{
	return exit_key_value(record, f->rax & ((1ULL << 8 * (bytes & 7)) - 1));
}

/* EDX:EAX of WRMSR. */
EXIT_KEY_INLINE __u32 exit_key_msr_value(struct kvm_exit_record *record, const struct exit_facts *f)
{
	return exit_key_value(record, (__u32)f->rax | f->rdx << 32);
}

EXIT_KEY_INLINE __u32 exit_key_none(struct kvm_exit_record *record)
{
	exit_key_set(record, 0, 0);
	return 0;
}

/* Qualification of an I/O instruction: SDM volume 3, table 28-5. */
EXIT_KEY_INLINE __u64 exit_key_io_aux_vmx(__u64 qualification)
{
	return (qualification & 7) + 1 + (qualification & 8 ? KVM_EXIT_KEY_IO_IN : 0) +
	       (qualification & 16 ? KVM_EXIT_KEY_IO_STRING : 0) +
	       (qualification & 32 ? KVM_EXIT_KEY_IO_REP : 0);
}

/* EXITINFO1 of an IOIO intercept: APM volume 2, figure 15-2. */
EXIT_KEY_INLINE __u64 exit_key_io_aux_svm(__u64 info)
{
	return (info >> 4 & 7) | (info & 1 ? KVM_EXIT_KEY_IO_IN : 0) |
	       (info & 4 ? KVM_EXIT_KEY_IO_STRING : 0) | (info & 8 ? KVM_EXIT_KEY_IO_REP : 0);
}

/*
 * Writes key and value of a VMX exit and returns their flags. The address of 48 and 49 is not known
 * yet: their key_aux is written, and the flag is left to who learns the address.
 */
EXIT_KEY_INLINE __u32 exit_key_vmx(struct kvm_exit_record *record, const struct exit_facts *f)
{
	__u64 qualification = f->info_1;

	/* The VMCS says nothing more about an entry that failed. */
	if (f->reason & EXIT_KEY_FAILED_ENTRY)
		return exit_key_none(record);

	switch (f->reason & 0xffff) {
	case VMX_EXCEPTION:
	case VMX_EXTERNAL_INTERRUPT:
		if (!(f->intr_info & EXIT_KEY_VALID))
			return exit_key_none(record);
		return exit_key_set(record, f->intr_info & 0xff, 0);
	case VMX_CPUID:
		return exit_key_set(record, (__u32)f->rax, (__u32)f->rcx);
	case VMX_VMCALL:
		return exit_key_set(record, f->rax, 0);
	case VMX_CR_ACCESS:
		return exit_key_set(record, qualification & 15, qualification >> 4 & 3);
	case VMX_DR_ACCESS:
		return exit_key_set(record, qualification & 7, qualification >> 4 & 1);
	case VMX_IO:
		return exit_key_set(record, qualification >> 16 & 0xffff,
				    exit_key_io_aux_vmx(qualification)) |
		       (exit_key_is_out_vmx(qualification)
				? exit_key_out_value(record, f, (qualification & 7) + 1)
				: 0);
	case VMX_MSR_READ:
		return exit_key_set(record, (__u32)f->rcx, 0);
	case VMX_MSR_WRITE:
		return exit_key_set(record, (__u32)f->rcx, 1) | exit_key_msr_value(record, f);
	case VMX_MSR_READ_IMM:
		return exit_key_set(record, (__u32)qualification, 0);
	case VMX_MSR_WRITE_IMM:
		return exit_key_set(record, (__u32)qualification, 1);
	case VMX_EPT_VIOLATION:
		exit_key_set(record, 0, qualification & 7);
		return 0;
	}
	return exit_key_none(record);
}

/* Writes key and value of an SVM exit and returns their flags. */
EXIT_KEY_INLINE __u32 exit_key_svm(struct kvm_exit_record *record, const struct exit_facts *f)
{
	__u64 info = f->info_1;
	__u32 code = f->reason;

	switch (code) {
	case SVM_CPUID:
		return exit_key_set(record, (__u32)f->rax, (__u32)f->rcx);
	case SVM_IO:
		return exit_key_set(record, info >> 16 & 0xffff, exit_key_io_aux_svm(info)) |
		       (exit_key_is_out_svm(info) ? exit_key_out_value(record, f, info >> 4 & 7)
						  : 0);
	case SVM_MSR:
		return exit_key_set(record, (__u32)f->rcx, info) |
		       (info ? exit_key_msr_value(record, f) : 0);
	case SVM_VMMCALL:
		return exit_key_set(record, f->rax, 0);
	case SVM_NPF:
		return exit_key_set(record, f->info_2,
				    info & 16  ? KVM_EXIT_ACCESS_EXEC
				    : info & 2 ? KVM_EXIT_ACCESS_WRITE
					       : KVM_EXIT_ACCESS_READ);
	}
	if (code > SVM_EXCEPTION_LAST)
		return exit_key_none(record);
	if (code >= SVM_EXCEPTION_FIRST)
		return exit_key_set(record, code - SVM_EXCEPTION_FIRST, 0);

	/* CR and DR: 16 codes for reads, then 16 for writes. */
	return exit_key_set(record, code & 0xf, !(code & 0x10));
}

#endif
