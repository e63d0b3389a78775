// SPDX-License-Identifier: GPL-2.0-only
/* exit_ring_svm.c - what an SVM exit was about: the part of its record from the VMCB */
#include "exit_ring_sev.h"
#include "exit_ring_svm.h"

/* EXITINFO1 of IOIO (AMD APM vol. 2, 15.10.2); bits 2, 3 and 4 below become KVM_EXIT_KEY_IO_* */
#define IOIO_SIZE(info)		(((info) >> SVM_IOIO_SIZE_SHIFT) & 7)
#define IOIO_IS_OUT(info)	(!((info) & (SVM_IOIO_TYPE_MASK | SVM_IOIO_STR_MASK)))
#define IOIO_PORT(info)		(((info) >> 16) & 0xffff)
/* EXITINFO1 of a nested page fault (15.25.6): a page fault's error code */
#define NPF_WRITE(info)		((info) & PFERR_WRITE_MASK)
#define NPF_FETCH(info)		((info) & PFERR_FETCH_MASK)

static u64 svm_exit_io_aux(u64 info)
{
	return IOIO_SIZE(info) | (info & SVM_IOIO_TYPE_MASK ? KVM_EXIT_KEY_IO_IN : 0) |
	       (info & SVM_IOIO_STR_MASK ? KVM_EXIT_KEY_IO_STRING : 0) |
	       (info & SVM_IOIO_REP_MASK ? KVM_EXIT_KEY_IO_REP : 0);
}

static u64 svm_exit_npf_aux(u64 info)
{
	if (NPF_FETCH(info))
		return KVM_EXIT_ACCESS_EXEC;
	return NPF_WRITE(info) ? KVM_EXIT_ACCESS_WRITE : KVM_EXIT_ACCESS_READ;
}

/* key and key_aux by exit code. Returns their flag. */
static u32 svm_exit_key(struct kvm_vcpu *vcpu, struct kvm_exit_record *record, u32 code,
			u64 info_1, u64 info_2)
{
	const unsigned long *regs = vcpu->arch.regs;

	switch (code) {
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_CR0 + 0xf:
		return exit_ring_key(record, code & 0xf, code < SVM_EXIT_WRITE_CR0);
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR0 + 0xf:
		return exit_ring_key(record, code & 0xf, code < SVM_EXIT_WRITE_DR0);
	case SVM_EXIT_EXCP_BASE ... SVM_EXIT_EXCP_BASE + 0x1f:
		return exit_ring_key(record, code - SVM_EXIT_EXCP_BASE, 0);
	case SVM_EXIT_CPUID:
		return exit_ring_key(record, (u32)regs[VCPU_REGS_RAX], (u32)regs[VCPU_REGS_RCX]);
	case SVM_EXIT_IOIO:
		return exit_ring_key(record, IOIO_PORT(info_1), svm_exit_io_aux(info_1)) |
		       (IOIO_IS_OUT(info_1) ? exit_ring_out_value(record, regs[VCPU_REGS_RAX],
								  IOIO_SIZE(info_1)) : 0);
	case SVM_EXIT_MSR:
		return exit_ring_key(record, (u32)regs[VCPU_REGS_RCX], info_1) |
		       (info_1 ? exit_ring_msr_value(record, regs) : 0);
	case SVM_EXIT_VMMCALL:
		return exit_ring_key(record, regs[VCPU_REGS_RAX], 0);
	case SVM_EXIT_NPF:
		return exit_ring_key(record, info_2, svm_exit_npf_aux(info_1));
	default:
		return exit_ring_no_key(record);
	}
}

/*
 * CR3 at the exit, where the reader requested it. With nested paging the guest loads
 * CR3 without an exit, and KVM's copy follows in svm_handle_exit() only, which is later
 * than the record and is left out by a fastpath.
 */
static void svm_exit_cr3(struct kvm_vcpu *vcpu, struct exit_ring *er)
{
	if (er->flags & KVM_EXIT_REC_CR3 && npt_enabled)
		er->record->guest_cr3 = to_svm(vcpu)->vmcb->save.cr3;
}

/* An exit of an SEV-ES or SNP guest */
static void svm_exit_encrypted(struct vcpu_svm *svm)
{
	struct exit_ring *er = svm->exit_ring;

	er->flags = exit_ring_hide_encrypted(er->record, er->flags);
	if (er->record->reason == SVM_CODE_VMGEXIT)
		er->flags |= exit_ring_vmgexit_key(er->record, svm_exit_ring_ghcb(svm));
}

/* The key of a VMGEXIT that asks by the GHCB page, if the open exit still has its record. */
void svm_exit_ring_do_vmgexit(struct kvm_vcpu *vcpu)
{
	const struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;
	struct exit_ring *er = to_svm(vcpu)->exit_ring;
	unsigned long flags;

	/* As at the exit: the buffer is not freed meanwhile. */
	local_irq_save(flags);
	if (exit_ring_holds_slot(er))
		er->flags |= exit_ring_key(er->record, control->exit_code, control->exit_info_1);
	local_irq_restore(flags);
}

/*
 * intr_info and error_code: the event in whose delivery the guest exited. EXITINTINFO has the
 * layout of VMX (APM vol. 2, "Intercepts During IDT Interrupt Delivery"). Without its V bit
 * there was no event and the other bits mean nothing. Returns their flags.
 */
static u32 svm_exit_event(struct kvm_exit_record *record, const struct vmcb_control_area *control)
{
	u32 info = control->exit_int_info;

	record->intr_info = 0;
	record->error_code = 0;
	if (likely(!(info & SVM_EVTINJ_VALID)))
		return 0;

	record->intr_info = info;
	if (!(info & SVM_EVTINJ_VALID_ERR))
		return KVM_EXIT_REC_INTR;

	record->error_code = control->exit_int_info_err;
	return KVM_EXIT_REC_INTR | KVM_EXIT_REC_ERROR_CODE;
}

/* svm_exit_ring_exit() with a reader */
void svm_exit_ring_record(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	const struct vmcb *vmcb = svm->vmcb;
	const struct vmcb_control_area *control = &vmcb->control;
	struct exit_ring *er = svm->exit_ring;
	u32 code = control->exit_code;
	struct kvm_exit_total *total = &er->totals[kvm_exit_slot_svm(code)];
	struct kvm_exit_record *record;
	u32 flags = KVM_EXIT_REC_QUAL;

	exit_ring_note_event(vcpu, er);
	exit_ring_close_recorded(er, svm->exit_cycles);
	if (!exit_ring_record(er, total, &total->count, &record))
		return;

	record->tsc = svm->exit_tsc;
	record->reason = code;
	record->guest_rip = vmcb->save.rip;
	record->qualification = control->exit_info_1;
	record->info2 = control->exit_info_2;
	flags |= svm_exit_event(record, control);
	flags |= svm_exit_key(vcpu, record, code, control->exit_info_1, control->exit_info_2);

	exit_ring_finish_fill(vcpu, er, record, flags);
	if (unlikely(svm_exit_ring_is_encrypted(vcpu)))
		svm_exit_encrypted(svm);
	else
		svm_exit_cr3(vcpu, er);
}
