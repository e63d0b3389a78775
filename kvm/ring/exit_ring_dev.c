// SPDX-License-Identifier: GPL-2.0-only
/* /dev/kvm_exit_ring; its calls are described in uapi/kvm_exit_ring.h. */
#define pr_fmt(fmt) "kvm: exit_ring: " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/tsc.h>

#include "exit_ring_dev.h"

/* Bounds of ring_records: two pages of records, 768 MiB of them. */
#define EXIT_RING_RECORDS_MIN 32U
#define EXIT_RING_RECORDS_MAX (1U << 22)

/* Calls of ABI 1, whose programs can't read this ABI's records. */
#define EXIT_RING_ARM_ABI_1	_IO(KVM_EXIT_RING_IOC, 0x00)
#define EXIT_RING_ATTACH_ABI_1	_IOC(_IOC_WRITE, KVM_EXIT_RING_IOC, 0x02, 72)

unsigned int exit_ring_records = 65536;
module_param_named(ring_records, exit_ring_records, uint, 0444);
MODULE_PARM_DESC(ring_records, "records per vCPU ring, a power of two from 32 to 4194304");

static bool hooks = true;
module_param(hooks, bool, 0444);
MODULE_PARM_DESC(hooks, "0: KVM as if it had no exit rings: nothing is counted, no device, no CPUID leaves");

static char *on_full = "drop";
module_param(on_full, charp, 0444);
MODULE_PARM_DESC(on_full, "when a ring is full, drop the newest record and count it (drop) or hold the vCPU until the reader has made room (wait)");

/*
 * struct exit_ring_file - an open file
 * @waiter: with the attached ring, @waiter.er, or NULL
 * @totals_only: attached with KVM_EXIT_ATTACH_TOTALS
 * @arms: this file has armed recording
 * @payer: memory cgroup of the process that opened it, which pays for what it arms; or NULL
 * @walking: inside a series of NEXT calls, which saw @walk_changes at its start
 * @seen_changes: exit_ring_changes at the start of the last complete series
 */
struct exit_ring_file {
	struct exit_ring_waiter waiter;
	bool totals_only;
	bool arms;
	struct mem_cgroup *payer;
	bool walking;
	u64 walk_changes;
	u64 seen_changes;
};

/* The file that has armed recording, or NULL. Under exit_ring_lock. */
static struct exit_ring_file *exit_ring_armed_by;

/* Turn the static key on and off for one more file that records or arms: it patches code. */
static void exit_ring_recording_inc(void)
{
	exit_ring_assert_unlocked();
	static_branch_inc(&exit_ring_recording);
}

static void exit_ring_recording_dec(void)
{
	exit_ring_assert_unlocked();
	static_branch_dec(&exit_ring_recording);
}

/* Only where perf would show registers, too. 0 or -EPERM */
static int exit_ring_may_open(void)
{
	if (!perfmon_capable())
		return -EPERM;
	return security_locked_down(LOCKDOWN_PERF);
}

static int exit_ring_dev_open(struct inode *inode, struct file *file)
{
	struct exit_ring_file *f;
	int r = exit_ring_may_open();

	if (r)
		return r;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	/* The first poll() reports the rings that exist already. */
	f->seen_changes = U64_MAX;
	f->payer = get_mem_cgroup_from_mm(current->mm);
	mutex_lock(&exit_ring_lock);
	exit_ring_add_waiter(&f->waiter);
	mutex_unlock(&exit_ring_lock);

	file->private_data = f;
	return nonseekable_open(inode, file);
}

static int exit_ring_dev_release(struct inode *inode, struct file *file)
{
	struct exit_ring_file *f = file->private_data;
	bool records = f->waiter.er && !f->totals_only;

	mutex_lock(&exit_ring_lock);
	exit_ring_remove_waiter(&f->waiter);
	if (f->arms) {
		exit_ring_armed_by = NULL;
		exit_ring_disarm();
	}
	if (records)
		exit_ring_detach(f->waiter.er);
	else if (f->waiter.er)
		exit_ring_detach_totals(f->waiter.er);
	mutex_unlock(&exit_ring_lock);

	if (f->arms)
		exit_ring_recording_dec();
	if (records)
		exit_ring_recording_dec();
	mem_cgroup_put(f->payer);
	/* A vCPU thread may be waking it. */
	kfree_rcu(f, waiter.rcu);
	return 0;
}

/*
 * The calls. A copy from or to user space may wait for a page without limit, so all
 * copies are made outside exit_ring_lock; exit_ring_do_*() run under it. The static key, which
 * patches code, is raised before and lowered after.
 */

static bool exit_ring_count_is_valid(u32 count)
{
	return is_power_of_2(count) && count >= EXIT_RING_RECORDS_MIN &&
	       count <= EXIT_RING_RECORDS_MAX;
}

