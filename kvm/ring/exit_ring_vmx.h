/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks of vmx.c; kvm-intel.ko only. What an exit was about, the part of its
 * record that is read from the VMCS, is inlined in vmx_vcpu_run(): a call with its
 * saved registers would cost a tenth of all.
 */
#ifndef __KVM_X86_EXIT_RING_VMX_H
#define __KVM_X86_EXIT_RING_VMX_H

#include "exit_reason.h"
#include "exit_ring_hooks.h"
#include "vmx/vmx.h"

/*
 * Intel SDM vol. 3, chapter "VM Exits": "Exit Qualification for Control-Register
 * Accesses", by title, since the numbers of the tables change with the edition
 */
#define QUAL_CR_NUMBER(q)	((q) & 0xf)
#define QUAL_CR_ACCESS(q)	(((q) >> 4) & 3)
/* ... of "MOV DR" */
#define QUAL_DR_NUMBER(q)	((q) & 7)
#define QUAL_DR_FROM(q)		(((q) >> 4) & 1)
/* ... of "I/O Instructions"; bits 5:3 below become KVM_EXIT_KEY_IO_* */
#define QUAL_IO_SIZE(q)		(((q) & 7) + 1)
#define QUAL_IO_KIND(q)		((((q) >> 3) & 7) << 4)
#define QUAL_IO_IS_OUT(q)	(!((q) & 0x18)) /* neither IN nor INS nor OUTS */
#define QUAL_IO_PORT(q)		((u16)((q) >> 16)) /* undefined above bit 31 */
/* ... of "EPT Violations": read, write, fetch in bits 2:0 */
#define QUAL_EPT_ACCESS(q)	((q) & 7)
/* ... of "RDMSR and WRMSRNS with an immediate": the MSR, in bits 31:0 */
#define QUAL_MSR(q)		((u32)(q))
/* Basic exit reasons that not every series has names for */
#define VMX_MSR_READ_IMM	84
#define VMX_MSR_WRITE_IMM	85

static_assert(KVM_EXIT_KEY_IO_IN == 1 << 4 && KVM_EXIT_KEY_IO_STRING == 1 << 5 &&
	      KVM_EXIT_KEY_IO_REP == 1 << 6);
static_assert(KVM_EXIT_ACCESS_READ == 1 && KVM_EXIT_ACCESS_WRITE == 2 &&
	      KVM_EXIT_ACCESS_EXEC == 4);

/*
 * RIP and exit qualification of a new exit, of which nothing was read yet. Later
 * readers find them in KVM's cache, as if vmx_cache_reg() had read them.
 */
static __always_inline void vmx_exit_read(struct kvm_vcpu *vcpu, u64 *rip, u64 *qual)
{
	*qual = vmcs_readl(EXIT_QUALIFICATION);
	*rip = vmcs_readl(GUEST_RIP);
	vmx_exit_ring_vt(to_vmx(vcpu))->exit_qualification = *qual;
	vmx_exit_ring_rip(vcpu) = *rip;
	kvm_register_mark_available(vcpu, VMX_EXIT_RING_QUAL);
	kvm_register_mark_available(vcpu, VMX_EXIT_RING_RIP);
}

u32 vmx_exit_event(struct kvm_vcpu *vcpu, struct kvm_exit_record *record);
void vmx_exit_ring_synthesized(struct kvm_vcpu *vcpu);

/* key and key_aux by reason, and with some intr_info and error_code. Returns their flags. */
static __always_inline u32 vmx_exit_key(struct kvm_vcpu *vcpu, struct kvm_exit_record *record,
					u16 basic, u64 qual)
{
	const unsigned long *regs = vcpu->arch.regs;

	switch (basic) {
	case EXIT_REASON_EXCEPTION_NMI:
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return vmx_exit_event(vcpu, record);
	case EXIT_REASON_CPUID:
		return exit_ring_key(record, (u32)regs[VCPU_REGS_RAX], (u32)regs[VCPU_REGS_RCX]);
	case EXIT_REASON_VMCALL:
		return exit_ring_key(record, regs[VCPU_REGS_RAX], 0);
	case EXIT_REASON_CR_ACCESS:
		return exit_ring_key(record, QUAL_CR_NUMBER(qual), QUAL_CR_ACCESS(qual));
	case EXIT_REASON_DR_ACCESS:
		return exit_ring_key(record, QUAL_DR_NUMBER(qual), QUAL_DR_FROM(qual));
	case EXIT_REASON_IO_INSTRUCTION:
		return exit_ring_key(record, QUAL_IO_PORT(qual),
				     QUAL_IO_SIZE(qual) | QUAL_IO_KIND(qual)) |
		       (QUAL_IO_IS_OUT(qual) ? exit_ring_out_value(record, regs[VCPU_REGS_RAX],
								   QUAL_IO_SIZE(qual)) : 0);
	case EXIT_REASON_MSR_READ:
		return exit_ring_key(record, (u32)regs[VCPU_REGS_RCX], 0);
	case EXIT_REASON_MSR_WRITE:
		return exit_ring_key(record, (u32)regs[VCPU_REGS_RCX], 1) |
		       exit_ring_msr_value(record, regs);
	case VMX_MSR_READ_IMM:
	case VMX_MSR_WRITE_IMM:
		return exit_ring_key(record, QUAL_MSR(qual), basic == VMX_MSR_WRITE_IMM);
	case EXIT_REASON_EPT_VIOLATION:
		return exit_ring_key(record, vmcs_read64(GUEST_PHYSICAL_ADDRESS),
				     QUAL_EPT_ACCESS(qual));
	case EXIT_REASON_EPT_MISCONFIG:
		return exit_ring_key(record, vmcs_read64(GUEST_PHYSICAL_ADDRESS), 0);
	default:
		return exit_ring_no_key(record);
	}
}

