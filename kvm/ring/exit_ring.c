// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit ring's producer: one struct exit_ring per vCPU, from its creation to
 * its destruction. The device that readers use is in exit_ring_dev.c.
 */
#define pr_fmt(fmt) "kvm: exit_ring: " fmt

#include <linux/minmax.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "exit_ring_dev.h"
#include "x86.h"

DEFINE_STATIC_KEY_TRUE(exit_ring_hooks);
EXIT_RING_EXPORT(exit_ring_hooks);
DEFINE_STATIC_KEY_FALSE(exit_ring_recording);
EXIT_RING_EXPORT(exit_ring_recording);
DEFINE_STATIC_KEY_FALSE(exit_ring_waits);

/* Bytes from the start of a vCPU's slab object to the pointer to its ring. */
unsigned int exit_ring_offset __read_mostly;
EXIT_RING_EXPORT(exit_ring_offset);

/* Checks the parts of the open exit. Returns cycles, or 0 if the parts are inconsistent. */
static u64 exit_ring_check_parts(struct exit_ring *er, u64 cycles)
{
	u64 away = er->halted + er->user + er->preempted;

	/* Each is the difference of two stamps, maybe of two CPUs. */
	if (unlikely((s64)(cycles | er->halted | er->user | er->preempted) < 0 ||
		     away > cycles || er->polled > er->halted)) {
		er->halted = 0;
		er->polled = 0;
		er->user = 0;
		er->preempted = 0;
		er->flags |= KVM_EXIT_REC_TSC_BACK;
		return 0;
	}
	return cycles;
}

/* Adds the open exit to its total; counter: recorded, dropped, filtered or unread. */
static void exit_ring_add_totals(struct exit_ring *er, u64 cycles, u64 *counter)
{
	struct kvm_exit_total *total = er->total;

	exit_ring_add(counter, 1);
	exit_ring_add(&total->cycles, cycles);
	exit_ring_add(&total->halted_cycles, er->halted);
	exit_ring_add(&total->polled_cycles, er->polled);
	exit_ring_add(&total->userspace_cycles, er->user);
	exit_ring_add(&total->preempted_cycles, er->preempted);
}

/* Whether an exit that the reason mask lets pass passes the rest of the reader's filter. */
static bool exit_ring_passes(struct exit_ring_buf *buf, u64 cycles)
{
	if (cycles < READ_ONCE(buf->min_cycles))
		return false;
	if (++buf->passed < READ_ONCE(buf->one_in))
		return false;
	buf->passed = 0;
	return true;
}

/* What KVM injected at its last entry, as the VMCS has it; the error code in the upper half. */
static u64 exit_ring_injected(struct exit_ring *er)
{
	const struct kvm_vcpu_arch *arch = &er->vcpu->arch;
	const struct kvm_queued_exception *exception = &arch->exception;
	u32 event = INTR_INFO_VALID_MASK;

	if (!exception->injected) {
		if (arch->nmi_injected)
			return event | INTR_TYPE_NMI_INTR | NMI_VECTOR;
		return event | arch->interrupt.nr |
		       (arch->interrupt.soft ? INTR_TYPE_SOFT_INTR : INTR_TYPE_EXT_INTR);
	}

	event |= exit_ring_vector(exception) |
		 (kvm_exception_is_soft(exit_ring_vector(exception)) ? INTR_TYPE_SOFT_EXCEPTION :
								      INTR_TYPE_HARD_EXCEPTION);
	if (!exception->has_error_code)
		return event;
	er->flags |= KVM_EXIT_REC_EVENT_ERROR;
	return event | INTR_INFO_DELIVER_CODE_MASK | (u64)exception->error_code << 32;
}

