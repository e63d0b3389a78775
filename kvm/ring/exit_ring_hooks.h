/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_ring_hooks.h - what the hooks of kvm.ko, kvm-intel.ko and kvm-amd.ko call
 *
 * The life of one exit:
 *	exit_ring_stamp_exit()	right after the guest was left (noinstr)
 *	vmx_exit_ring_exit(), svm_exit_ring_exit()
 *				IRQs off: closes the exit before, opens this one
 *	exit_ring_run_*(), exit_ring_halt_*(), exit_ring_sched_*()
 *				in user space, halted, scheduled out
 *	exit_ring_stamp_entry()	right before the guest is entered (noinstr)
 *	vmx_exit_ring_exit()	of the next exit, or exit_ring_vcpu_destroy()
 */
#ifndef __KVM_X86_EXIT_RING_HOOKS_H
#define __KVM_X86_EXIT_RING_HOOKS_H

#include "exit_ring_fast.h"

/*
 * A phase begins or ends with a stamp that is read and then stored or subtracted. In between, the
 * scheduler's hooks must not move what it is compared with: preemption is off.
 */
static __always_inline void exit_ring_phase_begin(struct exit_ring *er, enum exit_ring_phase phase)
{
	lockdep_assert_preemption_disabled();
	er->phase = phase;
	er->phase_tsc = rdtsc();
}

static __always_inline void exit_ring_phase_end(struct exit_ring *er, u64 *part, u32 flag)
{
	lockdep_assert_preemption_disabled();
	*part += rdtsc() - er->phase_tsc;
	er->phase = EXIT_RING_HANDLER;
	er->slow |= flag;
}

/* KVM_RUN in another thread than the last time: once in the life of nearly all vCPUs */
static inline void exit_ring_new_thread(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on())
		WRITE_ONCE(exit_ring_of(vcpu)->shared->meta.tid, task_pid_nr(current));
}

/* Outside KVM_RUN, where the TSC is missing in @er->user. */
static __always_inline bool exit_ring_in_user(struct exit_ring *er)
{
	return (s64)er->user < 0;
}

/* KVM_RUN begins; before vcpu_load() */
static __always_inline void exit_ring_run_begin(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on())
		exit_ring_of(vcpu)->user += rdtsc();
}

void exit_ring_run_failed(struct exit_ring *er, int r);

/* KVM_RUN returns r; after vcpu_put(), whose stamp is taken. */
static __always_inline void exit_ring_run_end(struct kvm_vcpu *vcpu, int r)
{
	struct exit_ring *er;

	if (!exit_ring_is_on())
		return;
	er = exit_ring_of(vcpu);
	if (!static_branch_unlikely(&exit_ring_recording)) {
		er->user -= vcpu->arch.last_host_tsc;
		return;
	}

	/* The first return is why the exit needed user space. Barriers: no value is kept. */
	if (er->user) {
		barrier();
		er->user -= vcpu->arch.last_host_tsc;
		return;
	}
	barrier();
	er->user -= vcpu->arch.last_host_tsc;
	er->user_reason = vcpu->run->exit_reason;
	er->run_errno = 0;
	if (unlikely(r < 0))
		exit_ring_run_failed(er, r);
}

/* Inside kvm_vcpu_halt(): polls, until it blocks or need not. */
static __always_inline void exit_ring_poll_begin(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er;

	if (!exit_ring_is_on())
		return;
	er = exit_ring_of(vcpu);
	preempt_disable();
	if (er->phase == EXIT_RING_HALTED)
		er->poll_tsc = rdtsc();
	preempt_enable();
}

static __always_inline void exit_ring_add_polled(struct exit_ring *er)
{
	lockdep_assert_preemption_disabled();
	if (!er->poll_tsc)
		return;
	er->polled += rdtsc() - er->poll_tsc;
	er->poll_tsc = 0;
	er->slow |= KVM_EXIT_REC_POLLED;
}

/* Where polling ends in a function that goes on to block (5.10). */
static __always_inline void exit_ring_poll_end(struct kvm_vcpu *vcpu)
{
	if (!exit_ring_is_on())
		return;
	preempt_disable();
	exit_ring_add_polled(exit_ring_of(vcpu));
	preempt_enable();
}

