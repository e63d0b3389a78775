// SPDX-License-Identifier: GPL-2.0-only
/* kvm_event.c - decodes KVM's tracepoints, and says which belongs to which exit */
#include "collector/events/kvm_event.h"

#include <errno.h>
#include <string.h>

#include "kvm/ring/exit_reason.h"
#include "kvm/uapi/kvm_exit_ring.h"

enum { /* kvm_exit */
       EXIT_REASON,
       EXIT_VCPU,
       EXIT_RIP,
       EXIT_ISA,
       EXIT_INFO1,
       EXIT_INFO2,
       EXIT_INTR,
       EXIT_ERROR
};
enum { ENTRY_VCPU };
enum { KEY, KEY_SECOND, KEY_THIRD, KEY_VCPU }; /* the events with a key */

/* Names and fields of the events in Linux 2.6.31 to 6.12. */
static const struct {
	const char *name;
	const char *field[KVM_EVENT_FIELDS];
} tracepoints[KVM_EVENT_KINDS] = {
	[KVM_EVENT_EXIT] = {"kvm_exit",
			    {"exit_reason", "vcpu_id", "guest_rip", "isa", "info1", "info2",
			     "intr_info", "error_code"}},
	[KVM_EVENT_ENTRY] = {"kvm_entry", {"vcpu_id"}},
	[KVM_EVENT_MSR] = {"kvm_msr", {"ecx", "write"}},
	[KVM_EVENT_PIO] = {"kvm_pio", {"port", "size", "rw"}},
	[KVM_EVENT_MMIO] = {"kvm_mmio", {"gpa", "type"}},
	[KVM_EVENT_CPUID] = {"kvm_cpuid", {"function", "index"}},
	[KVM_EVENT_PAGE_FAULT] = {"kvm_page_fault",
				  {"fault_address", "error_code", NULL, "vcpu_id"}},
	[KVM_EVENT_HYPERCALL] = {"kvm_hypercall", {"nr"}},
};

const char *kvm_event_name(enum kvm_event_kind kind)
{
	return tracepoints[kind].name;
}

static int kind_of(const char *name)
{
	for (int i = 0; i < KVM_EVENT_KINDS; i++) {
		if (!strcmp(name, tracepoints[i].name))
			return i;
	}
	return -ENOENT;
}

int kvm_event_formats_add(struct kvm_event_formats *formats, const char *text, size_t size)
{
	const struct event_field *field;
	struct kvm_event_layout *layout;
	struct event_format format;
	int kind = event_format_parse(&format, text, size);

	if (kind)
		return kind;
	kind = kind_of(format.name);
	if (kind < 0)
		return kind;

	layout = &formats->layout[kind];
	memset(layout, 0, sizeof(*layout));
	layout->known = true;
	layout->id = format.id;
	field = event_format_find(&format, "common_pid");
	if (field)
		layout->pid = *field;
	for (int i = 0; i < KVM_EVENT_FIELDS; i++) {
		const char *name = tracepoints[kind].field[i];

		field = name ? event_format_find(&format, name) : NULL;
		if (field)
			layout->field[i] = *field;
	}

	/* arm64: ret, esr_ec, vcpu_pc; riscv and s390 differ too, but none has a guest_rip. */
	if (kind == KVM_EVENT_EXIT)
		formats->foreign =
			!layout->field[EXIT_REASON].size && !layout->field[EXIT_RIP].size;
	return kind;
}

int kvm_event_formats_check(const struct kvm_event_formats *formats)
{
	const struct kvm_event_layout *exits = &formats->layout[KVM_EVENT_EXIT];

	if (!exits->known)
		return -ENOENT;
	if (formats->foreign)
		return -ENOEXEC;
	return exits->pid.size && exits->field[EXIT_REASON].size ? 0 : -EBADMSG;
}

bool kvm_event_formats_have_vcpu(const struct kvm_event_formats *formats)
{
	return formats->layout[KVM_EVENT_EXIT].field[EXIT_VCPU].size &&
	       formats->layout[KVM_EVENT_ENTRY].field[ENTRY_VCPU].size;
}

const char *kvm_event_field(enum kvm_event_kind kind, int i)
{
	return tracepoints[kind].field[i];
}

static bool fill_exit(struct kvm_event *event, const struct kvm_event_values *values)
{
	const uint64_t *value = values->value;

	event->vcpu_id = values->has[EXIT_VCPU] ? (uint32_t)value[EXIT_VCPU] : KVM_EVENT_NO_VCPU;
	event->reason = (uint32_t)value[EXIT_REASON];
	event->guest_rip = value[EXIT_RIP];
	event->no_rip = !values->has[EXIT_RIP];
	event->no_info = !values->has[EXIT_INFO1];
	event->info1 = value[EXIT_INFO1];
	event->info2 = value[EXIT_INFO2];
	event->intr_info = (uint32_t)value[EXIT_INTR];
	event->error_code = (uint32_t)value[EXIT_ERROR];

	/* Kernels before 2.6.37 don't name it: they had VMX and SVM apart. */
	event->isa = value[EXIT_ISA] == KVM_EXIT_ISA_SVM ? KVM_EXIT_ISA_SVM : KVM_EXIT_ISA_VMX;
	return values->has[EXIT_REASON];
}

