// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of all exit rings: ids, buffers, and how long either lives.
 *
 * A ring holds a reference for its vCPU and one for each attached file. It can
 * be found while its vCPU lives, while a file reads it, and, when recording is
 * armed, while records wait unread (it is orphaned then). Its buffer exists only while it
 * is armed or attached; the vCPU thread uses it with IRQs off, and it is freed after a
 * grace period of RCU.
 */
#define pr_fmt(fmt) "kvm: exit_ring: " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "exit_ring_dev.h"

/* The last vCPU came from a vendor module without our hooks. */
static bool exit_ring_stock_vendor;
static const struct kernel_param_ops exit_ring_stock_vendor_ops = { .get = param_get_bool };
module_param_cb(stock_vendor, &exit_ring_stock_vendor_ops, &exit_ring_stock_vendor, 0444);
MODULE_PARM_DESC(stock_vendor, "read only: Y while a stock kvm-intel or kvm-amd makes vCPUs, which are not recorded");

/* Rings with unread records of vCPUs that are gone: at most this many. */
#define EXIT_RING_ORPHANS_MAX 64

DEFINE_MUTEX(exit_ring_lock);
DECLARE_WAIT_QUEUE_HEAD(exit_ring_changed);
u64 exit_ring_changes;

static DEFINE_XARRAY(exit_rings);
static u64 exit_ring_last_id, exit_ring_last_vm_id, exit_ring_last_buf_id;
static unsigned int exit_ring_orphans;
static bool exit_ring_armed;

/* Live rings and the sum of those that were, for exit_ring_host_sum(). */
static DEFINE_SPINLOCK(exit_ring_live_lock);
static LIST_HEAD(exit_ring_live);
static struct kvm_exit_total exit_ring_past[KVM_EXIT_TOTAL_SLOTS];

static bool exit_ring_dead(struct exit_ring *er)
{
	return er->shared->meta.state == KVM_EXIT_RING_DEAD;
}

static void exit_ring_notify(void)
{
	WRITE_ONCE(exit_ring_changes, exit_ring_changes + 1);
	wake_up_interruptible_poll(&exit_ring_changed, EPOLLIN | EPOLLRDNORM);
}

static void exit_ring_free(struct kref *kref)
{
	struct exit_ring *er = container_of(kref, struct exit_ring, kref);

	vfree(er->shared);
	kfree(er);
}

void exit_ring_get(struct exit_ring *er)
{
	kref_get(&er->kref);
}

void exit_ring_put(struct exit_ring *er)
{
	kref_put(&er->kref, exit_ring_free);
}

/* ---- buffers */

static struct exit_ring_buf *exit_ring_new_buf(void)
{
	struct exit_ring_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	buf->count = exit_ring_records;
	buf->records = __vmalloc(array_size(buf->count, sizeof(*buf->records)),
				 GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!buf->records) {
		kfree(buf);
		return NULL;
	}
	exit_ring_last_buf_id += EXIT_RING_STATUSES;
	buf->id = exit_ring_last_buf_id;
	return buf;
}

static void exit_ring_free_buf(struct rcu_head *rcu)
{
	struct exit_ring_buf *buf = container_of(rcu, struct exit_ring_buf, rcu);

	vfree(buf->records);
	kfree(buf);
}

static void exit_ring_set_filter(struct exit_ring *er, struct exit_ring_buf *buf,
				 const struct kvm_exit_ring_attach *how)
{
	bool all = !memchr_inv(how->reason_mask, 0, sizeof(how->reason_mask));
	int i;

	WRITE_ONCE(er->has_cr3, how->flags & KVM_EXIT_ATTACH_CR3);
	WRITE_ONCE(buf->one_in, how->one_in);
	WRITE_ONCE(buf->min_cycles, how->min_cycles);
	for (i = 0; i < ARRAY_SIZE(buf->reason_mask); i++)
		WRITE_ONCE(buf->reason_mask[i], all ? U64_MAX : how->reason_mask[i]);
	/* Unordered: a few exits more or less may pass while a filter changes. */
	WRITE_ONCE(buf->filters, !all || how->one_in > 1 || how->min_cycles);
}

/* Last of all: from here on the vCPU thread gives each exit a record unless a filter is set. */
static void exit_ring_set_unfiltered(struct exit_ring *er)
{
	/* Pairs with the acquire in exit_ring_open(). */
	smp_store_release(&er->unfiltered_id, er->buf->filters ? 0 : er->buf->id);
}

