/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_event.h - KVM's tracepoints as plain structs
 *
 * kvm_exit and kvm_entry make the records. The others show what an exit was about:
 * the MSR, the port, the CPUID leaf, the address. Wherever they come from (tracefs,
 * trace.dat, perf.data), their fields are found by the event's own format text, so
 * a kernel may move them.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_KVM_EVENT_H
#define EXITSCOPE_COLLECTOR_EVENTS_KVM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/events/event_format.h"

/* Those after KVM_EVENT_ENTRY have a key. */
enum kvm_event_kind {
	KVM_EVENT_EXIT,
	KVM_EVENT_ENTRY,
	KVM_EVENT_MSR,
	KVM_EVENT_PIO,
	KVM_EVENT_MMIO,
	KVM_EVENT_CPUID,
	KVM_EVENT_PAGE_FAULT,
	KVM_EVENT_HYPERCALL,
	KVM_EVENT_KINDS
};

/* kvm_event.vcpu_id: the event has no such field. */
#define KVM_EVENT_NO_VCPU UINT32_MAX

/*
 * @ts:		clock of the recording: TSC cycles with the clock x86-tsc, else ns
 * @guest_rip:	guest RIP at the exit, unless @no_rip; 0 for other events
 * @info1, @info2: of kvm_exit: exit qualification and IDT-vectoring information
 *		(VMX) or EXITINFO1 and 2 (SVM), unless @no_info
 * @key, @key_aux: as in struct kvm_exit_record if @has_key: of the events with a
 *		key, and of a kvm_exit that was joined with one (kvm_event_join())
 * @period:	of a sampled recording: exits that this event stands for; else 0
 * @kind:	which tracepoint
 * @cpu:	physical CPU
 * @tid:	the vCPU's thread
 * @tgid:	the thread's process; 0: not known
 * @vcpu_id:	id given to KVM_CREATE_VCPU; KVM_EVENT_NO_VCPU: not in the event
 * @reason, @isa, @intr_info, @error_code: as in struct kvm_exit_record
 * @no_error_code: unknown, whatever @intr_info says of one
 */
struct kvm_event {
	uint64_t ts;
	uint64_t guest_rip;
	uint64_t info1;
	uint64_t info2;
	uint64_t key;
	uint64_t key_aux;
	uint64_t period;
	enum kvm_event_kind kind;
	uint32_t cpu;
	uint32_t tid;
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t reason;
	uint32_t isa;
	uint32_t intr_info;
	uint32_t error_code;
	bool has_key;
	bool no_rip;
	bool no_info;
	bool no_error_code;
};

/* Fields of an event; which of them a kind has is in kvm_event.c. */
#define KVM_EVENT_FIELDS 8

struct kvm_event_layout {
	bool known; /* the format was added */
	uint32_t id;
	struct event_field pid;
	struct event_field field[KVM_EVENT_FIELDS]; /* size 0: this kernel has none */
};

/*
 * The layouts of a recording, zeroed at first.
 * @foreign: its kvm_exit is that of another architecture
 */
struct kvm_event_formats {
	struct kvm_event_layout layout[KVM_EVENT_KINDS];
	bool foreign;
};

/* The tracepoint's name in system kvm; @kind: below KVM_EVENT_KINDS. */
const char *kvm_event_name(enum kvm_event_kind kind);

/*
 * kvm_event_formats_add - take the format text of one event of system kvm
 *
 * Return the kind, or -ENOENT for an event that is of no interest here, or
 * -EBADMSG for a text without name or ID.
 */
int kvm_event_formats_add(struct kvm_event_formats *formats, const char *text, size_t size);

/*
 * kvm_event_formats_check - whether exits can be read
 *
 * Return 0; -ENOENT: no kvm_exit; -ENOEXEC: that of an arm64 (or other) host;
 * -EBADMSG: kvm_exit lacks exit_reason or common_pid.
 */
int kvm_event_formats_check(const struct kvm_event_formats *formats);

/* Whether kvm_exit and kvm_entry both are known and carry the vCPU's id (from 5.10 on). */
bool kvm_event_formats_have_vcpu(const struct kvm_event_formats *formats);

/*
 * kvm_event_parse - decode the raw data of one event of @size bytes
 *
 * Fills in all except ts, cpu, tgid and period, which the caller knows. Return
 * false for another event or one that ends before its fields.
 */
bool kvm_event_parse(const struct kvm_event_formats *formats, const void *data, size_t size,
		     struct kvm_event *event);

/*
 * What an event's own fields say, in the order of kvm_event_field(); others are 0.
 * @has: the event has the field
 */
struct kvm_event_values {
	uint64_t value[KVM_EVENT_FIELDS];
	bool has[KVM_EVENT_FIELDS];
};

/* The name of field number @i of a kind of event, NULL: it has none. */
const char *kvm_event_field(enum kvm_event_kind kind, int i);

/*
 * kvm_event_fill - fill in what the fields of an event of kind event->kind say
 *
 * Return false if it lacks the one without which it says nothing: of kvm_exit the
 * reason, of the events with a key the key.
 */
bool kvm_event_fill(struct kvm_event *event, const struct kvm_event_values *values);

/*
 * kvm_event_use_old_info - of a kvm_exit of VMX by a kernel before 5.10: its info2 is the
 *	interruption information, and the IDT-vectoring information is unknown
 */
void kvm_event_use_old_info(struct kvm_event *exit_event);

/*
 * kvm_event_join - give a kvm_exit the key of an event that came after it
 *
 * Nothing changes unless @event can be about @exit_event's reason, which then has
 * no key so far.
 */
void kvm_event_join(struct kvm_event *exit_event, const struct kvm_event *event);

#endif