/* KVM_EXIT_KEY of the event, see the ABI header. */
static bool fill_key(struct kvm_event *event, const struct kvm_event_values *values)
{
	uint64_t second = values->value[KEY_SECOND];

	event->has_key = values->has[KEY];
	event->key = values->value[KEY];
	event->vcpu_id =
		values->has[KEY_VCPU] ? (uint32_t)values->value[KEY_VCPU] : KVM_EVENT_NO_VCPU;

	switch (event->kind) {
	case KVM_EVENT_MSR:
		event->key_aux = second != 0;
		break;
	case KVM_EVENT_PIO:
		event->key_aux = second & KVM_EXIT_KEY_IO_SIZE;
		if (!values->value[KEY_THIRD])
			event->key_aux |= KVM_EXIT_KEY_IO_IN;
		break;
	case KVM_EVENT_MMIO: /* 0: unsatisfied read, 1: read, 2: write */
		event->key_aux = second == 2 ? KVM_EXIT_ACCESS_WRITE : KVM_EXIT_ACCESS_READ;
		break;
	case KVM_EVENT_CPUID:
		event->key_aux = second;
		break;
	default:
		break;
	}
	return event->has_key;
}

bool kvm_event_fill(struct kvm_event *event, const struct kvm_event_values *values)
{
	if (event->kind == KVM_EVENT_EXIT)
		return fill_exit(event, values);
	if (event->kind != KVM_EVENT_ENTRY)
		return fill_key(event, values);
	event->vcpu_id =
		values->has[ENTRY_VCPU] ? (uint32_t)values->value[ENTRY_VCPU] : KVM_EVENT_NO_VCPU;
	return true;
}

/* Fields that the kernel's format has not, or that lie outside of the data, are left out. */
static void read_values(const struct kvm_event_layout *layout, const void *data, size_t size,
			struct kvm_event_values *values)
{
	for (int i = 0; i < KVM_EVENT_FIELDS; i++) {
		const struct event_field *field = &layout->field[i];

		values->has[i] = field->size && event_field_fits(field, size);
		values->value[i] = values->has[i] ? event_field_read(field, data, size) : 0;
	}
}

void kvm_event_use_old_info(struct kvm_event *exit_event)
{
	if (exit_event->isa != KVM_EXIT_ISA_VMX)
		return;
	exit_event->intr_info = (uint32_t)exit_event->info2;
	exit_event->info2 = 0;
	exit_event->no_error_code = true;
}

/* An event that ends before a field that its kind has is damaged. */
static bool is_whole(const struct kvm_event_layout *layout, enum kvm_event_kind kind, size_t size)
{
	if (kind == KVM_EVENT_EXIT)
		return event_field_fits(&layout->field[EXIT_VCPU], size);
	return kind != KVM_EVENT_ENTRY || event_field_fits(&layout->field[ENTRY_VCPU], size);
}

bool kvm_event_parse(const struct kvm_event_formats *formats, const void *data, size_t size,
		     struct kvm_event *event)
{
	const struct kvm_event_layout *layout;
	struct kvm_event_values values;
	uint16_t id;
	int kind;

	if (size < sizeof(id))
		return false;
	memcpy(&id, data, sizeof(id));
	for (kind = 0; kind < KVM_EVENT_KINDS; kind++) {
		if (formats->layout[kind].known && formats->layout[kind].id == id)
			break;
	}
	if (kind == KVM_EVENT_KINDS)
		return false;

	layout = &formats->layout[kind];
	if (!event_field_fits(&layout->pid, size))
		return false;
	memset(event, 0, sizeof(*event));
	event->kind = (enum kvm_event_kind)kind;
	event->tid = (uint32_t)event_field_read(&layout->pid, data, size);

	read_values(layout, data, size, &values);
	if (!kvm_event_fill(event, &values) || !is_whole(layout, event->kind, size))
		return false;
	if (event->kind == KVM_EVENT_EXIT && !layout->field[EXIT_INTR].size)
		kvm_event_use_old_info(event);
	return true;
}

/* The reason that an event with a key is about: VMX numbers, SVM codes. */
static bool is_about(const struct kvm_event *exit_event, enum kvm_event_kind kind)
{
	bool svm = exit_event->isa == KVM_EXIT_ISA_SVM;
	uint32_t reason = kvm_exit_basic(exit_event->isa, exit_event->reason);

	switch (kind) {
	case KVM_EVENT_MSR:
		return svm ? reason == 0x7c
			   : reason == 31 || reason == 32 || reason == 84 || reason == 85;
	case KVM_EVENT_PIO:
		return svm ? reason == 0x7b : reason == 30;
	case KVM_EVENT_MMIO:
		return svm ? reason == 0x400 : reason == 48 || reason == 49;
	case KVM_EVENT_CPUID:
		return reason == (svm ? 0x72 : 10);
	case KVM_EVENT_PAGE_FAULT: /* of others the address is the guest's linear one */
		return reason == (svm ? 0x400 : 48);
	case KVM_EVENT_HYPERCALL:
		return reason == (svm ? 0x81 : 18);
	default:
		return false;
	}
}

/* SDM vol. 3, table "Exit Qualification for EPT Violations": bits 0 to 2. */
static uint64_t access_of(const struct kvm_event *exit_event, const struct kvm_event *event)
{
	if (event->kind == KVM_EVENT_PAGE_FAULT)
		return exit_event->isa == KVM_EXIT_ISA_VMX && !exit_event->no_info
			       ? exit_event->info1 & 7
			       : 0;
	if (event->kind == KVM_EVENT_MMIO &&
	    kvm_exit_basic(exit_event->isa, exit_event->reason) == 49)
		return 0;
	return event->key_aux;
}

void kvm_event_join(struct kvm_event *exit_event, const struct kvm_event *event)
{
	if (exit_event->has_key || !event->has_key || !is_about(exit_event, event->kind))
		return;
	exit_event->has_key = true;
	exit_event->key = event->key;
	exit_event->key_aux = access_of(exit_event, event);
}
