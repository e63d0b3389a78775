/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exit ring inside KVM: what the hooks of kvm.ko, kvm-intel.ko and
 * kvm-amd.ko call. All state belongs to kvm.ko; the vendor modules only import.
 * The meaning of every number is in uapi/kvm_exit_ring.h.
 *
 * The life of one exit:
 *	exit_ring_stamp_exit()	right after the guest was left (noinstr)
 *	exit_ring_exit()	IRQs off: closes the exit before, opens this one
 *	exit_ring_run_*(), exit_ring_phase_*()	in user space, halted, scheduled out
 *	exit_ring_stamp_entry()	right before the guest is entered (noinstr)
 *	exit_ring_exit()	of the next exit, or exit_ring_vcpu_destroy()
 */
#ifndef __KVM_X86_EXIT_RING_H
#define __KVM_X86_EXIT_RING_H

#include <linux/jump_label.h>
#include <linux/kref.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/wait.h>
#include <asm/msr.h>

#include "exit_ring_core.h"
#include "kvm_cache_regs.h"

/* What the vCPU does inside KVM_RUN. Only a HANDLER that is scheduled out is PREEMPTED. */
enum exit_ring_phase {
	EXIT_RING_HANDLER,
	EXIT_RING_HALTED,
	EXIT_RING_PREEMPTED,
	EXIT_RING_WAITING,	/* for the reader of a full ring; told as preempted */
};

/* What becomes of the open exit's record. */
enum exit_ring_fate {
	EXIT_RING_RESERVED,	/* the slot is being written */
	EXIT_RING_SIFTED,	/* reserved, if its cycles pass the reader's filter */
	EXIT_RING_DROPPED,	/* the ring was full */
	EXIT_RING_FILTERED,	/* the reader's reason mask leaves it out */
	EXIT_RING_FATES
};

/* There was no reader when the exit happened. */
#define EXIT_RING_UNREAD	U64_MAX

/*
 * struct exit_ring_buf - the records of one ring and what its reader wants
 * @rcu: frees it when no vCPU thread is inside exit_ring_close() any more
 * @id: a multiple of EXIT_RING_FATES; no two buffers have the same, none has 0
 * @records: vmalloc'ed
 * @count: records, a power of two
 * @filters: the reader does not want every exit
 * @one_in, @passed: every @one_in-th record that passes; @passed counts them
 * @min_cycles, @reason_mask: struct kvm_exit_ring_attach
 */
struct exit_ring_buf {
	struct rcu_head rcu;
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
 * struct exit_ring - one vCPU
 *
 * The first part is written by the vCPU thread alone.
 * @exit_tsc: start of the open exit, which is the last exit
 * @cycles: from the exit before the last entry to that entry
 * @total: slot of the open exit; &@scratch while there is none
 * @totals: @shared->totals
 * @flags: KVM_EXIT_REC_* gathered by the open exit
 * @phase, @phase_tsc: what the vCPU does, and since when if not HANDLER
 * @halted, @user, @preempted: cycles of the open exit elsewhere; the rest is the
 *		handler's. In user space @user still lacks the TSC of the next KVM_RUN
 * @open: the open exit's fate plus the id of the buffer that this is about, so that
 *		one comparison tells the usual case; or EXIT_RING_UNREAD
 * @record: the open exit's record if it is RESERVED or SIFTED
 * @user_reason, @isa: fields of that name in struct kvm_exit_record
 * @ident: vcpu_id and isa where they are in the last 8 bytes of a record
 * @buf, @buf_id, @wants_cr3: where to record to, its id, and whether with CR3;
 *		NULL, 0 and false without a reader; changed under exit_ring_lock
 * @plain_id: @buf_id if the reader wants every exit, else 0
 * @wake_at: unread records at which a waiting reader is woken
 * @woken_tail: tail when the reader was woken last, or needed no waking: until the
 *		tail moves a new poll() finds the ring ready
 */
struct exit_ring {
	u64 exit_tsc;
	u64 cycles;
	struct kvm_exit_total *total;
	struct kvm_exit_total *totals;
	u32 flags;
	u8 phase;
	u8 user_reason;
	u8 isa;
	bool wants_cr3;
	u64 ident;
	u64 phase_tsc;
	u64 halted;
	u64 user;
	u64 preempted;

