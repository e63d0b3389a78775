// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of all exit rings: ids, who records, and how long a ring and its buffer live.
 *
 * A ring holds a reference for its vCPU and one for each attached file. It can
 * be found while its vCPU lives, while a file reads it, and, when recording is
 * armed, while its records wait unread, or its totals if records were refused (it is
 * orphaned then). Its buffer exists only while it is armed or attached; the vCPU
 * thread uses it with IRQs off, and it is freed after a grace period of RCU.
 */
#define pr_fmt(fmt) "kvm: exit_ring: " fmt

#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "exit_ring_dev.h"

/* The last vCPU came from a vendor module without our hooks. */
static bool exit_ring_stock_vendor;

/*
 * Without it the kernel would call NULL for "insmod kvm.ko stock_vendor=N". Ignored, because tools
 * that load KVM again give back all parameters that they have read.
 */
static int exit_ring_ignore_param(const char *value, const struct kernel_param *param)
{
	pr_info("stock_vendor is read only: ignored\n");
	return 0;
}

static const struct kernel_param_ops exit_ring_stock_vendor_ops = {
	.set = exit_ring_ignore_param,
	.get = param_get_bool,
};
module_param_cb(stock_vendor, &exit_ring_stock_vendor_ops, &exit_ring_stock_vendor, 0444);
MODULE_PARM_DESC(stock_vendor, "read only: Y while a stock kvm-intel or kvm-amd makes vCPUs, which are not recorded");

/* Rings of vCPUs that are gone, unread or refused: at most this many. */
#define EXIT_RING_ORPHANS_MAX 64

DEFINE_MUTEX(exit_ring_lock);
u64 exit_ring_changes;

/* All open files: struct exit_ring_waiter.node */
static LIST_HEAD(exit_ring_waiters);

static DEFINE_XARRAY(exit_rings);
static atomic64_t exit_ring_last_id;
static u64 exit_ring_newest_id;		/* of those that were ever in the set */
static u64 exit_ring_last_vm_id;
static unsigned int exit_ring_orphans;
static bool exit_ring_armed;
static struct mem_cgroup *exit_ring_payer;	/* of the file that has armed, or NULL */
static struct kvm_exit_ring_arm exit_ring_armed_how;
static struct kvm_exit_ring_attach exit_ring_armed_filter;	/* the same, as an attach has it */
static u64 exit_ring_arming;		/* number of the present or last arming */
static u64 exit_ring_arming_bytes;	/* of the buffers that were made for it */

/* For struct kvm_exit_ring_query. Under exit_ring_lock. */
static u64 exit_ring_refused, exit_ring_lost_rings, exit_ring_lost_exits;

/* Live rings and the sum of those that were, for exit_ring_host_sum(). */
static DEFINE_SPINLOCK(exit_ring_live_lock);
static LIST_HEAD(exit_ring_live);
static struct kvm_exit_total exit_ring_past[KVM_EXIT_TOTAL_SLOTS];

static bool exit_ring_dead(struct exit_ring *er)
{
	return er->shared->meta.state == KVM_EXIT_RING_DEAD;
}

/* Wakes the files that have the ring, or those without one if it is NULL. */
static void exit_ring_wake_files(const struct exit_ring *er, __poll_t events)
{
	struct exit_ring_waiter *waiter;

	list_for_each_entry(waiter, &exit_ring_waiters, node)
		if (waiter->er == er)
			wake_up_interruptible_poll(&waiter->wait, events);
}

static void exit_ring_notify(void)
{
	WRITE_ONCE(exit_ring_changes, exit_ring_changes + 1);
	exit_ring_wake_files(NULL, EPOLLIN | EPOLLRDNORM);
}

void exit_ring_add_waiter(struct exit_ring_waiter *waiter)
{
	init_waitqueue_head(&waiter->wait);
	list_add(&waiter->node, &exit_ring_waiters);
}

