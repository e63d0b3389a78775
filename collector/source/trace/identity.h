/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * identity.h - which vCPU of which VM an event is of
 *
 * HOW IT WORKS
 * kvm_exit and kvm_entry name a thread and a vCPU id, but no VM. A vCPU may move
 * from thread to thread, and a process may have several VMs with the same vCPU ids.
 * What is certain: a vCPU is in the guest from a kvm_entry to the next kvm_exit,
 * and that stretch is on one thread. So of two threads with the same vCPU id,
 *
 *	A: entry ........ exit                 entry
 *	B:                       entry .. exit          one vCPU that moves
 *
 *	A: entry ..................... exit
 *	B:        entry ... exit               two vCPUs, of two VMs
 *
 * the second pair is a conflict, wherever it occurs (unless events were lost there).
 * Threads of one process and vCPU id without a conflict are one vCPU; those with a
 * conflict are distinguished by a number, the slot.
 *
 * RETURN VALUES: 0, -ENOMEM, or -E2BIG: more threads ran one vCPU id than can be.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_IDENTITY_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "collector/events/lost_windows.h"

struct identity;

/*
 * One vCPU id of one process.
 * @tgid: 0: the recording has no process ids
 * @threads: how many ran it
 * @slots: how many vCPUs it is
 */
struct identity_vcpu {
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t threads;
	uint32_t slots;
};

struct identity *identity_new(void);

/*
 * identity_see - learn from a kvm_exit or kvm_entry; events come in order of time
 * @lost: where events were lost
 */
int identity_see(struct identity *id, const struct kvm_event *event,
		 const struct lost_windows *lost);

/*
 * identity_process - the process of a vCPU's thread by other events of it; 0: not known
 *
 * ftrace may write it from some event on (record-tgid).
 */
uint32_t identity_process(const struct identity *id, uint32_t tid);

/* Whether that became known of some thread after events without it. */
bool identity_learned_late(const struct identity *id);

/* Forget which vCPUs there are, and keep what is known of the threads. */
void identity_restart(struct identity *id);

/* Sets the CPUs that the event's vCPU was seen on; leaves @cpus if it was not seen. */
void identity_cpus(const struct identity *id, const struct kvm_event *event,
		   struct lost_windows_cpus *cpus);

/*
 * identity_name_vcpu - the vCPU id of an event: its own, else that of its thread
 *
 * kvm_exit has none before Linux 5.10, the events with a key never have. Of a thread
 * that runs several vCPUs it is that of the event before. KVM_EVENT_NO_VCPU: its
 * thread is not a vCPU's.
 */
uint32_t identity_name_vcpu(const struct identity *id, const struct kvm_event *event);

/*
 * identity_number_threads - give each thread a vCPU id of its own
 *
 * For recordings in which no event names the vCPU: 0, 1, ... in the order in which
 * the threads of a process appear.
 */
int identity_number_threads(struct identity *id, const struct kvm_event *event);

/* Which of the vCPUs with this process and id the thread of @event runs, from 0. */
uint32_t identity_slot(struct identity *id, const struct kvm_event *event);

/*
 * identity_vm - a number for the VM of a vCPU, the same for all vCPUs of one VM
 * @tid: thread that the vCPU was first seen on
 *
 * One for each process, if none of its vCPUs has several slots; where there are no
 * process ids, one for all. Else nothing shows which vCPU belongs to which VM, and
 * each vCPU gets a number of its own.
 */
uint64_t identity_vm(struct identity *id, uint32_t tgid, uint32_t tid);

/* How many vCPU ids of processes were seen. */
uint32_t identity_count(const struct identity *id);

/* Whether some of them are several vCPUs. */
bool identity_has_split(struct identity *id);

/*
 * identity_split_unknown - treat threads with the same vCPU id as different vCPUs
 *
 * Where process ids and kvm_entry are missing, so that nothing else can distinguish them.
 */
void identity_split_unknown(struct identity *id);

/* Call @visit for each vCPU id of each process. */
void identity_walk(struct identity *id, void (*visit)(const struct identity_vcpu *vcpu, void *user),
		   void *user);

void identity_free(struct identity *id);

#endif