/*
 * Around polling and blocking for a vCPU that has nothing to run. One is inside the other:
 * returns whether it is the outer one, which exit_ring_halt_end() ends. A vCPU that waits
 * for a page of the host is not halted: the host is at work for it.
 */
static __always_inline bool exit_ring_halt_begin(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er;
	bool begins;

	if (!exit_ring_is_on())
		return false;
	er = exit_ring_of(vcpu);
	preempt_disable();
	exit_ring_add_polled(er);
	begins = er->phase == EXIT_RING_HANDLER && !vcpu->arch.apf.halted;
	if (begins)
		exit_ring_phase_begin(er, EXIT_RING_HALTED);
	preempt_enable();
	return begins;
}

static __always_inline void exit_ring_halt_end(struct kvm_vcpu *vcpu, bool halted)
{
	struct exit_ring *er;

	if (!halted)
		return;
	er = exit_ring_of(vcpu);
	preempt_disable();
	exit_ring_add_polled(er);
	exit_ring_phase_end(er, &er->halted, KVM_EXIT_REC_HALTED);
	preempt_enable();
}

void exit_ring_sched_out_vcpu(struct kvm_vcpu *vcpu);
void exit_ring_sched_in_vcpu(struct kvm_vcpu *vcpu);

static __always_inline void exit_ring_sched_out(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on())
		exit_ring_sched_out_vcpu(vcpu);
}

static __always_inline void exit_ring_sched_in(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on())
		exit_ring_sched_in_vcpu(vcpu);
}

fastpath_t exit_ring_fastpath_taken(struct exit_ring *er, fastpath_t fastpath);

/* On what the vendor's vcpu_run() returned, IRQs off; returns what to do instead. */
static __always_inline fastpath_t exit_ring_fastpath(struct kvm_vcpu *vcpu, fastpath_t fastpath)
{
	if (static_branch_unlikely(&exit_ring_recording) && fastpath != EXIT_FASTPATH_NONE)
		return exit_ring_fastpath_taken(exit_ring_of(vcpu), fastpath);
	return fastpath;
}

bool exit_ring_wait_for_room(struct exit_ring *er, struct kvm_vcpu *vcpu);

/*
 * Before vcpu_enter_guest(): with on_full=wait a vCPU does not enter its guest until the next
 * exit will find a slot. Returns false if a signal ended the wait: KVM_RUN returns for it, as
 * it does from any other place, and the next KVM_RUN waits again.
 */
static __always_inline bool exit_ring_may_enter(struct kvm_vcpu *vcpu)
{
	if (!static_branch_unlikely(&exit_ring_waits))
		return true;
	return exit_ring_wait_for_room(exit_ring_of(vcpu), vcpu);
}

/* The vendor module's vcpu_create(): proves that it has our hooks. exit_tsc: of struct exit_ring */
static inline struct exit_ring *exit_ring_vendor(struct kvm_vcpu *vcpu, u8 isa, const u64 *exit_tsc)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	if (er) {
		er->isa = isa;
		er->exit_tsc = exit_tsc;
	}
	return er;
}

/* kvm.ko only */
unsigned int exit_ring_vcpu_size(unsigned int vcpu_size);
int exit_ring_vcpu_create(struct kvm_vcpu *vcpu);
void exit_ring_vcpu_register(struct kvm_vcpu *vcpu);
void exit_ring_vcpu_publish(struct kvm_vcpu *vcpu);
void exit_ring_vcpu_destroy(struct kvm_vcpu *vcpu);
bool exit_ring_leaf(struct kvm_vcpu *vcpu, u32 leaf, u32 index,
		    u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);

/* Answers one of the four leaves 0x4FFFFFFC to 0x4FFFFFFF, or returns false. */
static __always_inline bool exit_ring_cpuid(struct kvm_vcpu *vcpu, u32 leaf, u32 index,
					    u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	return unlikely(leaf - 0x4ffffffcU <= 3) &&
	       exit_ring_leaf(vcpu, leaf, index, eax, ebx, ecx, edx);
}

int exit_ring_init_leaves(void);
int exit_ring_init(void);
void exit_ring_fini(void);

#endif
