// SPDX-License-Identifier: GPL-2.0-only
/*
 * record.bpf.c - records VM exits of a stock KVM
 *
 * Tracepoints and function entries instead of the hooks of kvm/patches, the same records in
 * the same rings. What an event means for a vCPU is in vcpu_record.h; here are the places
 * where events come from, and what each kernel says about them.
 *
 *	kvm_exit		vcpu_exited(), vcpu_open(): svm.h, vmx.h
 *	kvm_entry		vcpu_entry()
 *	kvm_fpu, kvm_userspace_exit		user space's time
 *	kvm_vcpu_halt(), kvm_vcpu_block(), kvm_vcpu_wakeup, KVM's statistics	halted time
 *	kvm_sched_out(), kvm_sched_in()		preempted time
 *	kvm_arch_vcpu_destroy()			the end of a ring
 *
 * Arguments of tracepoints may be NULL for the verifier from 6.12 on.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "collector/source/bpf/kernel/state.h"
#include "collector/source/bpf/kernel/svm.h"
#include "collector/source/bpf/kernel/vmx.h"

char LICENSE[] SEC("license") = "GPL";

#define MP_STATE_HALTED 3 /* KVM_MP_STATE_HALTED of <linux/kvm.h> */

/*
 * kvm_exit: the loader chooses one program. Each is compiled for what it does: an option that is
 * not given takes no test on the way.
 */

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_exit_svm, struct kvm_vcpu *vcpu)
{
	return exit_svm(vcpu, &no_filter, false);
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_exit_svm_counts, struct kvm_vcpu *vcpu)
{
	return exit_svm(vcpu, &counts_only, false);
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_exit_svm_any, struct kvm_vcpu *vcpu)
{
	return exit_svm(vcpu, filter_in_force(), true);
}

SEC("tp/kvm/kvm_exit")
int on_exit_vmx(struct trace_event_raw_kvm_exit *event)
{
	return exit_vmx(event, &no_filter, false);
}