static long exit_ring_do_arm(struct exit_ring_file *f, const struct kvm_exit_ring_arm *how)
{
	if (exit_ring_armed_by)
		return exit_ring_armed_by == f ? -EALREADY : -EBUSY;
	exit_ring_armed_by = f;
	f->arms = true;
	exit_ring_arm(f->payer, how);
	return 0;
}

static long exit_ring_arm_file(struct exit_ring_file *f, const struct kvm_exit_ring_arm *how)
{
	long r = -EINTR;

	exit_ring_recording_inc();
	if (!mutex_lock_killable(&exit_ring_lock)) {
		r = exit_ring_do_arm(f, how);
		mutex_unlock(&exit_ring_lock);
	}
	if (r)
		exit_ring_recording_dec();
	return r == -EALREADY ? 0 : r;
}

/* Copies a struct that begins with its size, at least @min, to the @known bytes at @to. */
static int exit_ring_copy_sized(void *to, size_t known, size_t min, const void __user *from)
{
	u32 size;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < min || size > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(to, known, from, size);
}

static long exit_ring_ioctl_arm(struct exit_ring_file *f, const void __user *arg)
{
	struct kvm_exit_ring_arm how;
	int r = exit_ring_copy_sized(&how, sizeof(how), KVM_EXIT_RING_ARM_BYTES_MIN, arg);

	if (r)
		return r;
	how.record_count = how.record_count ?: exit_ring_records;
	if (how.flags & ~KVM_EXIT_ATTACH_CR3 || how.reserved ||
	    !exit_ring_count_is_valid(how.record_count))
		return -EINVAL;
	return exit_ring_arm_file(f, &how);
}

static u32 exit_ring_tsc_flags(void)
{
	return (boot_cpu_has(X86_FEATURE_CONSTANT_TSC) ? KVM_EXIT_TSC_CONSTANT : 0) |
	       (boot_cpu_has(X86_FEATURE_NONSTOP_TSC) ? KVM_EXIT_TSC_NONSTOP : 0) |
	       (check_tsc_unstable() ? 0 : KVM_EXIT_TSC_STABLE);
}

static long exit_ring_ioctl_query(struct kvm_exit_ring_query __user *arg)
{
	struct kvm_exit_ring_query query = {
		.size = sizeof(query),
		.abi = KVM_EXIT_RING_ABI,
		.features = exit_ring_features(),
		.meta_bytes = sizeof(struct kvm_exit_ring_meta),
		.record_bytes = sizeof(struct kvm_exit_record),
		.record_count = exit_ring_records,
		.record_count_max = EXIT_RING_RECORDS_MAX,
		.total_bytes = sizeof(struct kvm_exit_total),
		.total_slots = KVM_EXIT_TOTAL_SLOTS,
		.tsc = exit_ring_tsc_flags(),
		.tsc_khz = tsc_khz,
	};
	size_t known;
	u32 size;

	if (get_user(size, &arg->size))
		return -EFAULT;
	if (size < KVM_EXIT_RING_QUERY_BYTES_MIN || size > PAGE_SIZE)
		return -EINVAL;

	if (mutex_lock_killable(&exit_ring_lock))
		return -EINTR;
	exit_ring_query_set(&query);
	mutex_unlock(&exit_ring_lock);

	known = min_t(size_t, size, sizeof(query));
	if (copy_to_user(arg, &query, known) || clear_user((void __user *)arg + known, size - known))
		return -EFAULT;
	return 0;
}

/* Replaces info by that of the next ring. */
static long exit_ring_do_next(struct exit_ring_file *f, struct kvm_exit_ring_info *info)
{
	struct kvm_exit_ring_meta *meta;
	struct exit_ring *er;
	u64 id = info->ring_id + 1;

	if (!f->walking)
		f->walk_changes = exit_ring_changes;
	f->walking = true;

	er = id ? exit_ring_find(&id) : NULL;
	if (!er) {
		f->walking = false;
		f->seen_changes = f->walk_changes;
		return -ENOENT;
	}

	meta = &er->shared->meta;
	*info = (struct kvm_exit_ring_info) {
		.ring_id = meta->ring_id,
		.vm_id = meta->vm_id,
		.vcpu_id = meta->vcpu_id,
		.tgid = meta->tgid,
		.isa = meta->isa,
		.tid = READ_ONCE(meta->tid),
		.flags = (meta->state == KVM_EXIT_RING_DEAD ? KVM_EXIT_INFO_DEAD : 0) |
			 (er->attached ? KVM_EXIT_INFO_BUSY : 0) |
			 (er->buf ? KVM_EXIT_INFO_RECORDING : 0) |
			 (er->refused ? KVM_EXIT_INFO_REFUSED : 0),
	};
	return 0;
}