void exit_ring_remove_waiter(struct exit_ring_waiter *waiter)
{
	list_del(&waiter->node);
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

/*
 * The vCPU thread records into buf from its next exit on. It has left an earlier buffer, whose
 * grace period is over, so its indices may change.
 */
static void exit_ring_attach_buf(struct exit_ring *er, struct exit_ring_buf *buf)
{
	struct exit_ring_producer *p = &er->producer;

	p->records = buf->records;
	p->mask = buf->count - 1;
	WRITE_ONCE(p->tail_seen, p->head);
	p->dropped = 0;
	WRITE_ONCE(er->shared->tail.tail, p->head);
	WRITE_ONCE(er->shared->meta.record_count, buf->count);
	WRITE_ONCE(er->shared->meta.dropped, 0);
	WRITE_ONCE(er->shared->meta.attached_seq, p->seq);
	er->woken_tail = U64_MAX;
	WRITE_ONCE(er->wake_at, exit_ring_watermark(buf->count));
	WRITE_ONCE(er->buf_id, buf->id);
	/* Pairs with the acquire in exit_ring_open_slow(). */
	smp_store_release(&er->buf, buf);
	exit_ring_set_unfiltered(er);
}

static void exit_ring_drop_buf(struct exit_ring *er)
{
	struct exit_ring_buf *buf = er->buf;

	if (!buf)
		return;
	if (buf->arming == exit_ring_arming)
		exit_ring_arming_bytes -= buf->bytes;
	WRITE_ONCE(er->wake_at, U32_MAX);
	WRITE_ONCE(er->unfiltered_id, 0);
	WRITE_ONCE(er->buf_id, 0);
	WRITE_ONCE(er->buf, NULL);
	er->grace = get_state_synchronize_rcu();
	exit_ring_free_buf(buf);
}

/* ---- sums of totals */

u64 exit_ring_host_sum(unsigned int slot, enum exit_ring_what what)
{
	struct exit_ring *er;
	u64 sum = 0;

	spin_lock(&exit_ring_live_lock);
	for (unsigned int i = 0; i < EXIT_RING_ALL_SLOTS; i++)
		if (slot == i || slot == EXIT_RING_ALL_SLOTS)
			sum += exit_ring_read(&exit_ring_past[i], what);
	list_for_each_entry(er, &exit_ring_live, live)
		sum += exit_ring_sum(er, slot, what);
	spin_unlock(&exit_ring_live_lock);
	return sum;
}

/* Keeps what exit_ring_read() reads of a vCPU that goes. */
static void exit_ring_add_past(const struct exit_ring *er)
{
	for (unsigned int slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++) {
		const struct kvm_exit_total *total = &er->totals[slot];
		struct kvm_exit_total *past = &exit_ring_past[slot];

		past->count += total->count;
		past->synthesized += total->synthesized;
		past->cycles += total->cycles;
		past->halted_cycles += total->halted_cycles;
		past->userspace_cycles += total->userspace_cycles;
		past->preempted_cycles += total->preempted_cycles;
	}
}

/* ---- the set */

int exit_ring_new_id(struct exit_ring *er)
{
	er->shared->meta.ring_id = atomic64_inc_return(&exit_ring_last_id);
	/* Found by nobody until exit_ring_publish_ring(), which then can't fail. */
	return xa_reserve(&exit_rings, er->shared->meta.ring_id, GFP_KERNEL);
}

/* Another id, the highest; the old one if there is no memory. */
static int exit_ring_renew_id(struct exit_ring *er)
{
	u64 old = er->shared->meta.ring_id;
	int r = exit_ring_new_id(er);

	if (r)
		er->shared->meta.ring_id = old;
	else
		xa_release(&exit_rings, old);
	return r;
}

/*
 * Readers go from ring to ring by rising ids. Of two vCPUs that are created at the same time the
 * one with the lower id may be published last; it gets a new id, lest readers who have the other
 * one pass it over.
 */
static void exit_ring_lock_newest(struct exit_ring *er)
{
	int r = 0;

	mutex_lock(&exit_ring_lock);
	while (!r && er->shared->meta.ring_id < exit_ring_newest_id) {
		mutex_unlock(&exit_ring_lock);
		r = exit_ring_renew_id(er);
		mutex_lock(&exit_ring_lock);
	}
}

/* Joins the other vCPUs of the VM, with their id, or gets a new one. */
static void exit_ring_join_vm(struct exit_ring *er)
{
	struct exit_ring *other;
	unsigned long id;

	xa_for_each(&exit_rings, id, other) {
		if (other->kvm != er->kvm)
			continue;
		er->shared->meta.vm_id = other->shared->meta.vm_id;
		er->vm_next = other->vm_next;
		/* Pairs with the acquire in exit_ring_vm_sum() of cpuid_leaves.c. */
		smp_store_release(&other->vm_next, er);
		return;
	}
	er->shared->meta.vm_id = ++exit_ring_last_vm_id;
}

static void exit_ring_start_armed(struct exit_ring *er, struct exit_ring_buf *buf)
{
	if (buf) {
		buf->arming = exit_ring_arming;
		exit_ring_arming_bytes += buf->bytes;
		exit_ring_set_filter(er, buf, &exit_ring_armed_filter);
		exit_ring_attach_buf(er, buf);
		return;
	}
	er->refused = true;
	exit_ring_refused++;
	pr_warn_ratelimited("no memory to record vCPU %u of process %u\n",
			    er->shared->meta.vcpu_id, er->shared->meta.tgid);
}

/* Whether recording is armed for a new vCPU, which is in the process that made it. */
static bool exit_ring_is_armed_for(struct exit_ring *er)
{
	u32 tgid = exit_ring_armed_how.tgid;

	return exit_ring_armed && (!tgid || tgid == er->shared->meta.tgid);
}

/* Whether the file that has armed allows for that much more. */
static bool exit_ring_arming_has_room(u64 bytes)
{
	u64 max = exit_ring_armed_how.max_bytes;

	return !max || (exit_ring_arming_bytes <= max && bytes <= max - exit_ring_arming_bytes);
}

static void exit_ring_add_to_set(struct exit_ring *er)
{
	exit_ring_join_vm(er);

	spin_lock(&exit_ring_live_lock);
	list_add(&er->live, &exit_ring_live);
	spin_unlock(&exit_ring_live_lock);

	xa_store(&exit_rings, er->shared->meta.ring_id, er, GFP_KERNEL);
	exit_ring_newest_id = max(exit_ring_newest_id, er->shared->meta.ring_id);
	exit_ring_notify();
}

void exit_ring_publish_ring(struct exit_ring *er)
{
	struct exit_ring_buf *buf = NULL;
	struct mem_cgroup *payer;
	u32 count;

	if (exit_ring_has_no_hooks(er->kvm)) {
		pr_info_once("the exits of TDX guests are neither counted nor recorded\n");
		return;
	}
	exit_ring_stock_vendor = !er->isa;
	if (!er->isa) {
		pr_warn_once("the vendor module is a stock one: exits are neither counted nor recorded; load the kvm-intel.ko or kvm-amd.ko built with this kvm.ko\n");
		return;
	}
	/* The buffer is made outside the lock; whoever arms in between misses this vCPU. */
	exit_ring_lock_newest(er);
	if (!exit_ring_is_armed_for(er)) {
		exit_ring_add_to_set(er);
		mutex_unlock(&exit_ring_lock);
		return;
	}
	count = exit_ring_armed_how.record_count;
	if (!exit_ring_arming_has_room(exit_ring_buf_bytes(count))) {
		exit_ring_start_armed(er, NULL);
		exit_ring_add_to_set(er);
		mutex_unlock(&exit_ring_lock);
		return;
	}
	payer = exit_ring_payer;
	if (payer)
		css_get(&payer->css);
	mutex_unlock(&exit_ring_lock);

	buf = exit_ring_new_buf(payer, count);
	mem_cgroup_put(payer);

	exit_ring_lock_newest(er);
	if (exit_ring_is_armed_for(er)) {
		bool fits = buf && exit_ring_arming_has_room(buf->bytes);

		exit_ring_start_armed(er, fits ? buf : NULL);
		if (fits)
			buf = NULL;
	}
	exit_ring_add_to_set(er);
	mutex_unlock(&exit_ring_lock);
	exit_ring_discard_buf(buf);
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

/* Exits of a vCPU that is gone. */
static u64 exit_ring_exits(const struct exit_ring *er)
{
	u64 exits = 0;

	for (unsigned int slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++)
		exits += er->totals[slot].count;
	return exits;
}

static void exit_ring_remove_oldest_orphan(void)
{
	struct exit_ring *er;
	unsigned long id;

	xa_for_each(&exit_rings, id, er) {
		if (er->orphaned) {
			pr_warn_ratelimited("too many vCPUs have ended: the %s of vCPU %u of process %u are lost\n",
					    er->refused ? "totals (no record was made)" : "unread records",
					    er->shared->meta.vcpu_id, er->shared->meta.tgid);
			exit_ring_lost_rings++;
			exit_ring_lost_exits += exit_ring_exits(er);
			exit_ring_remove(er);
			return;
		}
	}
}

/* Whether a dead ring has what a reader that has armed recording should see. */
static bool exit_ring_is_awaited(struct exit_ring *er)
{
	return exit_ring_armed && (er->refused || (er->buf && exit_ring_unread(er)));
}

/* A dead ring without a reader: orphaned if it waits for one, else removed. */
static void exit_ring_orphan_or_remove(struct exit_ring *er)
{
	if (!exit_ring_is_awaited(er)) {
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
	er->kvm = NULL;
	if (list_empty(&er->live)) {
		/* KVM_CREATE_VCPU failed, or the vendor module is a stock one. */
		xa_release(&exit_rings, er->shared->meta.ring_id);
		exit_ring_put(er);
		return;
	}

	spin_lock(&exit_ring_live_lock);
	list_del_init(&er->live);
	exit_ring_add_past(er);
	spin_unlock(&exit_ring_live_lock);

	/* After the last head; pairs with the acquire in exit_ring_finished(). */
	smp_store_release(&er->shared->meta.state, KVM_EXIT_RING_DEAD);
	exit_ring_wake_files(er, EPOLLIN | EPOLLHUP);
	exit_ring_notify();
	if (er->attached)
		exit_ring_put(er);	/* the file has its own */
	else
		exit_ring_orphan_or_remove(er);
}

int exit_ring_attach(struct exit_ring *er, const struct kvm_exit_ring_attach *how,
		     struct exit_ring_waiter *reader, struct exit_ring_buf **buf,
		     unsigned long waited)
{
	if (er->attached)
		return -EBUSY;
	if (er->buf) {
		/* Armed: the filter holds from now on; unread records stay. */
		exit_ring_set_filter(er, er->buf, how);
		exit_ring_set_unfiltered(er);
	} else {
		if (!*buf || (er->producer.records && er->grace != waited))
			return -EAGAIN;
		exit_ring_set_filter(er, *buf, how);
		exit_ring_attach_buf(er, *buf);
		er->refused = false;
		*buf = NULL;
	}

	if (er->orphaned) {
		exit_ring_orphans--;
		er->orphaned = false;
	} else {
		exit_ring_get(er);
	}

	er->attached = true;
	WRITE_ONCE(er->reader, reader);
	return 0;
}

void exit_ring_detach(struct exit_ring *er)
{
	er->attached = false;
	WRITE_ONCE(er->reader, NULL);
	if (exit_ring_dead(er)) {
		exit_ring_orphan_or_remove(er);
	} else {
		exit_ring_drop_buf(er);
		exit_ring_put(er);
	}
}

void exit_ring_detach_totals(struct exit_ring *er)
{
	/* One whose records were refused waited for a reader of its totals. */
	if (er->orphaned && er->refused)
		exit_ring_remove(er);
	exit_ring_put(er);
}

void exit_ring_arm(struct mem_cgroup *payer, const struct kvm_exit_ring_arm *how)
{
	exit_ring_armed_how = *how;
	exit_ring_armed_filter = (struct kvm_exit_ring_attach) {
		.flags = how->flags,
		.one_in = how->one_in,
		.min_cycles = how->min_cycles,
	};
	memcpy(exit_ring_armed_filter.reason_mask, how->reason_mask, sizeof(how->reason_mask));
	exit_ring_arming++;
	exit_ring_arming_bytes = 0;
	exit_ring_armed = true;
	exit_ring_payer = payer;
}

void exit_ring_disarm(void)
{
	struct exit_ring *er;
	unsigned long id;

	exit_ring_armed = false;
	exit_ring_payer = NULL;
	xa_for_each(&exit_rings, id, er) {
		er->refused = false;
		if (er->attached)
			continue;
		if (er->orphaned)
			exit_ring_remove(er);
		else
			exit_ring_drop_buf(er);
	}
}

void exit_ring_query_set(struct kvm_exit_ring_query *query)
{
	exit_ring_query_memory(query);
	query->refused = exit_ring_refused;
	query->lost_rings = exit_ring_lost_rings;
	query->lost_exits = exit_ring_lost_exits;
}

void exit_ring_set_fini(void)
{
	rcu_barrier();	/* exit_ring_free_buf_rcu() is this module's code */
	WARN_ON(!xa_empty(&exit_rings));
	xa_destroy(&exit_rings);
}
