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
 * A VM entry that failed with VMfail is not an exit: the one before stays open, as if
 * its time went on. The few cycles of the attempt itself are lost.
 */
static __always_inline void exit_ring_vmfail(struct exit_ring *er)
{
	er->exit_tsc -= er->cycles;
	WRITE_ONCE(er->shared->meta.vmfail, ++er->vmfail);
}

static __always_inline void exit_ring_phase_begin(struct exit_ring *er, enum exit_ring_phase phase)
{
	er->phase = phase;
	er->phase_tsc = rdtsc();
}

static __always_inline void exit_ring_phase_end(struct exit_ring *er, u64 *part, u32 flag)
{
	*part += rdtsc() - er->phase_tsc;
	er->phase = EXIT_RING_HANDLER;
	er->flags |= flag;
}

/* Outside KVM_RUN, where the TSC is missing in @er->user. */
static __always_inline bool exit_ring_in_user(struct exit_ring *er)
{
	return (s64)er->user < 0;
}

/* KVM_RUN begins; before vcpu_load() */
static __always_inline void exit_ring_run_begin(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	er->user += rdtsc();
	er->flags |= KVM_EXIT_REC_USER;
}

/* KVM_RUN returns r; after vcpu_put(), whose stamp is taken. */
static __always_inline void exit_ring_run_end(struct kvm_vcpu *vcpu, int r)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	er->user -= vcpu->arch.last_host_tsc;
	/* The first return is why the exit needed user space. */
	if (static_branch_unlikely(&exit_ring_recording) && !(er->flags & KVM_EXIT_REC_USER))
		er->user_reason = r < 0 && r != -EINTR ? KVM_EXIT_UNKNOWN : vcpu->run->exit_reason;
}

/* Around polling and blocking for a vCPU that has nothing to run. */
static __always_inline void exit_ring_halt_begin(struct kvm_vcpu *vcpu)
{
	exit_ring_phase_begin(exit_ring_of(vcpu), EXIT_RING_HALTED);
}

static __always_inline void exit_ring_halt_end(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	exit_ring_phase_end(er, &er->halted, KVM_EXIT_REC_HALTED);
}

/* The scheduler takes the thread off its CPU; vcpu->preempted: though it is runnable. */
static __always_inline void exit_ring_sched_out(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	/* The thread may also be in another ioctl than KVM_RUN, which is user space's time. */
	if (vcpu->preempted && er->phase == EXIT_RING_HANDLER && !exit_ring_in_user(er))
		exit_ring_phase_begin(er, EXIT_RING_PREEMPTED);
}

static __always_inline void exit_ring_sched_in(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	if (er->phase == EXIT_RING_PREEMPTED)
		exit_ring_phase_end(er, &er->preempted, KVM_EXIT_REC_PREEMPTED);
}

fastpath_t exit_ring_fastpath_taken(struct exit_ring *er, fastpath_t fastpath);

/* On what the vendor's vcpu_run() returned, IRQs off; returns what to do instead. */
static __always_inline fastpath_t exit_ring_fastpath(struct kvm_vcpu *vcpu, fastpath_t fastpath)
{
	if (static_branch_unlikely(&exit_ring_recording) && fastpath != EXIT_FASTPATH_NONE)
		return exit_ring_fastpath_taken(exit_ring_of(vcpu), fastpath);
	return fastpath;
}

void exit_ring_watermark_reached(struct kvm_vcpu *vcpu);

/*
 * Before handle_exit(), IRQs on: wakes the reader, and with on_full=wait holds a
 * vCPU whose ring is full. Never from the part with IRQs off before an entry:
 * the wake-up's IPI to this CPU would be an exit of its own.
 */
static __always_inline void exit_ring_wake(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er;
	u64 tail;

	if (!static_branch_unlikely(&exit_ring_recording))
		return;
	er = exit_ring_of(vcpu);
	if (likely(er->producer.head - er->producer.tail_seen < er->wake_at))
		return;
	tail = READ_ONCE(er->shared->tail.tail);
	if (tail != er->woken_tail)
		exit_ring_watermark_reached(vcpu);
}

/* The vendor module's vcpu_create(): proves that it has our hooks. */
static inline struct exit_ring *exit_ring_vendor(struct kvm_vcpu *vcpu, u8 isa)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	er->isa = isa;
	return er;
}

/* kvm.ko only */
unsigned int exit_ring_vcpu_size(unsigned int vcpu_size);
int exit_ring_vcpu_create(struct kvm_vcpu *vcpu);
void exit_ring_vcpu_register(struct kvm_vcpu *vcpu);
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
