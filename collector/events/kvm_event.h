/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm_event.h - the tracepoints kvm:kvm_exit and kvm:kvm_entry as plain structs
 *
 * Whatever they come from (tracefs, trace.dat, perf.data): the fields are found
 * by the event's own format text (libtraceevent), so a kernel may move them.
 *
 * RETURN VALUES: 0 or -errno.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_KVM_EVENT_H
#define EXITSCOPE_COLLECTOR_EVENTS_KVM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct tep_handle;
struct tep_event;
struct tep_format_field;

enum kvm_event_kind { KVM_EVENT_EXIT, KVM_EVENT_ENTRY };

/*
 * @ts:		clock of the recording: TSC cycles with the clock x86-tsc, else ns
 * @guest_rip:	guest RIP at the exit; 0 for an entry
 * @info1, @info2: exit qualification and IDT-vectoring information (VMX) or
 *		EXITINFO1 and 2 (SVM); 0 for an entry
 * @cpu:	physical CPU
 * @tid:	the vCPU's thread
 * @vcpu_id:	id given to KVM_CREATE_VCPU
 * @reason, @isa, @intr_info, @error_code: as in struct kvm_exit_record
 */
struct kvm_event {
	uint64_t ts;
	uint64_t guest_rip;
	uint64_t info1;
	uint64_t info2;
	enum kvm_event_kind kind;
	uint32_t cpu;
	uint32_t tid;
	uint32_t vcpu_id;
	uint32_t reason;
	uint32_t isa;
	uint32_t intr_info;
	uint32_t error_code;
};

/* Where the fields of both events lie. The tep handle owns what they point to. */
struct kvm_event_format {
	struct tep_handle *tep;
	struct tep_format_field *pid;
	struct tep_format_field *exit_reason, *exit_rip, *exit_isa, *exit_info1, *exit_info2;
	struct tep_format_field *exit_intr, *exit_error, *exit_vcpu;
	struct tep_format_field *entry_vcpu;
	int exit_id;
	int entry_id;
};

/*
 * Looks both events up in @tep. -ENOENT: @tep doesn't know them; -ENOTSUP: a
 * field is missing that must be there (kernels before 5.10 tell no vCPU).
 */
int kvm_event_format_init(struct kvm_event_format *format, struct tep_handle *tep);

/*
 * Decodes the raw data of one event, @size bytes. Fills in all but ts and cpu,
 * which the caller knows. False: another event, or too short.
 */
bool kvm_event_parse(const struct kvm_event_format *format, void *data, int size,
		     struct kvm_event *event);

#endif
