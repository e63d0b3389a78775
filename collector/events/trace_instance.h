/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace_instance.h - events of KVM from a tracefs instance of our own
 *
 * An instance has buffers of its own: other tracers neither disturb it nor are
 * disturbed. Time stamps are TSC cycles (clock x86-tsc), the clock of the ring's
 * records. When a buffer is full the oldest events are overwritten; how many,
 * and between which two events of that CPU, is reported.
 *
 * RETURN VALUES: 0 or -errno.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_TRACE_INSTANCE_H
#define EXITSCOPE_COLLECTOR_EVENTS_TRACE_INSTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"

struct trace_instance;

/* Which events an instance has, as bits of their kinds. */
#define TRACE_EXITS (1U << KVM_EVENT_EXIT | 1U << KVM_EVENT_ENTRY)
#define TRACE_KEYS  (((1U << KVM_EVENT_KINDS) - 1) & ~TRACE_EXITS)

/*
 * Whom trace_instance_drain() calls. A call that returns other than 0 ends the drain
 * with that value.
 * @event: one event; within one CPU in order of time
 * @lost:  events of CPU @cpu were overwritten between the times @from and @to
 */
struct trace_sink {
	int (*event)(void *user, const struct kvm_event *event);
	int (*lost)(void *user, uint32_t cpu, uint64_t from, uint64_t to);
	void *user;
};

/*
 * Makes the instance, with @buffer_kb KiB per CPU (0: 16 MiB), events off.
 * @kinds: TRACE_EXITS: both are needed; TRACE_KEYS: those of them that this kernel has.
 * A process may have one instance of each.
 * -ENODEV: no tracefs; -EPERM, -EACCES: not allowed (lockdown, no root);
 * -ENOENT: the kernel knows no kvm events (kvm not loaded); -ENOTSUP: no x86-tsc, or
 * TRACE_EXITS without a vCPU's id.
 */
int trace_instance_open(struct trace_instance **instance, size_t buffer_kb, uint32_t kinds);

/* Words for what trace_instance_open() returned. */
const char *trace_instance_strerror(int rc);

/* Turns the events on. */
int trace_instance_start(struct trace_instance *instance);

/* Turns the events off; what is in the buffers stays to be drained. */
int trace_instance_stop(struct trace_instance *instance);

/* Hands over everything that the buffers hold. */
int trace_instance_drain(struct trace_instance *instance, const struct trace_sink *sink);

/* Events overwritten or refused since the start, over all CPUs (exact, from the
 * statistics of the buffers).
 */
int trace_instance_lost(struct trace_instance *instance, uint64_t *lost);

/* The numbers of kvm_exit and kvm_entry, for perf_event_attr.config. */
void trace_instance_ids(const struct trace_instance *instance, uint32_t *exit_id,
			uint32_t *entry_id);

/* The process of a thread, of a dead one too if it was scheduled while the
 * events were on; 0: unknown.
 */
uint32_t trace_instance_tgid(struct trace_instance *instance, uint32_t tid);

/* Removes the instance. */
void trace_instance_close(struct trace_instance *instance);

#endif
