/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * portions.h - which instance of ftrace an event is taken from
 *
 * Several instances may record the same events, or each those of some threads (trace-cmd -P) or
 * CPUs (-M), or each those that a filter of its own lets through (-f). The time of an event differs
 * a little between them, so equal ones can't be found by it. A portion is what an instance has of
 * one kind of event of one thread on one CPU, and of exits of one reason, of MSRs one number and so
 * on; of each portion the instance that has most of it is chosen.
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
 * @mixed: events of one thread are chosen from several instances that have some of the same: what
 *	one of them lost may be there from another
 */
struct portions {
	struct portion *portion;
	uint32_t count;
	bool mixed;
	struct hash hash;
};

/* Counts an event of instance number @instance. -ENOMEM. */
int portions_count(struct portions *portions, size_t instance, const struct kvm_event *event);

/* After all events were counted. Of instances with the same count the first is chosen. */
void portions_choose(struct portions *portions);

/* Whether the event is taken from this instance. */
bool portions_has(const struct portions *portions, size_t instance, const struct kvm_event *event);

/* Whether anything is taken from it. */
bool portions_uses(const struct portions *portions, size_t instance);

void portions_free(struct portions *portions);

#endif
