// SPDX-License-Identifier: GPL-2.0-only
/* What an SVM exit was about: the part of its record that is read from the VMCB. */
#include "kvm_cache_regs.h"
#include "exit_ring_svm.h"

/* EXITINFO1 of IOIO (AMD APM vol. 2, 15.10.2); bits 2, 3 and 4 below become KVM_EXIT_KEY_IO_* */
#define IOIO_SIZE(info)		(((info) >> SVM_IOIO_SIZE_SHIFT) & 7)
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
static u32 svm_exit_key(struct kvm_vcpu *vcpu, struct kvm_exit_record *record)
{
	const struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;
	u32 code = control->exit_code;

	switch (code) {
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_CR0 + 0xf:
		record->key = code & 0xf;
		record->key_aux = code < SVM_EXIT_WRITE_CR0;
		break;
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR0 + 0xf:
		record->key = code & 0xf;
		record->key_aux = code < SVM_EXIT_WRITE_DR0;
		break;
	case SVM_EXIT_EXCP_BASE ... SVM_EXIT_EXCP_BASE + 0x1f:
		record->key = code - SVM_EXIT_EXCP_BASE;
		break;
	case SVM_EXIT_CPUID:
		record->key = (u32)vcpu->arch.regs[VCPU_REGS_RAX];
		record->key_aux = (u32)vcpu->arch.regs[VCPU_REGS_RCX];
		break;
	case SVM_EXIT_IOIO:
		record->key = IOIO_PORT(control->exit_info_1);
		record->key_aux = svm_exit_io_aux(control->exit_info_1);
		break;
	case SVM_EXIT_MSR:
		record->key = (u32)vcpu->arch.regs[VCPU_REGS_RCX];
		record->key_aux = control->exit_info_1;
		break;
	case SVM_EXIT_VMMCALL:
		record->key = vcpu->arch.regs[VCPU_REGS_RAX];
		break;
	case SVM_EXIT_NPF:
		record->key = control->exit_info_2;
		record->key_aux = svm_exit_npf_aux(control->exit_info_1);
		break;
	default:
		return 0;
	}
	return KVM_EXIT_REC_KEY;
}

/* svm_exit_ring_exit() with a reader */
void svm_exit_ring_record(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	const struct vmcb *vmcb = svm->vmcb;
	struct exit_ring *er = svm->exit_ring;
	struct kvm_exit_total *total = &er->totals[kvm_exit_slot_svm(vmcb->control.exit_code)];
	struct kvm_exit_record *record =
		exit_ring_record(er, er->cycles, er->exit_tsc, total, &total->count);
	u32 flags = KVM_EXIT_REC_QUAL;

	if (!record)
		return;
	record->reason = vmcb->control.exit_code;
	record->guest_rip = vmcb->save.rip;
	record->qualification = vmcb->control.exit_info_1;
	record->info2 = vmcb->control.exit_info_2;
	record->guest_cr3 = 0;
	record->key = 0;
	record->key_aux = 0;
	/* A pending event as VMX would tell it: EXITINTINFO has the same layout. */
	record->intr_info = 0;
	record->error_code = 0;
	if (vmcb->control.exit_int_info & SVM_EVTINJ_VALID) {
		record->intr_info = vmcb->control.exit_int_info;
		flags |= KVM_EXIT_REC_INTR;
	}
	if (vmcb->control.exit_int_info & SVM_EVTINJ_VALID_ERR) {
		record->error_code = vmcb->control.exit_int_info_err;
		flags |= KVM_EXIT_REC_ERROR_CODE;
	}
	if (is_guest_mode(vcpu))
		flags |= KVM_EXIT_REC_NESTED;
	if (unlikely(er->wants_cr3)) {
		record->guest_cr3 = kvm_read_cr3(vcpu);
		flags |= KVM_EXIT_REC_CR3;
	}
	er->flags = flags | svm_exit_key(vcpu, record);
}
