/* SPDX-License-Identifier: GPL-2.0-only */
/* event_record.h - the record of an exit as far as its tracepoints tell it */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_EVENT_RECORD_H
#define EXITSCOPE_COLLECTOR_EVENTS_EVENT_RECORD_H

#include "collector/events/kvm_event.h"
#include "kvm/uapi/kvm_exit_ring.h"

/*
 * Fills in @record from a kvm_exit event; @end: time of the kvm_entry after it.
 * Keys are those that the event's info fields hold; MSR numbers, CPUID leaves
 * and the address of an EPT violation are not among them. All cycles count as
 * handler cycles: the tracepoints don't tell the parts.
 */
void event_record(struct kvm_exit_record *record, const struct kvm_event *event, uint64_t end);

#endif
