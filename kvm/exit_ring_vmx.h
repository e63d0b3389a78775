/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks of vmx.c; kvm-intel.ko only. */
#ifndef __KVM_X86_EXIT_RING_VMX_H
#define __KVM_X86_EXIT_RING_VMX_H

#include "exit_reason.h"
#include "exit_ring.h"
#include "vmx/vmx.h"

void vmx_exit_ring_record(struct kvm_vcpu *vcpu);
void vmx_exit_ring_synthesized(struct kvm_vcpu *vcpu);

/* After a VM exit, before trace_kvm_exit(): vmx->exit_reason is known. */
static __always_inline void vmx_exit_ring_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er = vmx->exit_ring;
	struct kvm_exit_total *total;

	if (static_branch_unlikely(&exit_ring_recording)) {
		vmx_exit_ring_record(vcpu);
		return;
	}
	total = &er->totals[kvm_exit_slot_vmx((u16)vmx->exit_reason.full)];
	exit_ring_count(er, er->cycles, total, &total->count);
}

#endif