/* Publishes, drops or filters the open record. Returns the counter to raise. */
static u64 *exit_ring_finish_record(struct exit_ring *er, u64 cycles)
{
	struct exit_ring_buf *buf = READ_ONCE(er->buf);
	struct kvm_exit_record *record = er->record;
	u64 status;

	if (!buf || er->open - buf->id >= EXIT_RING_STATUSES)
		return &er->total->unread;

	status = er->open - buf->id;
	if (status == EXIT_RING_FILTERED ||
	    (READ_ONCE(buf->filters) && !exit_ring_passes(buf, cycles)))
		return &er->total->filtered;
	if (status == EXIT_RING_DROPPED) {
		exit_ring_drop(&er->producer);
		return &er->total->dropped;
	}

	record->cycles = cycles;
	record->handler_cycles = cycles - er->halted - er->user - er->preempted;
	record->halted_cycles = er->halted;
	record->userspace_cycles = er->user;
	record->preempted_cycles = er->preempted;
	record->polled_cycles = er->polled;
	*exit_ring_event(record) = er->flags & KVM_EXIT_REC_EVENT ? exit_ring_injected(er) : 0;
	record->flags = er->flags;
	if (er->flags & KVM_EXIT_REC_USER)
		exit_ring_record_user(er, record);

	exit_ring_publish(&er->producer, record);
	return &er->total->recorded;
}

/*
 * Ends the open exit. The vCPU thread with IRQs off, so that RCU waits for it; or
 * exit_ring_vcpu_destroy() under the lock.
 */
void exit_ring_close(struct exit_ring *er, u64 cycles)
{
	er->flags |= er->slow | (er->user ? KVM_EXIT_REC_USER : 0);
	if (er->total != &er->scratch) {
		cycles = exit_ring_check_parts(er, cycles);
		exit_ring_add_totals(er, cycles, exit_ring_finish_record(er, cycles));
	}
	er->open = EXIT_RING_UNREAD;
	er->flags = 0;
	er->slow = 0;
	er->halted = 0;
	er->user = 0;
	er->preempted = 0;
	er->polled = 0;
}
EXIT_RING_EXPORT(exit_ring_close);

static void exit_ring_wake_reader(struct irq_work *work)
{
	struct exit_ring *er = container_of(work, struct exit_ring, wake_work);
	struct exit_ring_waiter *reader;

	/* The file is freed after a grace period. */
	rcu_read_lock();
	reader = READ_ONCE(er->reader);
	if (reader)
		wake_up_interruptible_poll(&reader->wait, EPOLLIN | EPOLLRDNORM);
	rcu_read_unlock();
}

/*
 * The unread records reach the watermark, as far as the tail is known: reads it again and has
 * the reader woken once. IRQs off, so no reader attaches anew in the middle, and its file stays.
 * The wake-up waits until IRQs are on: at an entry its own IPI would be an exit.
 */
static void exit_ring_at_watermark(struct exit_ring *er)
{
	struct exit_ring_producer *p = &er->producer;
	struct exit_ring_waiter *reader;

	if (READ_ONCE(er->shared->tail.tail) == er->woken_tail)
		return;
	exit_ring_refresh(p);
	if (p->head - p->tail_seen < READ_ONCE(er->wake_at))
		return;
	/* A poll() that begins from now on finds the watermark reached. */
	if (!static_branch_unlikely(&exit_ring_waits))
		er->woken_tail = p->tail_seen;

	/*
	 * After the head was published. Pairs with the barrier of exit_ring_dev_poll(), which follows
	 * the attach: either the reader is seen here, or the reader sees the head.
	 */
	smp_mb();
	reader = READ_ONCE(er->reader);
	if (reader && wq_has_sleeper(&reader->wait)) {
		WRITE_ONCE(er->shared->meta.wakeups, ++er->wakeups);
		irq_work_queue(&er->wake_work);
	}
}

/*
 * exit_ring_open() for the rest: no reader, a filter, the watermark, a tail that must be read
 * again, a full ring.
 */
