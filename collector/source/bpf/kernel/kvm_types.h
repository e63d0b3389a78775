/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_types.h - the fields of the kernel's structs that the BPF programs read
 *
 * Offsets come from the running kernel's BTF when the programs are loaded (CO-RE), not from
 * here. A field that a kernel lacks is asked for with bpf_core_field_exists() first.
 */
#ifndef EXITSCOPE_BPF_KVM_TYPES_H
#define EXITSCOPE_BPF_KVM_TYPES_H

#define CO_RE __attribute__((preserve_access_index))

struct kvm_arch {
	__u32 default_tsc_khz;
} CO_RE;

struct kvm {
	struct kvm_arch arch;
} CO_RE;

struct sched_info {
	unsigned long long run_delay; /* ns on a run queue without a CPU */
} CO_RE;

struct task_struct {
	struct sched_info sched_info;
} CO_RE;

struct preempt_notifier {
	void *ops;
} CO_RE;

struct kvm_vcpu_arch {
	unsigned long regs[17]; /* RIP is the last, up to 7.x */
	unsigned long rip;	/* from then on */
	__u64 l1_tsc_offset;
	__u64 l1_tsc_scaling_ratio;
	__u64 last_guest_tsc;
	__u64 last_host_tsc;
	int last_vmentry_cpu;
	int mp_state;
	struct {
		_Bool halted;
	} apf;
	_Bool guest_state_protected; /* from 5.11 on: SEV-ES and SNP */
} CO_RE;

struct kvm_vcpu_stat_generic {
	__u64 halt_poll_success_ns;
	__u64 halt_poll_fail_ns;
	__u64 halt_wait_ns;
} CO_RE;

struct kvm_vcpu_stat {
	struct kvm_vcpu_stat_generic generic;
	__u64 guest_mode;
} CO_RE;

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int vcpu_id;
	_Bool preempted;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
} CO_RE;

/* kvm-amd.ko */
struct vmcb_control_area {
	__u32 exit_code;
	__u64 exit_info_1;
	__u64 exit_info_2;
	__u32 exit_int_info;
	__u32 exit_int_info_err;
} CO_RE;

struct vmcb_save_area {
	__u64 cr3;
} CO_RE;

struct vmcb {
	struct vmcb_control_area control;
	struct vmcb_save_area save;
} CO_RE;

struct vcpu_svm {
	struct vmcb *vmcb;
} CO_RE;

struct svm_cpu_data {
	struct vmcb *current_vmcb; /* of the vCPU that was loaded last on this CPU */
} CO_RE;

/* kvm-intel.ko; in struct vcpu_vt from 6.16 on */
union vmx_exit_reason {
	__u32 full;
} CO_RE;

struct vcpu_vmx {
	union vmx_exit_reason exit_reason;
} CO_RE;

struct vcpu_vt {
	union vmx_exit_reason exit_reason;
} CO_RE;

struct vcpu_vmx___vt {
	struct vcpu_vt vt;
} CO_RE;

/* The kvm_exit event as ftrace and perf see it: all that KVM itself reads of an exit. */
struct trace_event_raw_kvm_exit {
	unsigned int exit_reason;
	unsigned long guest_rip;
	__u32 isa;
	__u64 info1;
	__u64 info2;
	__u32 intr_info;
	__u32 error_code;
} CO_RE;

#endif
