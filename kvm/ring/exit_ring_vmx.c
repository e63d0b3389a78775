// SPDX-License-Identifier: GPL-2.0-only
/* exit_ring_vmx.c - VMX exits that are rare or whose record takes many instructions */
#include "exit_ring_vmx.h"

/* intr_info, error_code and the vector of reasons 0 and 1. Returns their flags. */
u32 vmx_exit_event(struct kvm_vcpu *vcpu, struct kvm_exit_record *record)
{
	u32 info = vmx_get_intr_info(vcpu);
	u32 flags;

	if (!(info & INTR_INFO_VALID_MASK))
		return exit_ring_no_key(record);
	record->intr_info = info;
	flags = KVM_EXIT_REC_INTR | exit_ring_key(record, info & INTR_INFO_VECTOR_MASK, 0);
	if (!(info & INTR_INFO_DELIVER_CODE_MASK))
		return flags;
	record->error_code = vmcs_read32(VM_EXIT_INTR_ERROR_CODE);
	return flags | KVM_EXIT_REC_ERROR_CODE;
}

/* Instead of a VM entry: vmx->exit_reason was made up. The exit before ends here. */
void vmx_exit_ring_synthesized(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);
	struct exit_ring *er = vmx->exit_ring;
	struct kvm_exit_record *record;
	struct kvm_exit_total *total;
	u64 now = rdtsc();
	u64 cycles;

	if (!exit_ring_is_on())
		return;
	total = vmx_exit_total(vmx, er);
	cycles = now - vmx->exit_tsc;
	vmx->exit_tsc = now;
	if (!exit_ring_is_recorded(er)) {
		exit_ring_close_unread(er, cycles);
		exit_ring_count(er, total, &total->synthesized);
		return;
	}
	exit_ring_close_recorded(er, cycles);
	if (exit_ring_record(er, total, &total->synthesized, &record))
		vmx_exit_fill(vcpu, er, record, kvm_rip_read(vcpu), vmx_get_exit_qual(vcpu),
			      KVM_EXIT_REC_SYNTH);
}
