/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * portions.h - which instance of ftrace an event is taken from
 *
 * HOW IT WORKS
 * Several instances may record the same events, or each those of some threads (trace-cmd -P) or
 * CPUs (-M), or each those that a filter of its own lets through (-f). The time of an event differs
 * a little between them, so equal ones can't be found by it. A group is one kind of event of one
 * thread on one CPU; it is taken from the instance that has most of it:
 *
 *	a: A A B A	b: A B A		all from a, which began earlier
 *
 * But if others have events of the group that this one has none of, they were filtered. A filter
 * asks for what an event says, so equal events all passed it or none did: of each the instance is
 * taken that has most of it.
 *
 *	a: A A A	b: B C B		A from a, B and C from b; others are not known
 *
 * Instances begin and end one after the other: an event shortly before the first one of the group,
 * or after its last one, shows nothing.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PORTIONS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PORTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "collector/events/kvm_event.h"

struct portion;

/*
 * All 0: none, and no event is chosen.
 * @by_reason: events are equal if their reasons are, or of other kinds the MSR, the port, ...
 * @mixed: events of one thread are chosen from several instances that have some of the same: what
 *	one of them lost may be there from another
 * @filtered: by kind, some were filtered
 */
struct portions {
	struct portion *portion;
	uint32_t count;
	bool by_reason;
	bool mixed;
	bool filtered[KVM_EVENT_KINDS];
	struct hash hash;
};

/*
 * portions_print - a number for what an event says: those with the same one are taken as equal
 * @data: the event as ftrace has it, of @bytes bytes
 */
uint64_t portions_print(const struct portions *portions, const struct kvm_event *event,
			const void *data, size_t bytes);

/* Counts an event of instance number @instance. -ENOMEM, or -E2BIG: too many differ. */
int portions_count(struct portions *portions, size_t instance, const struct kvm_event *event,
		   uint64_t print);

/* After -E2BIG: forget what was counted, and take events with the same reason as equal. */
void portions_restart_by_reason(struct portions *portions);

/* After all events were counted. Of instances with the same count the first is chosen. */
void portions_choose(struct portions *portions);

/* Whether the event is taken from this instance. */
bool portions_has(const struct portions *portions, size_t instance, const struct kvm_event *event,
		  uint64_t print);

/* Whether anything is taken from it. */
bool portions_uses(const struct portions *portions, size_t instance);

void portions_free(struct portions *portions);

#endif