/* The vCPU thread records into buf from its next exit on. */
static void exit_ring_attach_buf(struct exit_ring *er, struct exit_ring_buf *buf)
{
	struct exit_ring_producer *p = &er->producer;

	/* Let the thread leave an earlier buffer before its indices change. */
	if (p->records)
		synchronize_rcu();
	p->records = buf->records;
	p->mask = buf->count - 1;
	p->tail_seen = p->head;
	p->dropped = 0;
	WRITE_ONCE(er->shared->tail.tail, p->head);
	WRITE_ONCE(er->shared->meta.dropped, 0);
	WRITE_ONCE(er->shared->meta.attached_seq, p->seq);
	er->woken_tail = U64_MAX;
	WRITE_ONCE(er->wake_at, exit_ring_watermark(buf->count));
	WRITE_ONCE(er->buf_id, buf->id);
	/* Pairs with the acquire in exit_ring_open_slow(). */
	smp_store_release(&er->buf, buf);
	exit_ring_set_unfiltered(er);
	static_branch_inc(&exit_ring_recording);
}

/* The buffer of a dead ring doesn't count for exit_ring_recording any more. */
static void exit_ring_drop_buf(struct exit_ring *er)
{
	struct exit_ring_buf *buf = er->buf;

	if (!buf)
		return;
	WRITE_ONCE(er->wake_at, U32_MAX);
	WRITE_ONCE(er->unfiltered_id, 0);
	WRITE_ONCE(er->buf_id, 0);
	WRITE_ONCE(er->buf, NULL);
	if (!exit_ring_dead(er))
		static_branch_dec(&exit_ring_recording);
	call_rcu(&buf->rcu, exit_ring_free_buf);
}

/* ---- sums of totals */

/* What the leaves need of one slot; most slots were never used. */
static void exit_ring_sum_slot(const struct kvm_exit_total *total, struct kvm_exit_total *sum)
{
	u64 count = READ_ONCE(total->count);
	u64 synthesized = READ_ONCE(total->synthesized);

	if (!count && !synthesized)
		return;
	sum->count += count;
	sum->synthesized += synthesized;
	/* Written in the opposite order, so the cycles read here include their parts. */
	sum->preempted_cycles += READ_ONCE(total->preempted_cycles);
	sum->userspace_cycles += READ_ONCE(total->userspace_cycles);
	sum->halted_cycles += READ_ONCE(total->halted_cycles);
	sum->cycles += READ_ONCE(total->cycles);
}

void exit_ring_sum(const struct kvm_exit_total *totals, unsigned int slot,
		   struct kvm_exit_total *sum)
{
	if (slot < EXIT_RING_ALL_SLOTS) {
		exit_ring_sum_slot(&totals[slot], sum);
		return;
	}
	for (slot = 0; slot < EXIT_RING_ALL_SLOTS; slot++)
		exit_ring_sum_slot(&totals[slot], sum);
}

void exit_ring_host_sum(unsigned int slot, struct kvm_exit_total *sum)
{
	struct exit_ring *er;

	spin_lock(&exit_ring_live_lock);
	exit_ring_sum(exit_ring_past, slot, sum);
	list_for_each_entry(er, &exit_ring_live, live)
		exit_ring_sum(er->totals, slot, sum);
	spin_unlock(&exit_ring_live_lock);
}

/* ---- the set */

int exit_ring_new_id(struct exit_ring *er)
{
	int r;

	mutex_lock(&exit_ring_lock);
	er->shared->meta.ring_id = ++exit_ring_last_id;
	/* Found by nobody until exit_ring_publish_ring(), which then can't fail. */
	r = xa_reserve(&exit_rings, er->shared->meta.ring_id, GFP_KERNEL);
	mutex_unlock(&exit_ring_lock);
	return r;
}

/* The id that other vCPUs of the VM have, or a new one. */
static u64 exit_ring_find_vm_id(struct exit_ring *er)
{
	struct exit_ring *other;
	unsigned long id;

	xa_for_each(&exit_rings, id, other)
		if (other->kvm == er->kvm)
			return other->shared->meta.vm_id;
	return ++exit_ring_last_vm_id;
}

void exit_ring_publish_ring(struct exit_ring *er)
{
	struct exit_ring_buf *buf;

	exit_ring_stock_vendor = !er->isa;
	if (!er->isa) {
		pr_warn_once("the vendor module is a stock one: exits are neither counted nor recorded; load the kvm-intel.ko or kvm-amd.ko built with this kvm.ko\n");
		return;
	}
	mutex_lock(&exit_ring_lock);
	er->shared->meta.vm_id = exit_ring_find_vm_id(er);
	if (exit_ring_armed) {
		static const struct kvm_exit_ring_attach all;

		buf = exit_ring_new_buf();
		if (buf) {
			exit_ring_set_filter(er, buf, &all);
			exit_ring_attach_buf(er, buf);
		} else {
			pr_warn_ratelimited("no memory to record vCPU %u of process %u\n",
					    er->shared->meta.vcpu_id, er->shared->meta.tgid);
		}
	}
	spin_lock(&exit_ring_live_lock);
	list_add(&er->live, &exit_ring_live);
	spin_unlock(&exit_ring_live_lock);
	xa_store(&exit_rings, er->shared->meta.ring_id, er, GFP_KERNEL);
	exit_ring_notify();
	mutex_unlock(&exit_ring_lock);
}