SEC("tp/kvm/kvm_exit")
int on_exit_vmx_any(struct trace_event_raw_kvm_exit *event)
{
	return exit_vmx(event, filter_in_force(), true);
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_exit_vmx_counts, struct kvm_vcpu *vcpu)
{
	return exit_vmx_counts(vcpu, &counts_only, false);
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(on_exit_vmx_counts_any, struct kvm_vcpu *vcpu)
{
	return exit_vmx_counts(vcpu, filter_in_force(), true);
}

SEC("fentry/kvm_mmu_page_fault")
int BPF_PROG(on_page_fault, struct kvm_vcpu *vcpu, __u64 address)
{
	struct bpf_vcpu *v = find_asked(key_of(vcpu));

	if (v)
		set_address(v, address);
	return 0;
}

/* A misconfiguration that ioeventfd takes, without kvm_mmu_page_fault(). */
SEC("tp_btf/kvm_fast_mmio")
int BPF_PROG(on_fast_mmio, __u64 address)
{
	struct bpf_thread *thread;
	__u32 index;

	if (is_other())
		return 0;
	thread = this_thread(&index);
	if (thread && thread->vcpu)
		set_address(&vcpus[(thread->vcpu - 1) & (BPF_VCPUS - 1)], address);
	return 0;
}

/* The vCPU runs in this thread from now on; its time in user space ended with KVM_RUN. */
static __always_inline void bind_thread(struct bpf_vcpu *v, __u32 vcpu_index, __u64 tsc)
{
	__u32 pid = bpf_get_current_pid_tgid(), index;
	struct bpf_thread *thread = find_thread(pid, &index);

	if (!thread && make_thread(pid))
		thread = find_thread(pid, &index);
	if (!thread) {
		v->user_tsc = 0;
		return;
	}
	thread->vcpu = vcpu_index + 1;
	v->thread = index;
	if (v->user_tsc)
		vcpu_add_user(v, thread->run_tsc ? thread->run_tsc : tsc);
}

/* Adds what KVM's statistics of halted time have grown by. */
static __always_inline void count_halted(struct bpf_vcpu *v, const struct kvm_vcpu *vcpu)
{
	__u64 ns = halt_statistic(vcpu), poll_ns = poll_statistic(vcpu);

	vcpu_halt_over(v, cycles_of(ns - v->halt_ns), cycles_of(poll_ns - v->poll_ns));
	v->halt_ns = ns;
	v->poll_ns = poll_ns;
}

static __noinline int entered_again(struct bpf_vcpu *v)
{
	struct bpf_area *area;

	if (!v)
		return 0;
	area = area_of(v);
	vcpu_entry_again(v);
	if (area)
		area->meta.vmfail = v->vmfail;
	return 0;
}

/* No vCPU that is recorded has entered last on this CPU (VMX). */
static __always_inline void nobody_is_here(void)
{
	here[bpf_get_smp_processor_id() & (BPF_CPUS - 1)] = 0;
}

/* @vmx_records: exit_vmx() needs to know who entered; @any: with --vm. */
static __always_inline int enter(struct kvm_vcpu *vcpu, bool vmx_records, bool any)
{
	bool named = any && by_name;
	struct bpf_vcpu *v;
	bool is_new = false;
	__u32 index;
	__u64 tsc;

	if (!vcpu || (any && is_other()))
		return 0;

	tsc = now_unless(named);
	v = find_vcpu(key_of(vcpu), &index);
	if (named && v && v->ignored) {
		nobody_is_here();
		return 0;
	}
	tsc = now_if(named, tsc);
	if (!v) {
		v = make_vcpu(vcpu, &index);
		if (!v) {
			nobody_is_here();
			return 0;
		}
		is_new = true;
	}

	if (vmx_records) {
		v->nested = vcpu->stat.guest_mode != 0;
		here[bpf_get_smp_processor_id() & (BPF_CPUS - 1)] = index + 1;
	}
	if (v->ignored)
		return 0;

	if (!v->ring)
		take_ring(v, vcpu);
	if (is_new || v->user_tsc)
		bind_thread(v, index, tsc);
	if (v->halting) {
		count_halted(v, vcpu);
		v->halting = 0;
	}

	/* No exit since the last entry: the CPU refused it. */
	if (v->entered)
		entered_again(v);
	vcpu_entry(v, tsc);
	return 0;
}

/* kvm_entry: one of these, too. */

SEC("tp_btf/kvm_entry")
int BPF_PROG(on_entry, struct kvm_vcpu *vcpu)
{
	return enter(vcpu, false, false);
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(on_entry_vmx, struct kvm_vcpu *vcpu)
{
	return enter(vcpu, true, false);
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(on_entry_any, struct kvm_vcpu *vcpu)
{
	return enter(vcpu, isa == KVM_EXIT_ISA_VMX && !filter.no_records, true);
}

/* KVM_RUN loads the guest's FPU at its begin, once it has loaded the vCPU. */
SEC("tp_btf/kvm_fpu")
int BPF_PROG(on_fpu, int load)
{
	struct bpf_thread *thread;
	__u32 index;

	if (!load || is_other())
		return 0;
	thread = this_thread(&index);
	if (thread &&
	    !(by_name && thread->vcpu && is_ignored(&vcpus[(thread->vcpu - 1) & (BPF_VCPUS - 1)])))
		thread->run_tsc = now();
	return 0;
}

/* The vCPU in whose KVM_RUN @thread is, which has the place @index; or NULL. */
static __always_inline struct bpf_vcpu *vcpu_of(const struct bpf_thread *thread, __u32 index)
{
	struct bpf_vcpu *v;

	if (!thread || !thread->vcpu)
		return 0;
	v = &vcpus[(thread->vcpu - 1) & (BPF_VCPUS - 1)];
	return v->key && !is_ignored(v) && v->thread == index ? v : 0;
}

SEC("tp_btf/kvm_userspace_exit")
int BPF_PROG(on_run_end, __u32 reason, int error)
{
	struct bpf_thread *thread;
	struct bpf_vcpu *v;
	__u32 index;

	if (is_other())
		return 0;
	thread = this_thread(&index);
	v = vcpu_of(thread, index);
	if (v && v->is_open)
		vcpu_run_returned(v, now(), thread->run_tsc, reason, error);
	return 0;
}

/* The vCPU polls or blocks in kvm_vcpu_halt(). The time of a halt before it is known by now. */
static __always_inline void begin_halt(struct bpf_vcpu *v, const struct kvm_vcpu *vcpu)
{
	if (v->halting && halt_statistic(vcpu) != v->halt_ns)
		count_halted(v, vcpu);
	v->halting = 1;
}

/*
 * Polls and blocks. How long is known from KVM's own statistic once it is over. Debian's 6.12.117
 * attaches this program and never calls it; on_block() and on_wakeup() see the halts there.
 */
SEC("fentry/kvm_vcpu_halt")
int BPF_PROG(on_halt, struct kvm_vcpu *vcpu)
{
	struct bpf_vcpu *v = find_asked(key_of(vcpu));

	if (v)
		begin_halt(v, vcpu);
	return 0;
}

/* The end of kvm_vcpu_halt(), its statistic has moved: a halt that only polled. */
SEC("tp_btf/kvm_vcpu_wakeup")
int BPF_PROG(on_wakeup, __u64 ns, bool waited, bool valid)
{
	struct bpf_thread *thread;
	struct bpf_vcpu *v;
	__u32 index;

	if (is_other())
		return 0;
	thread = this_thread(&index);
	v = vcpu_of(thread, index);
	if (v)
		v->halting = 1;
	return 0;
}

/*
 * Blocks, in kvm_vcpu_halt() or without being halted: a vCPU that waits for INIT or SIPI. One that
 * waits for a page of the host is not halted at all: the host is at work for it.
 */
SEC("fentry/kvm_vcpu_block")
int BPF_PROG(on_block, struct kvm_vcpu *vcpu)
{
	struct bpf_vcpu *v = find_asked(key_of(vcpu));

	if (!v)
		return 0;
	if (vcpu->arch.mp_state == MP_STATE_HALTED)
		begin_halt(v, vcpu);
	else if (!vcpu->arch.apf.halted)
		v->block_tsc = now();
	return 0;
}

SEC("fexit/kvm_vcpu_block")
int BPF_PROG(on_block_end, struct kvm_vcpu *vcpu)
{
	struct bpf_vcpu *v = find_asked(key_of(vcpu));

	if (v && v->block_tsc) {
		vcpu_add_halted(v, now() - v->block_tsc);
		v->block_tsc = 0;
	}
	return 0;
}

/* The vCPU of the preempt notifier that is the first argument; a number to the verifier. */
static __always_inline __u64 vcpu_of_notifier(void *ctx)
{
	__u64 notifier = 0;

	bpf_get_func_arg(ctx, 0, &notifier);
	return notifier - bpf_core_field_offset(struct kvm_vcpu, preempt_notifier);
}

SEC("fentry/kvm_sched_out")
int on_sched_out(void *ctx)
{
	struct bpf_vcpu *v = find_asked(key_at(vcpu_of_notifier(ctx)));

	if (v) {
		v->out_tsc = now();
		v->delay_ns = run_delay();
	}
	return 0;
}

/* Whether the vCPU is in kvm_vcpu_halt() still, whose statistic moves at its end. */
static __always_inline bool is_halting(struct bpf_vcpu *v, __u64 vcpu)
{
	const struct kvm_vcpu *kernel = (const struct kvm_vcpu *)vcpu;
	__u64 ns;

	if (!v->halting)
		return false;
	ns = BPF_CORE_READ(kernel, stat.generic.halt_poll_success_ns) +
	     BPF_CORE_READ(kernel, stat.generic.halt_poll_fail_ns) +
	     BPF_CORE_READ(kernel, stat.generic.halt_wait_ns);
	return ns == v->halt_ns;
}

/* Whether the vCPU is outside KVM_RUN: another ioctl has loaded it. */
static __always_inline bool is_in_user_space(const struct bpf_vcpu *v)
{
	const struct bpf_thread *thread = &threads[v->thread & (BPF_THREADS - 1)];

	return v->user_tsc && (__s64)(thread->run_tsc - v->user_tsc) < 0;
}

/*
 * A thread that was preempted waited for a CPU all the time; one that had blocked, and one that
 * halts, as long as the scheduler says.
 */
SEC("fentry/kvm_sched_in")
int on_sched_in(void *ctx)
{
	__u64 vcpu = vcpu_of_notifier(ctx), tsc;
	struct bpf_vcpu *v = find_asked(key_at(vcpu));
	bool preempted, halting;

	if (!v || !v->out_tsc || is_in_user_space(v))
		return 0;
	tsc = now();
	/* It still says how it went out. */
	preempted = BPF_CORE_READ((struct kvm_vcpu *)vcpu, preempted);
	halting = is_halting(v, vcpu);
	if (preempted && !v->block_tsc && !halting)
		vcpu_add_preempted(v, tsc - v->out_tsc);
	else
		vcpu_waited(v, tsc, cycles_of(run_delay() - v->delay_ns), halting, preempted);
	v->out_tsc = 0;
	return 0;
}

SEC("fentry/kvm_arch_vcpu_create")
int BPF_PROG(on_create, struct kvm_vcpu *vcpu)
{
	__u64 *event;

	if (is_other())
		return 0;
	__sync_fetch_and_add(&vcpus_created, 1);
	event = bpf_ringbuf_reserve(&created_vcpus, sizeof(*event), 0);
	if (event)
		bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* Frees the place: the next vCPU may get the same memory. */
SEC("fentry/kvm_arch_vcpu_destroy")
int BPF_PROG(on_destroy, struct kvm_vcpu *vcpu)
{
	__u32 index;
	struct bpf_vcpu *v = find_vcpu(key_of(vcpu), &index);
	struct bpf_area *area;

	if (!v) {
		if (!is_other())
			__sync_fetch_and_add(&vcpus_unused, 1);
		return 0;
	}
	area = area_of(v);
	if (v->ignored)
		; /* not asked for, or stopped: its totals are read with the last exit open */
	else if (area)
		vcpu_destroyed(v, area, ring_mask, filter_in_force(), vcpu->arch.last_host_tsc);
	else
		__sync_fetch_and_add(&losses.no_ring, v->missed);

	__builtin_memset(&v->ring, 0, sizeof(*v) - __builtin_offsetof(struct bpf_vcpu, ring));
	barrier();
	*(volatile __u64 *)&v->key = 0;
	return 0;
}
