/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_ring_fast.h - the path of an exit: inlined into the vendor's vcpu_run(), IRQs off
 *
 * Everything here runs once per exit and must be short; what is rare is in exit_ring.c.
 */
#ifndef __KVM_X86_EXIT_RING_FAST_H
#define __KVM_X86_EXIT_RING_FAST_H

#include "exit_ring.h"

#ifndef CONFIG_X86_64
#error "exit rings need x86-64: 64-bit counters that other CPUs read are stored by one instruction"
#endif

/*
 * noinstr: RDTSC, a subtraction and a store, nothing else. @v: struct vcpu_vmx or vcpu_svm, which
 * have the two numbers themselves, so that no pointer to the ring is loaded.
 */
#define exit_ring_stamp_entry(v)					\
	do {								\
		if (exit_ring_is_on())					\
			(v)->exit_cycles = rdtsc() - (v)->exit_tsc;	\
	} while (0)
#define exit_ring_stamp_exit(v)						\
	do {								\
		if (exit_ring_is_on())					\
			(v)->exit_tsc = rdtsc();			\
	} while (0)

/*
 * Adds to a counter that other CPUs read. One instruction can't tear. The vCPU thread is
 * the only writer, so no lock prefix is needed.
 *
 * Readers detect an inconsistent copy of the totals by its sums (a live vCPU has exactly
 * one open exit), so the store order matters:
 *	1. recorded, dropped, filtered or unread
 *	2. cycles
 *	3. the count of the next exit
 * Store the record's seq before step 1 or after step 2, never between.
 */
static __always_inline void exit_ring_add(u64 *counter, u64 n)
{
	asm volatile("addq %1, %0" : "+m" (*counter) : "er" (n));
}

void exit_ring_close(struct exit_ring *er, u64 cycles);

/*
 * Adds the open exit, which was in user space but has no @er->slow, to its total: the
 * cycles first, so that a reader never sees a part without them.
 */
static __always_inline void exit_ring_add_user(struct exit_ring *er, struct kvm_exit_total *total,
					       u64 cycles, u64 user)
{
	exit_ring_add(&total->cycles, cycles);
	exit_ring_add(&total->userspace_cycles, user);
	er->user = 0;
}

/*
 * exit_ring_close() for what nearly all exits are without a reader. Returns false
 * if the open one is not of that kind.
 */
static __always_inline bool exit_ring_close_fast_unread(struct exit_ring *er, u64 cycles)
{
	struct kvm_exit_total *total = er->total;
	u64 user;

	if (unlikely((s64)cycles < 0))
		return false;
	if (likely(!(er->slow | er->user))) {
		exit_ring_add(&total->unread, 1);
		exit_ring_add(&total->cycles, cycles);
		return true;
	}
	barrier(); /* they are read again: to keep them would cost the path above */
	if (unlikely(er->slow))
		return false;
	user = er->user;
	if (unlikely(user > cycles))
		return false;
	exit_ring_add(&total->unread, 1);
	exit_ring_add_user(er, total, cycles, user);
	return true;
}

/*
 * An exit, IRQs off, once its reason is known: closes the one before, which took @cycles. This
 * and exit_ring_count() are all that is done without a reader.
 */
static __always_inline void exit_ring_close_unread(struct exit_ring *er, u64 cycles)
{
	if (unlikely(!exit_ring_close_fast_unread(er, cycles)))
		exit_ring_close(er, cycles);
}

/* Opens the exit. counter is total->count or total->synthesized. */
static __always_inline void exit_ring_count(struct exit_ring *er, struct kvm_exit_total *total,
					    u64 *counter)
{
	er->total = total;
	exit_ring_add(counter, 1);
}

/* user_reason, isa and run_errno in one store */
static __always_inline void exit_ring_record_user(struct exit_ring *er,
						  struct kvm_exit_record *record)
{
	*(u32 *)&record->user_reason = *(u32 *)&er->user_reason;
}

/* entry_event and entry_error_code in one store */
static __always_inline u64 *exit_ring_event(struct kvm_exit_record *record)
{
	return (u64 *)&record->entry_event;
}

/* Whether somebody records this vCPU, not only another one. */
static __always_inline bool exit_ring_is_recorded(struct exit_ring *er)
{
	return static_branch_unlikely(&exit_ring_recording) && READ_ONCE(er->buf);
}

/* Whether the open exit has a record in the present buffer. IRQs off */
static inline bool exit_ring_holds_slot(struct exit_ring *er)
{
	return er->open - READ_ONCE(er->buf_id) <= EXIT_RING_PENDING_FILTER;
}

/* exit_ring_close_fast_unread() with a reader: publishes the open exit. */
static __always_inline bool exit_ring_close_fast_recorded(struct exit_ring *er, u64 cycles)
{
	struct kvm_exit_record *record = er->record;
	struct kvm_exit_total *total = er->total;
	u32 flags = er->flags;
	u64 user = 0;

	if (unlikely(er->open != READ_ONCE(er->buf_id) + EXIT_RING_RESERVED || (s64)cycles < 0))
		return false;
	if (likely(!(er->slow | er->user))) {
		exit_ring_add(&total->recorded, 1);
		exit_ring_add(&total->cycles, cycles);
	} else {
		barrier(); /* as above */
		if (unlikely(er->slow))
			return false;
		user = er->user;
		if (unlikely(user > cycles))
			return false;
		flags |= KVM_EXIT_REC_USER;
		exit_ring_add(&total->recorded, 1);
		exit_ring_add_user(er, total, cycles, user);
		exit_ring_record_user(er, record);
	}
	record->cycles = cycles;
	record->handler_cycles = cycles - user;
	record->halted_cycles = 0;
	record->userspace_cycles = user;
	record->preempted_cycles = 0;
	record->flags = flags;
	record->polled_cycles = 0;
	*exit_ring_event(record) = 0;
	exit_ring_publish(&er->producer, record);
	return true;
}