static long exit_ring_ioctl_next(struct exit_ring_file *f, struct kvm_exit_ring_info __user *arg)
{
	struct kvm_exit_ring_info info;
	long r;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.reserved0 || memchr_inv(info.reserved, 0, sizeof(info.reserved)))
		return -EINVAL;

	if (mutex_lock_killable(&exit_ring_lock))
		return -EINTR;
	r = exit_ring_do_next(f, &info);
	mutex_unlock(&exit_ring_lock);
	if (r)
		return r;

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* -EAGAIN: see exit_ring_attach(); *wait, with a reference, is the ring to wait for then. */
static long exit_ring_do_attach(struct exit_ring_file *f, const struct kvm_exit_ring_attach *how,
				struct exit_ring_buf **buf, unsigned long waited,
				struct exit_ring **wait)
{
	struct exit_ring *er;
	u64 id = how->ring_id;
	long r = 0;

	if (f->waiter.er)
		return -EBUSY;
	er = exit_ring_find(&id);
	if (!er || id != how->ring_id)
		return -ENOENT;

	f->totals_only = how->flags & KVM_EXIT_ATTACH_TOTALS;
	if (f->totals_only)
		exit_ring_get(er);
	else
		r = exit_ring_attach(er, how, &f->waiter, buf, waited);

	if (r == -EAGAIN) {
		exit_ring_get(er);
		*wait = er;
	} else if (!r) {
		smp_store_release(&f->waiter.er, er);	/* mmap() and poll() take no lock */
		/* An epoll that has the file since before: what is unread already wakes nobody. */
		wake_up_interruptible_poll(&f->waiter.wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	}
	return r;
}

/* Attaches; makes the buffer, and waits until RCU is through with the last one, without lock. */
static long exit_ring_attach_file(struct exit_ring_file *f, const struct kvm_exit_ring_attach *how)
{
	struct exit_ring_buf *buf = NULL;
	unsigned long waited = 0;
	struct exit_ring *wait;
	long r;

	do {
		if (mutex_lock_killable(&exit_ring_lock)) {
			r = -EINTR;
			break;
		}
		r = exit_ring_do_attach(f, how, &buf, waited, &wait);
		mutex_unlock(&exit_ring_lock);
		if (r != -EAGAIN)
			break;
		if (!buf)
			buf = exit_ring_new_buf(NULL, how->record_count);
		if (!buf) {
			/* What a reader has let go of just now is counted until RCU is through with it. */
			rcu_barrier();
			buf = exit_ring_new_buf(NULL, how->record_count);
		}
		waited = READ_ONCE(wait->grace);
		cond_synchronize_rcu(waited);
		exit_ring_put(wait);
	} while (buf);

	exit_ring_discard_buf(buf);
	return r == -EAGAIN ? -ENOMEM : r;
}

static long exit_ring_ioctl_attach(struct exit_ring_file *f, const void __user *arg)
{
	struct kvm_exit_ring_attach how;
	bool totals_only;
	long r;

	r = exit_ring_copy_sized(&how, sizeof(how), KVM_EXIT_RING_ATTACH_BYTES_MIN, arg);
	if (r)
		return r;
	totals_only = how.flags == KVM_EXIT_ATTACH_TOTALS;
	if (totals_only && memchr_inv(&how.record_count, 0, sizeof(how) -
				      offsetof(struct kvm_exit_ring_attach, record_count)))
		return -EINVAL;
	how.record_count = how.record_count ?: exit_ring_records;
	if ((!totals_only && how.flags & ~KVM_EXIT_ATTACH_CR3) ||
	    !exit_ring_count_is_valid(how.record_count))
		return -EINVAL;

	if (!totals_only)
		exit_ring_recording_inc();
	r = exit_ring_attach_file(f, &how);
	if (r && !totals_only)
		exit_ring_recording_dec();
	return r;
}

static long exit_ring_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct exit_ring_file *f = file->private_data;

	switch (cmd) {
	case KVM_EXIT_RING_ARM:
		return exit_ring_ioctl_arm(f, (void __user *)arg);
	case KVM_EXIT_RING_QUERY:
		return exit_ring_ioctl_query((void __user *)arg);
	case KVM_EXIT_RING_NEXT:
		return exit_ring_ioctl_next(f, (void __user *)arg);
	case KVM_EXIT_RING_ATTACH:
		return exit_ring_ioctl_attach(f, (void __user *)arg);
	case EXIT_RING_ARM_ABI_1:
	case EXIT_RING_ATTACH_ABI_1:
		return -EPROTONOSUPPORT;
	default:
		return -ENOTTY;
	}
}

