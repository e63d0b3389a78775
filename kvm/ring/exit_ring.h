/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_ring.h - one exit ring as KVM sees it: its state, and its way through kvm.ko
 *
 * All state belongs to kvm.ko; the vendor modules only import. What the hooks call is in
 * exit_ring_hooks.h, the path of an exit with IRQs off in exit_ring_fast.h. The meaning of
 * every number is in uapi/kvm_exit_ring.h.
 */
#ifndef __KVM_X86_EXIT_RING_H
#define __KVM_X86_EXIT_RING_H

#include <linux/irq_work.h>
#include <linux/jump_label.h>
#include <linux/kref.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <asm/msr.h>

#include "exit_ring_core.h"
#include "exit_ring_series.h"

/* What the vCPU does inside KVM_RUN. Only a HANDLER that is scheduled out is PREEMPTED. */
enum exit_ring_phase {
	EXIT_RING_HANDLER,
	EXIT_RING_HALTED,
	EXIT_RING_PREEMPTED,
	EXIT_RING_WAITING,	/* for the reader of a full ring; counted as preempted */
};

/*
 * Status of the open exit, and what closing it does
 *
 *	status		holds a slot	the close counts it as
 *	RESERVED	yes		recorded: publishes the slot
 *	PENDING_FILTER	yes		recorded if its cycles pass the filter, else filtered
 *	DROPPED		no: ring full	dropped, or filtered if its cycles don't pass
 *	FILTERED	no: reason mask	filtered
 *	UNREAD		no: no reader	unread
 * If the reader has gone or changed in the meantime, the close counts it as unread.
 */
enum exit_ring_status {
	EXIT_RING_RESERVED,
	EXIT_RING_PENDING_FILTER,
	EXIT_RING_DROPPED,
	EXIT_RING_FILTERED,
	EXIT_RING_STATUSES
};

/* In place of status plus buffer id: there was no reader when the exit happened. */
#define EXIT_RING_UNREAD	U64_MAX

/*
 * struct exit_ring_buf - the records of one ring and its reader's filter
 * @rcu: frees it when no vCPU thread is inside exit_ring_close() any more
 * @bytes: of memory, as exit_ring_memory counts them
 * @arming: number of the arming that it was made for, or 0
 * @id: a multiple of EXIT_RING_STATUSES; no two buffers have the same, none has 0
 * @records: vmalloc'ed
 * @count: records, a power of two
 * @filters: some exits are left out
 * @one_in, @passed: every @one_in-th record that passes; @passed counts them
 * @min_cycles, @reason_mask: struct kvm_exit_ring_attach
 */
struct exit_ring_buf {
	struct rcu_head rcu;
	u64 bytes;
	u64 arming;
	u64 id;
	struct kvm_exit_record *records;
	u32 count;
	bool filters;
	u32 one_in;
	u32 passed;
	u64 min_cycles;
	u64 reason_mask[KVM_EXIT_TOTAL_SLOTS / 64];
};

/*
 * struct exit_ring_shared - what user space may map of every ring, page by page
 * Zeroed, vmalloc'ed and page aligned.
 */
struct exit_ring_shared {
	union {
		struct kvm_exit_ring_meta meta;
		u8 page0[PAGE_SIZE];
	};
	union {
		struct kvm_exit_ring_tail tail;
		u8 page1[PAGE_SIZE];
	};
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
};

/*
 * struct exit_ring_waiter - an open file, as poll() and epoll see it
 * @node: in the list of all of them
 * @wait: who polls. One queue from open() to close(), because epoll registers only once,
 *	maybe before the file is attached
 * @er: the attached ring, or NULL
 */
struct exit_ring_waiter {
	struct rcu_head rcu;
	struct list_head node;
	wait_queue_head_t wait;
	struct exit_ring *er;
};