bool exit_ring_open_slow(struct exit_ring *er)
{
	/* Pairs with the release in exit_ring_attach_buf(). */
	struct exit_ring_buf *buf = smp_load_acquire(&er->buf);
	unsigned int slot = er->total - er->totals;

	er->flags = 0;
	er->open = EXIT_RING_UNREAD;
	if (!buf)
		return false;
	if (er->producer.head - er->producer.tail_seen >= READ_ONCE(er->wake_at))
		exit_ring_at_watermark(er);
	if (READ_ONCE(buf->filters) &&
	    !(READ_ONCE(buf->reason_mask[slot / 64]) & BIT_ULL(slot % 64))) {
		er->open = buf->id + EXIT_RING_FILTERED;
		return false;
	}
	er->record = exit_ring_reserve(&er->producer);
	er->open = buf->id + (er->record ? EXIT_RING_PENDING_FILTER : EXIT_RING_DROPPED);
	return er->record;
}
EXIT_RING_EXPORT(exit_ring_open_slow);

void exit_ring_record_guest(struct kvm_vcpu *vcpu, struct exit_ring *er)
{
	if (is_guest_mode(vcpu))
		er->flags |= KVM_EXIT_REC_NESTED;
	if (er->has_cr3) {
		er->record->guest_cr3 = kvm_read_cr3(vcpu);
		er->flags |= KVM_EXIT_REC_CR3;
	}
}
EXIT_RING_EXPORT(exit_ring_record_guest);

/*
 * Whether the next exit will find a slot once the open one is published. The tail may be
 * forged; that delays only this vCPU. IRQs off, so that no reader changes the producer.
 */
static bool exit_ring_has_room(struct exit_ring *er)
{
	struct exit_ring_producer *p = &er->producer;
	u64 unread = p->head + exit_ring_holds_slot(er) - p->tail_seen;

	if (unread <= p->mask)
		return true;
	exit_ring_refresh(p);
	return p->head + exit_ring_holds_slot(er) - p->tail_seen <= p->mask;
}

/* With on_full=wait a fastpath may not re-enter the guest when the ring is full. */
fastpath_t exit_ring_fastpath_taken(struct exit_ring *er, fastpath_t fastpath)
{
	er->flags |= KVM_EXIT_REC_FASTPATH;
	if (static_branch_unlikely(&exit_ring_waits) && fastpath == EXIT_FASTPATH_REENTER_GUEST &&
	    READ_ONCE(er->buf) && !exit_ring_has_room(er))
		return EXIT_FASTPATH_EXIT_HANDLED;
	return fastpath;
}
EXIT_RING_EXPORT(exit_ring_fastpath_taken);

static bool exit_ring_must_wait(struct exit_ring *er)
{
	bool wait;

	local_irq_disable();
	wait = READ_ONCE(er->buf) && !exit_ring_has_room(er);
	local_irq_enable();
	return wait;
}

/*
 * Sleeps until the reader has made room or has gone, or a signal is pending, which is also how
 * the freezer and SIGSTOP stop a thread. Returns whether the guest may be entered.
 */
bool exit_ring_wait_for_room(struct exit_ring *er, struct kvm_vcpu *vcpu)
{
	bool wait;

	if (!exit_ring_must_wait(er))
		return true;

	kvm_vcpu_srcu_read_unlock(vcpu);
	preempt_disable();
	exit_ring_phase_begin(er, EXIT_RING_WAITING);
	preempt_enable();
	while ((wait = exit_ring_must_wait(er)) && !signal_pending(current))
		schedule_timeout_interruptible(1);
	preempt_disable();
	exit_ring_phase_end(er, &er->preempted, KVM_EXIT_REC_PREEMPTED);
	preempt_enable();
	kvm_vcpu_srcu_read_lock(vcpu);
	return !wait;
}

/*
 * KVM_RUN fails: its errno goes into the record. Only with EINTR, and with EFAULT or EHWPOISON that
 * describe themselves, does struct kvm_run have a reason.
 */
void exit_ring_run_failed(struct exit_ring *er, int r)
{
	bool has_reason = r == -EINTR;

#ifdef KVM_EXIT_MEMORY_FAULT
	has_reason |= (r == -EFAULT || r == -EHWPOISON) &&
		      er->user_reason == KVM_EXIT_MEMORY_FAULT;
#endif
	er->run_errno = -r;
	if (!has_reason)
		er->user_reason = KVM_EXIT_UNKNOWN;
}