/* Fills in what the VMCS contains about the exit. */
static __always_inline void vmx_exit_fill(struct kvm_vcpu *vcpu, struct exit_ring *er,
					  struct kvm_exit_record *record, u64 rip, u64 qual,
					  u32 flags)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	u32 reason = vmx_exit_ring_vt(vmx)->exit_reason.full;

	record->tsc = vmx->exit_tsc;
	record->guest_rip = rip;
	record->qualification = qual;
	record->reason = reason;
	/* An entry that failed leaves the field, and KVM's copy, as the exit before had it. */
	record->info2 = reason & VMX_EXIT_REASONS_FAILED_VMENTRY ? 0 : vmx->idt_vectoring_info;
	record->intr_info = 0;
	record->error_code = 0;
	flags |= KVM_EXIT_REC_QUAL;
	/* The VMCS contains nothing more about an entry that failed. */
	if (unlikely(reason & VMX_EXIT_REASONS_FAILED_VMENTRY))
		flags |= exit_ring_no_key(record);
	else
		flags |= vmx_exit_key(vcpu, record, (u16)reason, qual);
	exit_ring_finish_fill(vcpu, er, record, flags);
}

static __always_inline struct kvm_exit_total *vmx_exit_total(struct vcpu_vmx *vmx,
							     struct exit_ring *er)
{
	unsigned long slot = vmx_exit_ring_vt(vmx)->exit_reason.basic;

	/* As kvm_exit_slot_vmx(), but a branch, and that of 64 bits: four instructions less. */
	OPTIMIZER_HIDE_VAR(slot);
	if (unlikely(slot >= KVM_EXIT_VMX_SLOTS)) {
		barrier();
		slot = KVM_EXIT_TOTAL_OTHER;
	}
	return &er->totals[slot];
}

/* vmx_exit_ring_exit() with a reader */
static __always_inline void vmx_exit_ring_record(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er = vmx->exit_ring;
	struct kvm_exit_record *record;
	struct kvm_exit_total *total;
	u64 rip, qual;

	exit_ring_note_event(vcpu, er);
	exit_ring_close_recorded(er, vmx->exit_cycles);
	total = vmx_exit_total(vmx, er);
	if (!exit_ring_record(er, total, &total->count, &record))
		return;
	vmx_exit_read(vcpu, &rip, &qual);
	vmx_exit_fill(vcpu, er, record, rip, qual, 0);
}

/* After a VM exit, before trace_kvm_exit(): vmx->exit_reason is known. */
static __always_inline void vmx_exit_ring_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er;
	struct kvm_exit_total *total;

	if (!exit_ring_is_on())
		return;
	er = vmx->exit_ring;
	if (exit_ring_is_recorded(er)) {
		vmx_exit_ring_record(vcpu);
		return;
	}
	exit_ring_close_unread(er, vmx->exit_cycles);
	total = vmx_exit_total(vmx, er);
	exit_ring_count(er, total, &total->count);
}

/*
 * A VM entry that failed with VMfail is not an exit: the one before stays open, as if
 * its time went on. The few cycles of the attempt itself are lost.
 */
static __always_inline void vmx_exit_ring_vmfail(struct vcpu_vmx *vmx)
{
	struct exit_ring *er = vmx->exit_ring;

	if (!exit_ring_is_on())
		return;
	vmx->exit_tsc -= vmx->exit_cycles;
	WRITE_ONCE(er->shared->meta.vmfail, ++er->vmfail);
}

/* Before 5.14 a fastpath enters again within vmx_vcpu_run(), and KVM counts one exit of both. */
static __always_inline void vmx_exit_ring_reenter(struct vcpu_vmx *vmx)
{
	if (exit_ring_is_on())
		WRITE_ONCE(vmx->exit_ring->reentered, vmx->exit_ring->reentered + 1);
}

#endif