struct exit_ring *exit_ring_find(u64 *id)
{
	unsigned long at = *id;
	struct exit_ring *er;

	if (at != *id)
		return NULL;
	er = xa_find(&exit_rings, &at, ULONG_MAX, XA_PRESENT);
	*id = at;
	return er;
}

static bool exit_ring_unread(struct exit_ring *er)
{
	return READ_ONCE(er->shared->tail.tail) != er->producer.head;
}

/* Nobody finds the ring any more; drops the set's reference. */
static void exit_ring_remove(struct exit_ring *er)
{
	if (er->orphaned)
		exit_ring_orphans--;
	er->orphaned = false;
	xa_erase(&exit_rings, er->shared->meta.ring_id);
	exit_ring_drop_buf(er);
	exit_ring_notify();
	exit_ring_put(er);
}

static void exit_ring_remove_oldest_orphan(void)
{
	struct exit_ring *er;
	unsigned long id;

	xa_for_each(&exit_rings, id, er) {
		if (er->orphaned) {
			pr_warn_ratelimited("too many vCPUs have ended: the unread records of vCPU %u of process %u are lost\n",
					    er->shared->meta.vcpu_id, er->shared->meta.tgid);
			exit_ring_remove(er);
			return;
		}
	}
}

/* A dead ring without a reader: orphaned if records wait for one, else removed. */
static void exit_ring_orphan_or_remove(struct exit_ring *er)
{
	if (!exit_ring_armed || !er->buf || !exit_ring_unread(er)) {
		exit_ring_remove(er);
		return;
	}
	if (exit_ring_orphans == EXIT_RING_ORPHANS_MAX)
		exit_ring_remove_oldest_orphan();
	er->orphaned = true;
	exit_ring_orphans++;
}

void exit_ring_vcpu_gone(struct exit_ring *er)
{
	unsigned int slot;

	er->kvm = NULL;
	spin_lock(&exit_ring_live_lock);
	if (!list_empty(&er->live)) {
		list_del_init(&er->live);
		for (slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++)
			exit_ring_sum_slot(&er->totals[slot], &exit_ring_past[slot]);
	}
	spin_unlock(&exit_ring_live_lock);

	if (er->buf)
		static_branch_dec(&exit_ring_recording);
	/* After the last head; pairs with the acquire in exit_ring_finished(). */
	smp_store_release(&er->shared->meta.state, KVM_EXIT_RING_DEAD);
	wake_up_interruptible_poll(&er->readers, EPOLLIN | EPOLLHUP);
	exit_ring_notify();
	if (er->attached)
		exit_ring_put(er);	/* the file has its own */
	else
		exit_ring_orphan_or_remove(er);
}

int exit_ring_attach(struct exit_ring *er, const struct kvm_exit_ring_attach *how)
{
	struct exit_ring_buf *buf;

	if (er->attached)
		return -EBUSY;
	if (er->buf) {
		/* Armed: the filter holds from now on; unread records stay. */
		exit_ring_set_filter(er, er->buf, how);
		exit_ring_set_unfiltered(er);
	} else {
		buf = exit_ring_new_buf();
		if (!buf)
			return -ENOMEM;
		exit_ring_set_filter(er, buf, how);
		exit_ring_attach_buf(er, buf);
	}
	if (er->orphaned) {
		exit_ring_orphans--;
		er->orphaned = false;
	} else {
		exit_ring_get(er);
	}
	er->attached = true;
	return 0;
}

void exit_ring_detach(struct exit_ring *er)
{
	er->attached = false;
	if (exit_ring_dead(er)) {
		exit_ring_orphan_or_remove(er);
	} else {
		exit_ring_drop_buf(er);
		exit_ring_put(er);
	}
}

void exit_ring_arm(bool on)
{
	struct exit_ring *er;
	unsigned long id;

	exit_ring_armed = on;
	if (on)
		return;
	xa_for_each(&exit_rings, id, er) {
		if (er->attached)
			continue;
		if (er->orphaned)
			exit_ring_remove(er);
		else
			exit_ring_drop_buf(er);
	}
}

void exit_ring_set_fini(void)
{
	rcu_barrier();	/* exit_ring_free_buf() is this module's code */
	WARN_ON(!xa_empty(&exit_rings));
	xa_destroy(&exit_rings);
}
