// SPDX-License-Identifier: GPL-2.0-only
/* What a VMX exit was about: the part of its record that is read from the VMCS. */
#include "exit_ring_vmx.h"

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
#define QUAL_IO_PORT(q)		(((q) >> 16) & 0xffff) /* undefined above bit 31 */
/* ... of "EPT Violations": read, write, fetch in bits 2:0 */
#define QUAL_EPT_ACCESS(q)	((q) & 7)

static_assert(KVM_EXIT_KEY_IO_IN == 1 << 4 && KVM_EXIT_KEY_IO_STRING == 1 << 5 &&
	      KVM_EXIT_KEY_IO_REP == 1 << 6);
static_assert(KVM_EXIT_ACCESS_READ == 1 && KVM_EXIT_ACCESS_WRITE == 2 &&
	      KVM_EXIT_ACCESS_EXEC == 4);

/* RIP as vmx_cache_reg() reads it, without the call. */
static __always_inline u64 vmx_exit_rip(struct kvm_vcpu *vcpu)
{
	if (!kvm_register_is_available(vcpu, VCPU_REGS_RIP)) {
		kvm_register_mark_available(vcpu, VCPU_REGS_RIP);
		vcpu->arch.regs[VCPU_REGS_RIP] = vmcs_readl(GUEST_RIP);
	}
	return vcpu->arch.regs[VCPU_REGS_RIP];
}

/* intr_info, error_code and the vector of reasons 0 and 1. Returns their flags. */
static u32 vmx_exit_event(struct kvm_vcpu *vcpu, struct kvm_exit_record *record)
{
	u32 info = vmx_get_intr_info(vcpu);

	if (!(info & INTR_INFO_VALID_MASK))
		return 0;
	record->intr_info = info;
	record->key = info & INTR_INFO_VECTOR_MASK;
	if (!(info & INTR_INFO_DELIVER_CODE_MASK))
		return KVM_EXIT_REC_INTR | KVM_EXIT_REC_KEY;
	record->error_code = vmcs_read32(VM_EXIT_INTR_ERROR_CODE);
	return KVM_EXIT_REC_INTR | KVM_EXIT_REC_KEY | KVM_EXIT_REC_ERROR_CODE;
}

/* key and key_aux by reason. Returns their flags. */
static __always_inline u32 vmx_exit_key(struct kvm_vcpu *vcpu, struct kvm_exit_record *record,
					u32 basic, u64 qual)
{
	switch (basic) {
	case EXIT_REASON_EXCEPTION_NMI:
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return vmx_exit_event(vcpu, record);
	case EXIT_REASON_CPUID:
		record->key = (u32)vcpu->arch.regs[VCPU_REGS_RAX];
		record->key_aux = (u32)vcpu->arch.regs[VCPU_REGS_RCX];
		break;
	case EXIT_REASON_VMCALL:
		record->key = vcpu->arch.regs[VCPU_REGS_RAX];
		break;
	case EXIT_REASON_CR_ACCESS:
		record->key = QUAL_CR_NUMBER(qual);
		record->key_aux = QUAL_CR_ACCESS(qual);
		break;
	case EXIT_REASON_DR_ACCESS:
		record->key = QUAL_DR_NUMBER(qual);
		record->key_aux = QUAL_DR_FROM(qual);
		break;
	case EXIT_REASON_IO_INSTRUCTION:
		record->key = QUAL_IO_PORT(qual);
		record->key_aux = QUAL_IO_SIZE(qual) | QUAL_IO_KIND(qual);
		break;
	case EXIT_REASON_MSR_READ:
	case EXIT_REASON_MSR_WRITE:
		record->key = (u32)vcpu->arch.regs[VCPU_REGS_RCX];
		record->key_aux = basic == EXIT_REASON_MSR_WRITE;
		break;
	case EXIT_REASON_EPT_VIOLATION:
		record->key_aux = QUAL_EPT_ACCESS(qual);
		fallthrough;
	case EXIT_REASON_EPT_MISCONFIG:
		record->key = vmcs_read64(GUEST_PHYSICAL_ADDRESS);
		break;
	default:
		return 0;
	}
	return KVM_EXIT_REC_KEY;
}

/* Fills in what the VMCS says of the exit. */
static __always_inline void vmx_exit_fill(struct kvm_vcpu *vcpu, struct exit_ring *er,
					  struct kvm_exit_record *record, u32 flags)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	u64 qual = vmx_get_exit_qual(vcpu);

	record->reason = vmx->exit_reason.full;
	record->guest_rip = vmx_exit_rip(vcpu);
	record->qualification = qual;
	record->info2 = vmx->idt_vectoring_info;
	record->guest_cr3 = 0;
	record->key = 0;
	record->key_aux = 0;
	record->intr_info = 0;
	record->error_code = 0;
	flags |= KVM_EXIT_REC_QUAL;
	if (is_guest_mode(vcpu))
		flags |= KVM_EXIT_REC_NESTED;
	if (unlikely(er->wants_cr3)) {
		record->guest_cr3 = kvm_read_cr3(vcpu);
		flags |= KVM_EXIT_REC_CR3;
	}
	/* The VMCS says nothing more about an entry that failed. */
	if (likely(!vmx->exit_reason.failed_vmentry))
		flags |= vmx_exit_key(vcpu, record, vmx->exit_reason.basic, qual);
	er->flags = flags;
}

/* vmx_exit_ring_exit() with a reader */
void vmx_exit_ring_record(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er = vmx->exit_ring;
	struct kvm_exit_total *total =
		&er->totals[kvm_exit_slot_vmx((u16)vmx->exit_reason.full)];
	struct kvm_exit_record *record =
		exit_ring_record(er, er->cycles, er->exit_tsc, total, &total->count);

	if (record)
		vmx_exit_fill(vcpu, er, record, 0);
}

/* Instead of a VM entry: vmx->exit_reason was made up. The exit before ends here. */
void vmx_exit_ring_synthesized(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er = vmx->exit_ring;
	struct kvm_exit_total *total =
		&er->totals[kvm_exit_slot_vmx((u16)vmx->exit_reason.full)];
	struct kvm_exit_record *record;
	u64 now = rdtsc();
	u64 cycles = now - er->exit_tsc;

	er->exit_tsc = now;
	if (!static_branch_unlikely(&exit_ring_recording)) {
		exit_ring_count(er, cycles, total, &total->synthesized);
		return;
	}
	record = exit_ring_record(er, cycles, now, total, &total->synthesized);
	if (record)
		vmx_exit_fill(vcpu, er, record, KVM_EXIT_REC_SYNTH);
}
