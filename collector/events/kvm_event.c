// SPDX-License-Identifier: GPL-2.0-only
/* kvm_event.c - finds the fields by the tracepoint's format text */
#include "collector/events/kvm_event.h"

#include <errno.h>
#include <string.h>

#include <event-parse.h>

static int find_exit_fields(struct kvm_event_format *f, struct tep_event *event)
{
	f->exit_id = event->id;
	f->pid = tep_find_common_field(event, "common_pid");
	f->exit_reason = tep_find_field(event, "exit_reason");
	f->exit_rip = tep_find_field(event, "guest_rip");
	f->exit_isa = tep_find_field(event, "isa");
	f->exit_info1 = tep_find_field(event, "info1");
	f->exit_info2 = tep_find_field(event, "info2");
	f->exit_intr = tep_find_field(event, "intr_info");
	f->exit_error = tep_find_field(event, "error_code");
	f->exit_vcpu = tep_find_field(event, "vcpu_id");
	return f->pid && f->exit_reason && f->exit_vcpu ? 0 : -ENOTSUP;
}

int kvm_event_format_init(struct kvm_event_format *format, struct tep_handle *tep)
{
	struct tep_event *exit_event = tep_find_event_by_name(tep, "kvm", "kvm_exit");
	struct tep_event *entry_event = tep_find_event_by_name(tep, "kvm", "kvm_entry");

	memset(format, 0, sizeof(*format));
	if (!exit_event || !entry_event)
		return -ENOENT;
	format->tep = tep;
	format->entry_id = entry_event->id;
	format->entry_vcpu = tep_find_field(entry_event, "vcpu_id");
	if (!format->entry_vcpu)
		return -ENOTSUP;
	return find_exit_fields(format, exit_event);
}

/* The number in a field, 0 where the event has no such field or ends before it. */
static uint64_t number(struct tep_format_field *field, const void *data, int size)
{
	unsigned long long value;

	if (!field || field->offset + field->size > size ||
	    tep_read_number_field(field, data, &value))
		return 0;
	return field->size == 4 ? (uint32_t)value : value;
}

bool kvm_event_parse(const struct kvm_event_format *format, void *data, int size,
		     struct kvm_event *event)
{
	struct tep_record record = {.data = data, .size = size};
	int id;

	if (size < (int)(format->pid->offset + format->pid->size))
		return false;
	id = tep_data_type(format->tep, &record);
	if (id != format->exit_id && id != format->entry_id)
		return false;
	memset(event, 0, sizeof(*event));
	event->tid = (uint32_t)number(format->pid, data, size);
	if (id == format->entry_id) {
		event->kind = KVM_EVENT_ENTRY;
		event->vcpu_id = (uint32_t)number(format->entry_vcpu, data, size);
		return format->entry_vcpu->offset + format->entry_vcpu->size <= size;
	}
	event->kind = KVM_EVENT_EXIT;
	event->vcpu_id = (uint32_t)number(format->exit_vcpu, data, size);
	event->reason = (uint32_t)number(format->exit_reason, data, size);
	event->guest_rip = number(format->exit_rip, data, size);
	event->isa = (uint32_t)number(format->exit_isa, data, size);
	event->info1 = number(format->exit_info1, data, size);
	event->info2 = number(format->exit_info2, data, size);
	event->intr_info = (uint32_t)number(format->exit_intr, data, size);
	event->error_code = (uint32_t)number(format->exit_error, data, size);
	return format->exit_vcpu->offset + format->exit_vcpu->size <= size;
}