/* The scheduler takes the thread off its CPU; vcpu->preempted: though it is runnable. */
void exit_ring_sched_out_vcpu(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);

	/* The thread may also be in another ioctl than KVM_RUN, which is user space's time. */
	if (exit_ring_in_user(er))
		return;

	er->run_delay_ns = current->sched_info.run_delay;
	if (er->phase == EXIT_RING_HANDLER)
		exit_ring_phase_begin(er, vcpu->preempted ? EXIT_RING_PREEMPTED : EXIT_RING_HANDLER);
}

/*
 * Cycles for which the thread that blocked was runnable before it got its CPU. At most the
 * time since @since, because the scheduler's clock is another one.
 */
static u64 exit_ring_run_delay(struct exit_ring *er, u64 since)
{
	u64 delay_ns = current->sched_info.run_delay - er->run_delay_ns;
	u64 elapsed = rdtsc() - since;

	if ((s64)elapsed < 0)
		return 0;
	return min(mul_u64_u32_div(delay_ns, tsc_khz, 1000000), elapsed);
}

/* It runs again. A wait for a CPU after a wake-up is no different from any other. */
void exit_ring_sched_in_vcpu(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);
	u64 delay;

	if (exit_ring_in_user(er) || er->phase == EXIT_RING_WAITING)
		return;
	if (er->phase == EXIT_RING_PREEMPTED) {
		exit_ring_phase_end(er, &er->preempted, KVM_EXIT_REC_PREEMPTED);
		return;
	}

	delay = exit_ring_run_delay(er, er->phase_tsc);
	if (!delay)
		return;
	er->preempted += delay;
	er->slow |= KVM_EXIT_REC_PREEMPTED;
	/* What is left of the phase, which goes on, is @halted. */
	if (er->phase == EXIT_RING_HALTED)
		er->phase_tsc += delay;
	if (er->poll_tsc)
		er->poll_tsc = min(er->poll_tsc + delay, rdtsc());
}

unsigned int exit_ring_vcpu_size(unsigned int vcpu_size)
{
	exit_ring_offset = ALIGN(vcpu_size, sizeof(void *));
	return exit_ring_offset + sizeof(void *);
}

u64 exit_ring_features(void)
{
	u64 wait = static_branch_unlikely(&exit_ring_waits) ? KVM_EXIT_FEAT_WAIT : 0;

	return KVM_EXIT_FEAT_SPLIT | KVM_EXIT_FEAT_KEYS | KVM_EXIT_FEAT_SYNTH |
	       KVM_EXIT_FEAT_POLLED | KVM_EXIT_FEAT_VALUE | KVM_EXIT_FEAT_REQUESTS |
	       KVM_EXIT_FEAT_EVENT | wait;
}

static void exit_ring_init_meta(struct exit_ring *er, struct kvm_vcpu *vcpu)
{
	struct kvm_exit_ring_meta *meta = &er->shared->meta;
	unsigned long flags;

	*meta = (struct kvm_exit_ring_meta) {
		.magic = KVM_EXIT_RING_MAGIC,
		.abi = KVM_EXIT_RING_ABI,
		.meta_bytes = sizeof(*meta),
		.record_bytes = sizeof(struct kvm_exit_record),
		.record_count = exit_ring_records,
		.totals_offset = offsetof(struct exit_ring_shared, totals),
		.records_offset = sizeof(struct exit_ring_shared),
		.total_bytes = sizeof(struct kvm_exit_total),
		.total_slots = KVM_EXIT_TOTAL_SLOTS,
		.vcpu_id = vcpu->vcpu_id,
		.tgid = task_tgid_nr(current),
		.tsc_khz = tsc_khz,
		.features = exit_ring_features(),
	};
	local_irq_save(flags);
	meta->tsc_base = rdtsc();
	meta->mono_raw_base_ns = ktime_get_raw_ns();
	local_irq_restore(flags);
}