/*
 * struct exit_ring - one vCPU
 *
 * The first part is written by the vCPU thread alone.
 * @exit_tsc: points at the TSC of the last exit, which begins the open one, in struct vcpu_vmx
 *		or vcpu_svm. The stamps write it, and after it the cycles up to the last entry
 * @total: slot of the open exit; &@scratch while there is none
 * @totals: @shared->totals
 * @flags: KVM_EXIT_REC_* of the open exit if it has a record, without those of @slow and @user
 * @slow: those that only exit_ring_close() deals with: the vCPU was halted or preempted, or KVM
 *		injected an event
 * @phase, @phase_tsc: what the vCPU does, and since when; of HANDLER, since when its thread
 *		is off its CPU
 * @run_delay_ns: sched_info.run_delay of the thread when it went off its CPU
 * @halted, @user, @preempted: cycles of the open exit elsewhere; the rest is the
 *		handler's. In user space @user still lacks the TSC of the next KVM_RUN;
 *		later it is not 0 if KVM_RUN has returned
 * @polled, @poll_tsc: part of @halted; since when it is polling, 0: it is not
 * @open: status of the open exit + @buf->id, or EXIT_RING_UNREAD. Buffer ids are multiples
 *		of EXIT_RING_STATUSES, so one comparison tests both
 * @record: the open exit's record if it is RESERVED or PENDING_FILTER
 * @user_reason, @isa, @run_errno: fields of that name in struct kvm_exit_record
 * @vcpu: whose ring it is; gone when exit_ring_vcpu_destroy() is through
 * @ident: vcpu_id and isa where they are in the last 8 bytes of a record
 * @buf, @buf_id, @has_cr3: where to record to, its id, and whether with CR3;
 *		NULL, 0 and false without a reader; changed under exit_ring_lock
 * @unfiltered_id: @buf_id if there is no filter, else 0
 * @used, @used_count: slots of @totals that were seen in use, maybe not all of them: see
 *		exit_ring_sum_all() of cpuid_leaves.c. New ones are added at the end, under
 *		@used_lock
 * @vm_next: another vCPU of the VM, in a circle of all that readers may find
 * @stat_exits: KVM's own statistic of the vCPU's exits
 * @reentered: exits that this statistic does not see
 * @grace: RCU's state when the last buffer was taken away
 * @wake_at: unread records at which a waiting reader is woken
 * @woken_tail: tail when the reader was woken last, or needed no waking: until the
 *		tail moves a new poll() finds the ring ready
 * @wake_work: wakes the reader as soon as IRQs are on
 */
struct exit_ring {
	const u64 *exit_tsc;
	struct kvm_exit_total *total;
	struct kvm_exit_total *totals;
	u32 flags;
	u32 slow;
	/* the last 4 bytes of a record, in their order */
	u8 user_reason;
	u8 isa;
	u16 run_errno;
	u8 phase;
	bool has_cr3;
	u64 ident;
	u64 phase_tsc;
	u64 run_delay_ns;
	u64 halted;
	u64 user;
	u64 preempted;
	u64 polled;
	u64 poll_tsc;

	struct exit_ring_buf *buf;
	u64 buf_id;
	u64 unfiltered_id;
	u64 open;
	struct kvm_exit_record *record;
	u32 wake_at;
	u64 woken_tail;
	u64 wakeups;
	struct irq_work wake_work;
	u64 vmfail;
	u64 reentered;
	struct exit_ring_producer producer;
	struct kvm_exit_total scratch;
	struct kvm_vcpu *vcpu;

	u8 used[KVM_EXIT_TOTAL_SLOTS];
	unsigned int used_count;
	spinlock_t used_lock;
	struct exit_ring *vm_next;
	const u64 *stat_exits;

	/* Under exit_ring_lock. The vCPU thread reads @reader inside an RCU read section. */
	struct exit_ring_shared *shared;
	struct kvm *kvm;	/* NULL once the vCPU is gone */
	struct kref kref;
	struct list_head live;	/* in the list of exit_ring_host_sum() */
	bool attached;		/* a file reads the records */
	bool refused;		/* armed, but there was no memory for its records */
	bool orphaned;	/* dead, unread or refused, and not attached */
	unsigned long grace;
	struct exit_ring_waiter *reader; /* the file that reads the records, or NULL */
};

/* Unread records at which poll() says POLLIN. */
static inline u32 exit_ring_watermark(u32 count)
{
	return min(count / 4, 4096U);
}

/* Rings of a vCPU's exits are made and written: not with the parameter hooks=0. */
DECLARE_STATIC_KEY_TRUE(exit_ring_hooks);
/* True while a file has armed recording or is attached for records. */
DECLARE_STATIC_KEY_FALSE(exit_ring_recording);
/* on_full=wait */
DECLARE_STATIC_KEY_FALSE(exit_ring_waits);
extern unsigned int exit_ring_offset;

/*
 * The pointer lies after struct vcpu_vmx or vcpu_svm in the slab object, so
 * that no struct known to other modules changes and modversions stay equal.
 */
static __always_inline struct exit_ring **exit_ring_slot_of_vcpu(struct kvm_vcpu *vcpu)
{
	return (struct exit_ring **)((char *)vcpu + exit_ring_offset);
}

/* NULL with hooks=0. */
static __always_inline struct exit_ring *exit_ring_of(struct kvm_vcpu *vcpu)
{
	return *exit_ring_slot_of_vcpu(vcpu);
}

/* The first thing that a hook asks: nothing else of it runs with hooks=0. */
static __always_inline bool exit_ring_is_on(void)
{
	return static_branch_likely(&exit_ring_hooks);
}

#endif
