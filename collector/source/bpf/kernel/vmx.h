/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx.h - what an exit of kvm-intel's is, and when it was
 *
 * For record.bpf.c alone.
 */
#ifndef EXITSCOPE_BPF_VMX_H
#define EXITSCOPE_BPF_VMX_H

#include "collector/source/bpf/kernel/state.h"

/*
 * VMX leaves RIP, qualification and interruption information in the VMCS until somebody
 * asks. The event for ftrace and perf does: it is made first, and comes to us instead of
 * the vCPU, which is the one that entered last on this CPU.
 */
static __always_inline int exit_vmx(struct trace_event_raw_kvm_exit *event,
				    const struct vcpu_filter *in_force, bool any)
{
	bool named = any && by_name;
	__u64 tsc, regs[REGS_RDX + 1];
	struct exit_facts f = {0};
	struct bpf_area *area;
	struct bpf_vcpu *v;
	__u32 index;

	if (any && is_other())
		return 0;
	tsc = now_unless(named);
	f.cpu = bpf_get_smp_processor_id();
	index = here[f.cpu & (BPF_CPUS - 1)];
	if (!index)
		return 0;
	v = &vcpus[(index - 1) & (BPF_VCPUS - 1)];
	if (v->ignored)
		return 0;
	tsc = now_if(named, tsc);
	area = on_exit(v, in_force);
	if (!area)
		return 0;

	f.reason = event->exit_reason;
	f.intr_info = event->intr_info;
	f.error_code = event->error_code;
	f.info_1 = event->info1;
	f.info_2 = event->info2;
	f.rip = event->guest_rip;
	f.nested = v->nested;
	if (exit_key_needs_registers_vmx(f.reason, f.info_1)) {
		bpf_probe_read_kernel(regs, sizeof(regs),
				      (void *)v->address +
					      bpf_core_field_offset(struct kvm_vcpu, arch.regs));
		f.rax = regs[REGS_RAX];
		f.rcx = regs[REGS_RCX];
		f.rdx = regs[REGS_RDX];
	}
	vcpu_open(v, area, ring_mask, in_force, tsc, false, &f);
	return 0;
}

/* The reason of the vCPU's exit, as vmx_vcpu_run() has read it before kvm_exit. */
static __always_inline __u32 reason_vmx(const struct kvm_vcpu *vcpu)
{
	__u64 at = bpf_core_field_exists(struct vcpu_vmx, exit_reason)
			   ? bpf_core_field_offset(struct vcpu_vmx, exit_reason)
			   : bpf_core_field_offset(struct vcpu_vmx___vt, vt.exit_reason);
	__u32 reason = 0;

	bpf_probe_read_kernel(&reason, sizeof(reason), (const char *)vcpu + at);
	return reason;
}

/* In place of exit_vmx() with --counts-only: the reason alone, without the event's fields. */
static __always_inline int exit_vmx_counts(struct kvm_vcpu *vcpu,
					   const struct vcpu_filter *in_force, bool any)
{
	bool named = any && by_name;
	struct exit_facts f = {0};
	struct bpf_area *area;
	struct bpf_vcpu *v;
	__u32 index;
	__u64 tsc;

	if (!vcpu || (any && is_other()))
		return 0;
	tsc = now_unless(named);
	v = find_vcpu(key_of(vcpu), &index);
	if (!v || v->ignored)
		return 0;
	tsc = now_if(named, tsc);
	area = on_exit(v, in_force);
	if (!area)
		return 0;

	f.reason = reason_vmx(vcpu);
	f.nested = vcpu->stat.guest_mode != 0;
	vcpu_open(v, area, ring_mask, in_force, tsc, false, &f);
	return 0;
}

/* The open exit's guest-physical address, where it is an EPT violation or misconfiguration. */
static __always_inline void set_address(struct bpf_vcpu *v, __u64 address)
{
	struct exit_ring_producer p;
	struct bpf_area *area;

	if (!v->is_open || v->is_lost || v->filtered || filter.no_records)
		return;
	if ((v->reason & 0xffff) != VMX_EPT_VIOLATION && (v->reason & 0xffff) != VMX_EPT_MISCONFIG)
		return;
	area = area_of(v);
	if (!area || v->flags & KVM_EXIT_REC_KEY)
		return;
	p = vcpu_producer(v, area, ring_mask);
	exit_ring_slot(&p)->key = address;
	v->flags |= KVM_EXIT_REC_KEY;
}

#endif
