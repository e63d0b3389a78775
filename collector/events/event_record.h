/* SPDX-License-Identifier: GPL-2.0-only */
/* event_record.h - the record of an exit, as far as tracepoints show it */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_EVENT_RECORD_H
#define EXITSCOPE_COLLECTOR_EVENTS_EVENT_RECORD_H

#include "collector/events/kvm_event.h"
#include "kvm/uapi/kvm_exit_ring.h"

/*
 * event_record - fill in @record from a kvm_exit event
 * @end: time of the kvm_entry after it; @event's own time where that is not known
 *
 * The key is what the event's info fields hold, else what kvm_event_join() gave the
 * event: kvm_exit alone has no MSR number, no CPUID leaf and no address of an EPT
 * violation. All cycles count as handler cycles: tracepoints don't show the parts.
 */
void event_record(struct kvm_exit_record *record, const struct kvm_event *event, uint64_t end);

#endif
