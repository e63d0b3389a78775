/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmstat.h - KVM's own statistics of a VM, from debugfs
 *
 * KVM_GET_STATS_FD answers only the process that made the VM, so an observer
 * has /sys/kernel/debug/kvm/PID-FD, which adds up the vCPUs of the VM. An open
 * file there keeps the VM from being destroyed: so the final numbers can still
 * be read when the VM's process is gone.
 *
 * `exits` counts from the vCPU's creation, and so does the totals page of the
 * ring. Both totals, before and after the statistic was read, bound it. KVM counts an exit a
 * moment after the totals do, with interrupts on: it may be less by one for each vCPU whose thread
 * runs, or waits for a CPU in between.
 *
 * RETURN VALUES: 0 or -errno.
 */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_KVMSTAT_H
#define EXITSCOPE_COLLECTOR_XCHECK_KVMSTAT_H

#include <stdbool.h>
#include <stdint.h>

struct kvmstat;

enum {
	KVMSTAT_EXITS,
	KVMSTAT_IO_EXITS,
	KVMSTAT_MMIO_EXITS,
	KVMSTAT_HALT_EXITS,
	KVMSTAT_IRQ_EXITS,
	KVMSTAT_SIGNAL_EXITS,
	KVMSTAT_HYPERCALLS,
	KVMSTAT_COUNT
};

/* The files' names in debugfs. */
extern const char *const kvmstat_names[KVMSTAT_COUNT];

/*
 * What was read of one VM.
 * @values:	by KVMSTAT_*; -1: this kernel has no such file
 * @low, @high:	what the statistic can be by the exits + synthesized exits + VMfail
 *		of all rings of the VM, read just before and just after; valid if
 *		@bounded; equal if the VM did not exit meanwhile
 */
struct kvmstat_result {
	int64_t values[KVMSTAT_COUNT];
	uint64_t low;
	uint64_t high;
	bool bounded;
};

/* -ENODEV: no debugfs; -EACCES, -EPERM: not allowed (no root, lockdown). */
int kvmstat_check(void);

/*
 * Takes hold of the one VM of process @tgid whose directory nobody holds yet.
 * -ENOENT: it has none (destroyed already, or its name was taken); -EEXIST: it
 * has several, and which is meant is unknown.
 */
int kvmstat_open(struct kvmstat **stat, uint32_t tgid);

/* One of the VM's rings: its totals bound the statistic. -ENOENT: the ring is gone. */
int kvmstat_add_ring(struct kvmstat *stat, uint64_t ring_id);

/*
 * Whether a vCPU of the VM is gone. Then the directory is that of another VM, which its process has
 * made since: a VM that is held does not go.
 */
bool kvmstat_is_of_another(const struct kvmstat *stat);

/* Whether the VM's process has closed the VM: time to read and let go. */
bool kvmstat_abandoned(const struct kvmstat *stat);

int kvmstat_read(struct kvmstat *stat, struct kvmstat_result *result);

/*
 * Lowers @low by what KVM may still have to count of a VM of @vcpus, of which the threads of
 * @running run or wait for a CPU.
 */
void kvmstat_lower(struct kvmstat_result *result, unsigned int vcpus, unsigned int running);

/* Lets go of the VM. */
void kvmstat_close(struct kvmstat *stat);

#endif