	struct exit_ring_buf *buf;
	u64 buf_id;
	u64 plain_id;
	u64 open;
	struct kvm_exit_record *record;
	u32 wake_at;
	u64 woken_tail;
	u64 wakeups;
	u64 vmfail;
	struct exit_ring_producer producer;
	struct kvm_exit_total scratch;

	/* Under exit_ring_lock, but for the wait queues. */
	struct exit_ring_shared *shared;
	struct kvm *kvm;	/* NULL once the vCPU is gone */
	struct kref kref;
	struct list_head live;	/* in the list of exit_ring_host_sum() */
	bool attached;		/* a file reads the records */
	bool kept;		/* dead, unread and not attached */
	wait_queue_head_t readers;
};

/* Unread records at which poll() says POLLIN. */
static inline u32 exit_ring_watermark(u32 count)
{
	return min(count / 4, 4096U);
}

DECLARE_STATIC_KEY_FALSE(exit_ring_recording);
extern unsigned int exit_ring_offset;

/*
 * The pointer lies behind struct vcpu_vmx or vcpu_svm in the slab object, so
 * that no struct known to other modules changes and modversions stay equal.
 */
static __always_inline struct exit_ring **exit_ring_place(struct kvm_vcpu *vcpu)
{
	return (struct exit_ring **)((char *)vcpu + exit_ring_offset);
}

static __always_inline struct exit_ring *exit_ring_of(struct kvm_vcpu *vcpu)
{
	return *exit_ring_place(vcpu);
}

/* noinstr: RDTSC, a subtraction and a store, nothing else */
static __always_inline void exit_ring_stamp_entry(struct exit_ring *er)
{
	er->cycles = rdtsc() - er->exit_tsc;
}

static __always_inline void exit_ring_stamp_exit(struct exit_ring *er)
{
	er->exit_tsc = rdtsc();
}

/*
 * Adds to a counter that other CPUs read. One instruction, which can't tear and
 * needs no lock prefix: the vCPU thread is the only writer.
 *
 * A reader tells a copy of the totals that is of one instant by what it sums up to:
 * of a vCPU that lives, one exit is open. Therefore the order of an exit is: recorded,
 * dropped, filtered or unread (none is open), cycles, and last the next one's count;
 * the seq of a record is stored before or after all of the first two, but not between.
 */
static __always_inline void exit_ring_add(u64 *counter, u64 n)
{
#ifdef CONFIG_X86_64
	asm volatile("addq %1, %0" : "+m" (*counter) : "er" (n));
#else
	WRITE_ONCE(*counter, *counter + n);
#endif
}

/* The vCPU was elsewhere for a part of the open exit, apart from user space. */
#define EXIT_RING_AWAY	(KVM_EXIT_REC_HALTED | KVM_EXIT_REC_PREEMPTED)

void exit_ring_close(struct exit_ring *er, u64 cycles);

/*
 * Adds the open exit, which was in user space but not EXIT_RING_AWAY, to its total,
 * the cycles before their part.
 */
static __always_inline void exit_ring_add_user(struct exit_ring *er, u64 cycles, u64 user)
{
	struct kvm_exit_total *total = er->total;

	exit_ring_add(&total->cycles, cycles);
	exit_ring_add(&total->userspace_cycles, user);
	er->user = 0;
}

/*
 * exit_ring_close() for what nearly all exits are without a reader. Returns false
 * if the open one is not of that kind.
 */
static __always_inline bool exit_ring_close_unread(struct exit_ring *er, u64 cycles)
{
	struct kvm_exit_total *total = er->total;
	u32 flags = er->flags;
	u64 user;

	if (unlikely((s64)cycles < 0))
		return false;
	if (likely(!flags)) {
		exit_ring_add(&total->unread, 1);
		exit_ring_add(&total->cycles, cycles);
		return true;
	}
	user = er->user;
	if (unlikely(flags != KVM_EXIT_REC_USER || user > cycles))
		return false;
	exit_ring_add(&total->unread, 1);
	exit_ring_add_user(er, cycles, user);
	er->flags = 0;
	return true;
}

/*
 * An exit, IRQs off, once its reason is known: closes the one before, which took
 * so many cycles, and opens this one. counter is total->count or
 * total->synthesized. This is all that is done without a reader.
 */
static __always_inline void exit_ring_count(struct exit_ring *er, u64 cycles,
					    struct kvm_exit_total *total, u64 *counter)
{
	if (unlikely(!exit_ring_close_unread(er, cycles)))
		exit_ring_close(er, cycles);
	er->total = total;
	exit_ring_add(counter, 1);
}

/* exit_ring_close_unread() with a reader: publishes the open exit. */
static __always_inline bool exit_ring_close_recorded(struct exit_ring *er, u64 cycles)
{
	struct kvm_exit_record *record = er->record;
	struct kvm_exit_total *total = er->total;
	u32 flags = er->flags;
	u64 user = 0;

	if (unlikely(er->open != READ_ONCE(er->buf_id) + EXIT_RING_RESERVED || (s64)cycles < 0))
		return false;
	if (flags & (EXIT_RING_AWAY | KVM_EXIT_REC_USER)) {
		user = er->user;
		if (unlikely(flags & EXIT_RING_AWAY || user > cycles))
			return false;
		exit_ring_add(&total->recorded, 1);
		exit_ring_add_user(er, cycles, user);
		record->user_reason = er->user_reason;
	} else {
		exit_ring_add(&total->recorded, 1);
		exit_ring_add(&total->cycles, cycles);
	}
	record->cycles = cycles;
	record->handler_cycles = cycles - user;
	record->halted_cycles = 0;
	record->userspace_cycles = user;
	record->preempted_cycles = 0;
	record->flags = flags;
	exit_ring_publish(&er->producer, record);
	return true;
}

/* The last 8 bytes of a record, written at once. */
static __always_inline u64 *exit_ring_ident(struct kvm_exit_record *record)
{
	return (u64 *)&record->pcpu;
}

bool exit_ring_open_other(struct exit_ring *er);

/* Finds a slot for the open exit: @er->record; or returns false if it gets none. */
static __always_inline bool exit_ring_open(struct exit_ring *er)
{
	/* Pairs with the release in exit_ring_set_plain(). */
	u64 id = smp_load_acquire(&er->plain_id);

	if (unlikely(!id || exit_ring_seems_full(&er->producer)))
		return exit_ring_open_other(er);
	er->open = id + EXIT_RING_RESERVED;
	er->record = exit_ring_slot(&er->producer);
	return true;
}

/*
 * exit_ring_count() with a reader, for the vendor modules; the new exit began at
 * tsc. Fills in what is common of its slot, @er->record, or returns false if it
 * gets none. The caller writes guest_rip to key_aux but for guest_cr3, reason,
 * intr_info and error_code, and calls exit_ring_recorded().
 */
static __always_inline bool exit_ring_record(struct exit_ring *er, u64 cycles, u64 tsc,
					     struct kvm_exit_total *total, u64 *counter)
{
	struct kvm_exit_record *record;