static struct exit_ring *exit_ring_alloc(void)
{
	struct exit_ring *er = kzalloc(sizeof(*er), GFP_KERNEL_ACCOUNT);

	if (!er)
		return NULL;
	er->shared = __vmalloc(sizeof(*er->shared), EXIT_RING_GFP_MAPPED | __GFP_ZERO);
	if (er->shared)
		return er;
	kfree(er);
	return NULL;
}

static void exit_ring_init_vcpu(struct exit_ring *er, struct kvm_vcpu *vcpu)
{
	BUILD_BUG_ON(offsetof(struct exit_ring_shared, tail) != PAGE_SIZE);
	BUILD_BUG_ON(offsetof(struct exit_ring_shared, totals) != 2 * PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct exit_ring_shared) % PAGE_SIZE);

	er->totals = er->shared->totals;
	er->total = &er->scratch;
	er->open = EXIT_RING_UNREAD;
	er->user = -rdtsc();
	er->wake_at = U32_MAX;
	er->woken_tail = U64_MAX;
	er->kvm = vcpu->kvm;
	er->vcpu = vcpu;
	er->producer.meta = &er->shared->meta;
	er->producer.tail = &er->shared->tail;

	init_irq_work(&er->wake_work, exit_ring_wake_reader);
	INIT_LIST_HEAD(&er->live);
	spin_lock_init(&er->used_lock);
	er->vm_next = er;
	kref_init(&er->kref);
	er->stat_exits = &vcpu->stat.exits;
	exit_ring_init_meta(er, vcpu);
}

/* Before the vendor module's vcpu_create(): the hooks need a ring from the start. */
int exit_ring_vcpu_create(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er;
	int r;

	if (!exit_ring_is_on())
		return 0;
	er = exit_ring_alloc();
	if (!er)
		return -ENOMEM;

	exit_ring_init_vcpu(er, vcpu);
	r = exit_ring_new_id(er);
	if (r) {
		exit_ring_put(er);
		return r;
	}
	*exit_ring_slot_of_vcpu(vcpu) = er;
	return 0;
}

/* After the vendor module's vcpu_create(): whose exits these are is known. */
void exit_ring_vcpu_register(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);
	struct kvm_exit_record ident = { .vcpu_id = vcpu->vcpu_id };

	BUILD_BUG_ON(offsetof(struct kvm_exit_record, polled_cycles) !=
		     offsetof(struct kvm_exit_record, pcpu) + sizeof(u64));
	BUILD_BUG_ON(CONFIG_NR_CPUS > U16_MAX + 1);	/* pcpu */
	BUILD_BUG_ON(offsetof(struct exit_ring, user_reason) % sizeof(u32));
	BUILD_BUG_ON(offsetof(struct kvm_exit_record, entry_event) % sizeof(u64));
	BUILD_BUG_ON(offsetof(struct exit_ring, run_errno) !=
		     offsetof(struct exit_ring, user_reason) + 2);
	if (!er)
		return;
	ident.isa = er->isa;
	er->shared->meta.isa = er->isa;
	er->ident = *exit_ring_ident(&ident);
}

/* KVM_CREATE_VCPU can't fail any more: readers may find the ring. */
void exit_ring_vcpu_publish(struct kvm_vcpu *vcpu)
{
	if (exit_ring_is_on())
		exit_ring_publish_ring(exit_ring_of(vcpu));
}

void exit_ring_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	struct exit_ring *er = exit_ring_of(vcpu);
	u64 end = rdtsc();

	if (!er)
		return;
	irq_work_sync(&er->wake_work);
	*exit_ring_slot_of_vcpu(vcpu) = NULL;
	mutex_lock(&exit_ring_lock);
	if (er->total != &er->scratch) {
		/* It ends in user space: nothing need have put the vCPU since KVM_RUN. */
		er->user += end;
		er->flags |= KVM_EXIT_REC_NO_REENTRY;
		exit_ring_close(er, end - *er->exit_tsc);
	}
	exit_ring_vcpu_gone(er);
	mutex_unlock(&exit_ring_lock);
}
