/* SPDX-License-Identifier: GPL-2.0-only */
/* What exit_ring.c, exit_ring_buf.c, exit_ring_dev.c, exit_ring_set.c and cpuid_leaves.c share. */
#ifndef __KVM_X86_EXIT_RING_DEV_H
#define __KVM_X86_EXIT_RING_DEV_H

#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "exit_ring_hooks.h"

/*
 * Guards the set of rings, who reads them and their buffers. Taken in process
 * context only. Creation and destruction of every vCPU wait for it, so nothing inside takes
 * long: no KVM lock, no user memory, no large allocation, no grace period, no static key.
 */
extern struct mutex exit_ring_lock;

/* Before what takes long: lockdep, in a kernel that has it, warns if the caller holds the lock. */
static inline void exit_ring_assert_unlocked(void)
{
	lockdep_assert_not_held(&exit_ring_lock);
}

/* Records per ring, a power of two (module parameter ring_records). */
extern unsigned int exit_ring_records;

/* Raised, and the files without a ring woken, whenever a ring comes or goes. */
extern u64 exit_ring_changes;

/* KVM_EXIT_FEAT_* */
u64 exit_ring_features(void);

/* Fills in what the set of rings has of struct kvm_exit_ring_query. */
void exit_ring_query_set(struct kvm_exit_ring_query *query);

/* Gives a new ring the next id. -ENOMEM */
int exit_ring_new_id(struct exit_ring *er);

/* Makes a ring known to readers; gives it a buffer if recording is armed. */
void exit_ring_publish_ring(struct exit_ring *er);

/* Bytes of memory that @count records take. */
static inline u64 exit_ring_buf_bytes(u32 count)
{
	return PAGE_ALIGN(array_size(count, sizeof(struct kvm_exit_record)));
}

/*
 * A buffer for @count records, charged to the memory cgroup @payer, or to that of the calling
 * thread if it is NULL. NULL if there is no memory or the bound of ring_memory_mib is reached;
 * kills nobody.
 */
struct exit_ring_buf *exit_ring_new_buf(struct mem_cgroup *payer, u32 count);

/* Frees a buffer that was never attached, or NULL. */
void exit_ring_discard_buf(struct exit_ring_buf *buf);

/* Frees a buffer after a grace period: its vCPU thread may still write into it. */
void exit_ring_free_buf(struct exit_ring_buf *buf);

/* Fills in what struct kvm_exit_ring_query has of memory. */
void exit_ring_query_memory(struct kvm_exit_ring_query *query);

/* The rest under exit_ring_lock. */

/* Adds an open file to those that are woken; and takes it off. */
void exit_ring_add_waiter(struct exit_ring_waiter *waiter);
void exit_ring_remove_waiter(struct exit_ring_waiter *waiter);

/* The vCPU is gone: marks the ring dead, wakes readers, drops the vCPU's reference. */
void exit_ring_vcpu_gone(struct exit_ring *er);

/* The ring with the smallest id >= *id, which is set to its id; or NULL. */
struct exit_ring *exit_ring_find(u64 *id);

/*
 * Begins recording for a reader. -EAGAIN if it takes a buffer and *buf is NULL, or if the ring
 * has had one before and the caller has not waited for a grace period since: @waited is the
 * er->grace that it waited for last. -EBUSY. A buffer that is used is taken from *buf.
 */
int exit_ring_attach(struct exit_ring *er, const struct kvm_exit_ring_attach *how,
		     struct exit_ring_waiter *reader, struct exit_ring_buf **buf,
		     unsigned long waited);

/* Undoes exit_ring_attach(). */
void exit_ring_detach(struct exit_ring *er);

/* Drops the reference of a file that is attached for totals only. */
void exit_ring_detach_totals(struct exit_ring *er);

/*
 * New rings that @how selects record from their first exit on; their buffers are charged to
 * @payer. Turning it off drops what waits unread.
 */
void exit_ring_arm(struct mem_cgroup *payer, const struct kvm_exit_ring_arm *how);
void exit_ring_disarm(void);

void exit_ring_get(struct exit_ring *er);
void exit_ring_put(struct exit_ring *er);

/* Waits for buffers that RCU has still to free; no ring is left. Before unload. */
void exit_ring_set_fini(void);

/* What is summed up: exits with those made up, their cycles, or the handler's part of these. */
enum exit_ring_what {
	EXIT_RING_COUNT,
	EXIT_RING_CYCLES,
	EXIT_RING_HANDLER_CYCLES,
};

/* What a leaf shows of one slot. */
u64 exit_ring_read(const struct kvm_exit_total *total, enum exit_ring_what what);

/*
 * The sum of one slot of a vCPU, or of all slots if slot is EXIT_RING_ALL_SLOTS. Takes no lock,
 * and some ten instructions for each slot in use, unless a slot is used for the first time.
 */
#define EXIT_RING_ALL_SLOTS KVM_EXIT_TOTAL_SLOTS
u64 exit_ring_sum(struct exit_ring *er, unsigned int slot, enum exit_ring_what what);

/* The same over every vCPU that is, or was since kvm.ko was loaded; takes no mutex. */
u64 exit_ring_host_sum(unsigned int slot, enum exit_ring_what what);

#endif
