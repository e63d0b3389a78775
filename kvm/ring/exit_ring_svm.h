/* SPDX-License-Identifier: GPL-2.0-only */
/* The hook of svm.c; kvm-amd.ko only. */
#ifndef __KVM_X86_EXIT_RING_SVM_H
#define __KVM_X86_EXIT_RING_SVM_H

#include "exit_reason.h"
#include "exit_ring_hooks.h"
#include "svm/svm.h"

void svm_exit_ring_record(struct kvm_vcpu *vcpu);
void svm_exit_ring_do_vmgexit(struct kvm_vcpu *vcpu);

/* In sev_handle_vmgexit(): KVM has read the GHCB page, and what it asks for is valid. */
static __always_inline void svm_exit_ring_vmgexit(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on() && static_branch_unlikely(&exit_ring_recording))
		svm_exit_ring_do_vmgexit(vcpu);
}

/* After #VMEXIT, once RAX and RIP are back in vcpu->arch.regs. */
static __always_inline void svm_exit_ring_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct exit_ring *er;
	struct kvm_exit_total *total;

	if (!exit_ring_is_on())
		return;
	er = svm->exit_ring;
	if (exit_ring_is_recorded(er)) {
		svm_exit_ring_record(vcpu);
		return;
	}
	exit_ring_close_unread(er, svm->exit_cycles);
	total = &er->totals[kvm_exit_slot_svm(svm->vmcb->control.exit_code)];
	exit_ring_count(er, total, &total->count);
}

#endif
