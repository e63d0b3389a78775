/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks of vmx.c; kvm-intel.ko only. */
#ifndef __KVM_X86_EXIT_RING_VMX_H
#define __KVM_X86_EXIT_RING_VMX_H

#include "exit_reason.h"
#include "exit_ring.h"
#include "vmx/vmx.h"

void vmx_exit_ring_record(struct kvm_vcpu *vcpu, u32 flags);

/* After a VM exit, before trace_kvm_exit(): vmx->exit_reason is known. */
static __always_inline void vmx_exit_ring_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	exit_ring_exit(vmx->exit_ring, kvm_exit_slot_vmx((u16)vmx->exit_reason.full));
	if (static_branch_unlikely(&exit_ring_recording))
		vmx_exit_ring_record(vcpu, 0);
}

/* Instead of a VM entry: vmx->exit_reason was made up. */
static __always_inline void vmx_exit_ring_synthesized(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	exit_ring_synthesized(vmx->exit_ring, kvm_exit_slot_vmx((u16)vmx->exit_reason.full));
	if (static_branch_unlikely(&exit_ring_recording))
		vmx_exit_ring_record(vcpu, KVM_EXIT_REC_SYNTH);
}

#endif