/* First page and number of pages of the area that begins at pgoff; 0 if none does. */
static unsigned long exit_ring_area_pages(struct exit_ring_file *f, unsigned long pgoff)
{
	const unsigned long totals = offsetof(struct exit_ring_shared, totals) >> PAGE_SHIFT;
	const unsigned long records = sizeof(struct exit_ring_shared) >> PAGE_SHIFT;

	if (pgoff == 0)
		return 1;
	if (pgoff == totals)
		return records - totals;
	if (f->totals_only)
		return 0;
	if (pgoff == 1)
		return 1;
	if (pgoff == records)
		return f->waiter.er->buf->bytes >> PAGE_SHIFT;
	return 0;
}

/* The page of a mapping. The ring and its buffer live as long as the file. */
static vm_fault_t exit_ring_fault(struct vm_fault *vmf)
{
	struct exit_ring_file *f = vmf->vma->vm_file->private_data;
	const unsigned long records = sizeof(struct exit_ring_shared) >> PAGE_SHIFT;
	void *address;

	if (vmf->pgoff < records)
		address = (void *)f->waiter.er->shared + (vmf->pgoff << PAGE_SHIFT);
	else
		address = (void *)f->waiter.er->buf->records + ((vmf->pgoff - records) << PAGE_SHIFT);
	vmf->page = vmalloc_to_page(address);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct exit_ring_vm_ops = {
	.fault = exit_ring_fault,
};

static int exit_ring_dev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct exit_ring_file *f = file->private_data;
	bool tail = vma->vm_pgoff == 1;

	/* Never changes once set; pairs with the release in exit_ring_do_attach(). */
	if (!smp_load_acquire(&f->waiter.er) || !(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC || (vma->vm_flags & VM_WRITE && !tail))
		return -EPERM;
	if (vma_pages(vma) > exit_ring_area_pages(f, vma->vm_pgoff))
		return -EINVAL;
	/* VM_IO: nor can MADV_DOFORK undo it. */
	exit_ring_vm_flags(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
			   VM_MAYEXEC | (tail ? 0 : VM_MAYWRITE));
	vma->vm_ops = &exit_ring_vm_ops;
	return 0;
}

static __poll_t exit_ring_poll_ring(struct exit_ring_file *f)
{
	struct kvm_exit_ring_meta *meta = &f->waiter.er->shared->meta;
	/* Pairs with the release in exit_ring_vcpu_gone(): a dead ring's head is final. */
	bool dead = smp_load_acquire(&meta->state) == KVM_EXIT_RING_DEAD;
	u64 unread = READ_ONCE(meta->head) - READ_ONCE(f->waiter.er->shared->tail.tail);

	if (dead && (!unread || f->totals_only))
		return EPOLLHUP;
	if (f->totals_only)
		return 0;
	return dead || unread >= READ_ONCE(f->waiter.er->wake_at) ? EPOLLIN | EPOLLRDNORM : 0;
}

static __poll_t exit_ring_dev_poll(struct file *file, poll_table *wait)
{
	struct exit_ring_file *f = file->private_data;
	struct exit_ring *er;

	poll_wait(file, &f->waiter.wait, wait);
	/* Pairs with wq_has_sleeper(): wait first, then check. */
	smp_mb();
	/* Pairs with the release in exit_ring_do_attach(). */
	er = smp_load_acquire(&f->waiter.er);
	if (er)
		return exit_ring_poll_ring(f);
	return READ_ONCE(exit_ring_changes) != READ_ONCE(f->seen_changes) ?
		       EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations exit_ring_fops = {
	.owner = THIS_MODULE,
	.open = exit_ring_dev_open,
	.release = exit_ring_dev_release,
	.unlocked_ioctl = exit_ring_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = exit_ring_dev_mmap,
	.poll = exit_ring_dev_poll,
	.llseek = noop_llseek,
};

static struct miscdevice exit_ring_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvm_exit_ring",
	.fops = &exit_ring_fops,
	.mode = 0600,
};

static int exit_ring_check_params(void)
{
	if (strcmp(on_full, "drop") && strcmp(on_full, "wait")) {
		pr_err("on_full=%s is neither drop nor wait\n", on_full);
		return -EINVAL;
	}
	if (!exit_ring_count_is_valid(exit_ring_records)) {
		pr_err("ring_records=%u is not a power of two from %u to %u\n", exit_ring_records,
		       EXIT_RING_RECORDS_MIN, EXIT_RING_RECORDS_MAX);
		return -EINVAL;
	}
	return exit_ring_init_leaves();
}

int exit_ring_init(void)
{
	int r = exit_ring_check_params();

	if (r)
		return r;
	/* No vCPU exists yet. Vendor modules, which come later, are patched as they load. */
	if (!hooks) {
		static_branch_disable(&exit_ring_hooks);
		return 0;
	}
	if (!strcmp(on_full, "wait"))
		static_branch_enable(&exit_ring_waits);
	return misc_register(&exit_ring_misc);
}

void exit_ring_fini(void)
{
	if (hooks)
		misc_deregister(&exit_ring_misc);
	exit_ring_set_fini();
}
