/* SPDX-License-Identifier: GPL-2.0-only */
/* What exit_ring.c, exit_ring_dev.c, exit_ring_set.c and cpuid_leaves.c share. */
#ifndef __KVM_X86_EXIT_RING_DEV_H
#define __KVM_X86_EXIT_RING_DEV_H

#include <linux/mutex.h>

#include "exit_ring_hooks.h"

/*
 * Guards the set of rings, who reads them and their buffers. Taken in process
 * context only; no KVM lock is taken and no user memory accessed inside, because a page
 * that comes late would hold up the creation and destruction of every vCPU.
 */
extern struct mutex exit_ring_lock;

/* Records per ring, a power of two (module parameter ring_records). */
extern unsigned int exit_ring_records;

/* Whether a full ring holds its vCPU (module parameter on_full=wait). */
extern bool exit_ring_waits;

/* Woken, and the number raised, whenever a ring comes or goes. */
extern wait_queue_head_t exit_ring_changed;
extern u64 exit_ring_changes;

/* Gives a new ring the next id. -ENOMEM */
int exit_ring_new_id(struct exit_ring *er);

/* Makes a ring known to readers; gives it a buffer if recording is armed. */
void exit_ring_publish_ring(struct exit_ring *er);

/* The rest under exit_ring_lock. */

/* The vCPU is gone: marks the ring dead, wakes readers, drops the vCPU's reference. */
void exit_ring_vcpu_gone(struct exit_ring *er);

/* The ring with the smallest id >= *id, which is set to its id; or NULL. */
struct exit_ring *exit_ring_find(u64 *id);

/* Begins recording for a reader. -EBUSY, -ENOENT, -ENOMEM */
int exit_ring_attach(struct exit_ring *er, const struct kvm_exit_ring_attach *how);

/* Undoes exit_ring_attach(). */
void exit_ring_detach(struct exit_ring *er);

/* Whether new rings record from their first exit on. Turning it off drops what waits unread. */
void exit_ring_arm(bool on);

void exit_ring_get(struct exit_ring *er);
void exit_ring_put(struct exit_ring *er);

/* Waits for buffers that RCU has still to free; no ring is left. Before unload. */
void exit_ring_set_fini(void);

/*
 * sum += counts and cycles of one slot of a ring, or of all its slots if slot is
 * EXIT_RING_ALL_SLOTS.
 */
#define EXIT_RING_ALL_SLOTS KVM_EXIT_TOTAL_SLOTS
void exit_ring_sum(const struct kvm_exit_total *totals, unsigned int slot,
		   struct kvm_exit_total *sum);

/* The same over every vCPU that is, or was since kvm.ko was loaded; takes no mutex. */
void exit_ring_host_sum(unsigned int slot, struct kvm_exit_total *sum);

#endif