/* The last 8 bytes of a record, written at once. */
static __always_inline u64 *exit_ring_ident(struct kvm_exit_record *record)
{
	return (u64 *)&record->pcpu;
}

bool exit_ring_open_slow(struct exit_ring *er);

/*
 * Finds a slot for the open exit: @er->record; or returns false if it gets none. Below the
 * watermark there is one and nobody to wake, so that one comparison does for both.
 */
static __always_inline bool exit_ring_open(struct exit_ring *er)
{
	/* Pairs with the release in exit_ring_set_unfiltered(). */
	u64 id = smp_load_acquire(&er->unfiltered_id);

	if (unlikely(!id || er->producer.head - er->producer.tail_seen >= READ_ONCE(er->wake_at)))
		return exit_ring_open_slow(er);
	er->open = id + EXIT_RING_RESERVED;
	er->record = exit_ring_slot(&er->producer);
	return true;
}

/*
 * The open exit ended with an entry that injected an event. KVM has not yet dealt with the next
 * exit, so what it injected is still there.
 */
static __always_inline void exit_ring_note_event(struct kvm_vcpu *vcpu, struct exit_ring *er)
{
	if (unlikely(vcpu->arch.exception.injected | vcpu->arch.interrupt.injected |
		     vcpu->arch.nmi_injected))
		er->slow |= KVM_EXIT_REC_EVENT;
}

/* exit_ring_close_unread() with a reader */
static __always_inline void exit_ring_close_recorded(struct exit_ring *er, u64 cycles)
{
	if (unlikely(!exit_ring_close_fast_recorded(er, cycles)))
		exit_ring_close(er, cycles);
}

/*
 * exit_ring_count() with a reader, for the vendor modules. Fills in what is common of the
 * exit's slot, *out, or returns false if it gets none. The caller writes tsc to key_aux except
 * guest_cr3, reason, intr_info and error_code, and calls exit_ring_finish_fill().
 */
static __always_inline bool exit_ring_record(struct exit_ring *er, struct kvm_exit_total *total,
					     u64 *counter, struct kvm_exit_record **out)
{
	struct kvm_exit_record *record;

	er->total = total;
	exit_ring_add(counter, 1);
	if (unlikely(!exit_ring_open(er)))
		return false;
	record = er->record;
	record->guest_cr3 = 0;
	record->value = 0;
	/* pcpu, vcpu_id, user_reason, isa and run_errno in one store */
	*exit_ring_ident(record) = er->ident | (u32)raw_smp_processor_id();
	*out = record;
	return true;
}

void exit_ring_record_guest(struct kvm_vcpu *vcpu, struct exit_ring *er);

/*
 * Ends the filling of a record, with the flags of what it has: whose exit it is, L1's or
 * L2's, and CR3 if it was requested. Both are rare. Calling here, at the end, means no
 * register must be saved across the call.
 */
static __always_inline void exit_ring_finish_fill(struct kvm_vcpu *vcpu, struct exit_ring *er,
						  struct kvm_exit_record *record, u32 flags)
{
	er->flags = flags | KVM_EXIT_REC_REQUESTS;
	record->requests = READ_ONCE(vcpu->requests);
	if (unlikely(er->has_cr3 || is_guest_mode(vcpu)))
		exit_ring_record_guest(vcpu, er);
}

/* What the exit was about. Returns the flag of that. */
static __always_inline u32 exit_ring_key(struct kvm_exit_record *record, u64 key, u64 key_aux)
{
	record->key = key;
	record->key_aux = key_aux;
	return KVM_EXIT_REC_KEY;
}

/* What the guest wrote. Returns the flag of that. */
static __always_inline u32 exit_ring_value(struct kvm_exit_record *record, u64 value)
{
	record->value = value;
	return KVM_EXIT_REC_VALUE;
}

/* EAX of an OUT of @size bytes, 1, 2 or 4 */
static __always_inline u32 exit_ring_out_value(struct kvm_exit_record *record, u32 eax, u32 size)
{
	static const u32 mask[] = { [1] = 0xff, [2] = 0xffff, [4] = U32_MAX, [8] = 0 };

	return exit_ring_value(record, eax & mask[size]);
}

/* EDX:EAX of WRMSR */
static __always_inline u32 exit_ring_msr_value(struct kvm_exit_record *record,
					       const unsigned long *regs)
{
	return exit_ring_value(record, (u32)regs[VCPU_REGS_RAX] | (u64)regs[VCPU_REGS_RDX] << 32);
}

static __always_inline u32 exit_ring_no_key(struct kvm_exit_record *record)
{
	exit_ring_key(record, 0, 0);
	return 0;
}

#endif