	if (unlikely(!exit_ring_close_recorded(er, cycles)))
		exit_ring_close(er, cycles);
	er->total = total;
	exit_ring_add(counter, 1);
	if (unlikely(!exit_ring_open(er)))
		return false;
	record = er->record;
	record->tsc = tsc;
	record->guest_cr3 = 0;
	/* pcpu, vcpu_id, user_reason, isa and reserved in one store */
	*exit_ring_ident(record) = er->ident | (u32)raw_smp_processor_id();
	return true;
}

void exit_ring_record_guest(struct kvm_vcpu *vcpu, struct exit_ring *er);

/*
 * Ends the record of an exit, with the flags of what it has: whose exit it is, L1's
 * or L2's, and CR3 if the reader wants it. Both are rare, so they come last, where
 * nothing has to outlive the call.
 */
static __always_inline void exit_ring_recorded(struct kvm_vcpu *vcpu, struct exit_ring *er,
					       u32 flags)
{
	er->flags = flags;
	if (unlikely(er->wants_cr3 || is_guest_mode(vcpu)))
		exit_ring_record_guest(vcpu, er);
}

/* What the exit was about. Returns the flag of that. */
static __always_inline u32 exit_ring_key(struct kvm_exit_record *record, u64 key, u64 key_aux)
{
	record->key = key;
	record->key_aux = key_aux;
	return KVM_EXIT_REC_KEY;
}

static __always_inline u32 exit_ring_no_key(struct kvm_exit_record *record)
{
	exit_ring_key(record, 0, 0);
	return 0;
}

/*
 * A VM entry that failed with VMfail is no exit: the one before stays open, as if
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
