/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * svm.h - what an exit of kvm-amd's is, and when it was
 *
 * For record.bpf.c alone.
 */
#ifndef EXITSCOPE_BPF_SVM_H
#define EXITSCOPE_BPF_SVM_H

#include "collector/source/bpf/kernel/state.h"

/*
 * On SVM up to 6.x kvm_exit comes from svm_handle_exit(), with IRQs on again, maybe on
 * another CPU. Then KVM has noted TSC and CPU right after the exit: its TSC is later than
 * the last entry. Elsewhere what it noted is of an earlier exit, and a guest that writes its TSC
 * can make it look later: vcpu_publish() corrects that.
 */
static __always_inline __u64 exit_stamp(const struct bpf_vcpu *v, const struct kvm_vcpu *vcpu,
					const struct vcpu_filter *in_force, __u32 *cpu)
{
	__u64 noted;

	if (v->kvm_stamp) {
		noted = vcpu->arch.last_guest_tsc - vcpu->arch.l1_tsc_offset;
		if ((__s64)(noted - v->entry_tsc) > 0) {
			if (!in_force->no_records)
				*cpu = vcpu->arch.last_vmentry_cpu;
			return noted;
		}
	}
	if (!in_force->no_records)
		*cpu = bpf_get_smp_processor_id();
	return now();
}

/* The address of the VMCB. L1's stays the same for good, so it is kept; L2 has another. */
static __noinline __u64 vmcb_of(struct bpf_vcpu *v, bool nested)
{
	__u64 vmcb = 0;

	if (!v)
		return 0;
	if (v->vmcb && !nested)
		return v->vmcb;
	bpf_probe_read_kernel(&vmcb, sizeof(vmcb),
			      (void *)v->address + bpf_core_field_offset(struct vcpu_svm, vmcb));
	v->vmcb = nested ? 0 : vmcb;
	v->vmcb_key = nested ? 0 : key_at(vmcb);
	return vmcb;
}

static __always_inline __u64 rip_of(const struct kvm_vcpu *vcpu)
{
	return bpf_core_field_exists(vcpu->arch.rip) ? vcpu->arch.rip : vcpu->arch.regs[REGS_RIP];
}

/*
 * The VMCB as an object whose fields can be loaded, which takes half of a copy's time: KVM notes
 * for each CPU the VMCB of the vCPU that was loaded last, up to 6.12 at least, but not in 7.3.
 * NULL: it does not, or that VMCB is another one than @key's.
 */
static __always_inline const struct vmcb *vmcb_at(__u64 key)
{
	const struct svm_cpu_data *cpu = 0;
	const struct vmcb *vmcb;

	if (!&svm_data || !bpf_core_field_exists(cpu->current_vmcb))
		return 0;
	cpu = bpf_this_cpu_ptr(&svm_data);
	vmcb = cpu->current_vmcb;
	return vmcb && key_of(vmcb) == key ? vmcb : 0;
}

static __always_inline void read_vmcb(struct exit_facts *f, const struct vmcb *vmcb,
				      const struct vcpu_filter *in_force, bool with_cr3)
{
	f->reason = vmcb->control.exit_code;
	if (in_force->no_records)
		return;

	f->info_1 = vmcb->control.exit_info_1;
	f->info_2 = vmcb->control.exit_info_2;
	f->intr_info = vmcb->control.exit_int_info;
	if (f->intr_info & EXIT_KEY_VALID)
		f->error_code = vmcb->control.exit_int_info_err;
	f->has_cr3 = with_cr3;
	if (with_cr3)
		f->cr3 = vmcb->save.cr3;
}

/* The same by copies. */
static __always_inline void copy_vmcb(struct exit_facts *f, __u64 vmcb,
				      const struct vcpu_filter *in_force)
{
	const void *control = (void *)vmcb + bpf_core_field_offset(struct vmcb, control.exit_code);
	const void *cr3 = (void *)vmcb + bpf_core_field_offset(struct vmcb, save.cr3);

	if (in_force->no_records) {
		bpf_probe_read_kernel(f, sizeof(f->reason), control);
		return;
	}
	bpf_probe_read_kernel(f, EXIT_FACTS_VMCB_BYTES, control);
	f->has_cr3 = want_cr3;
	if (want_cr3)
		bpf_probe_read_kernel(&f->cr3, sizeof(f->cr3), cr3);
}

/* What a record needs to know of an exit apart from the VMCB. */
static __always_inline void read_registers_svm(struct exit_facts *f, const struct kvm_vcpu *vcpu)
{
	if (exit_key_needs_registers_svm(f->reason)) {
		f->rax = vcpu->arch.regs[REGS_RAX];
		f->rcx = vcpu->arch.regs[REGS_RCX];
		if (f->reason == SVM_MSR)
			f->rdx = vcpu->arch.regs[REGS_RDX];
	}
	f->rip = rip_of(vcpu);
	f->encrypted = bpf_core_field_exists(vcpu->arch.guest_state_protected) &&
		       vcpu->arch.guest_state_protected;
}

/* Opens the exit of a vCPU whose VMCB can't be had as an object. */
static __noinline int open_copied(struct bpf_vcpu *v, struct bpf_area *area,
				  const struct kvm_vcpu *vcpu, __u64 tsc, __u32 cpu)
{
	const struct vcpu_filter *in_force = filter_in_force();
	struct exit_facts f = {.cpu = cpu};

	if (!v || !area || !vcpu)
		return 0;
	f.nested = vcpu->stat.guest_mode != 0;
	copy_vmcb(&f, vmcb_of(v, f.nested), in_force);
	if (!in_force->no_records)
		read_registers_svm(&f, vcpu);
	vcpu_open(v, area, ring_mask, in_force, tsc, true, &f);
	return 0;
}

/* @any: with any option; else with none that would have to be looked at here. */
static __always_inline int exit_svm(struct kvm_vcpu *vcpu, const struct vcpu_filter *in_force,
				    bool any)
{
	struct exit_facts f = {0};
	const struct vmcb *vmcb;
	struct bpf_area *area;
	struct bpf_vcpu *v;
	__u32 index;
	__u64 tsc;

	if (!vcpu || (any && is_other()))
		return 0;
	v = find_vcpu(key_of(vcpu), &index);
	if (!v || v->ignored)
		return 0; /* kvm_entry makes it */
	area = on_exit(v, in_force);
	if (!area)
		return 0;

	tsc = exit_stamp(v, vcpu, in_force, &f.cpu);
	vmcb = vcpu->stat.guest_mode ? 0 : vmcb_at(v->vmcb_key);
	if (!vmcb)
		return open_copied(v, area, vcpu, tsc, f.cpu);

	read_vmcb(&f, vmcb, in_force, any && want_cr3);
	if (!in_force->no_records)
		read_registers_svm(&f, vcpu);
	vcpu_open(v, area, ring_mask, in_force, tsc, true, &f);
	return 0;
}

#endif
