// SPDX-License-Identifier: GPL-2.0-only
/* event_record.c - fills a record from the fields of kvm_exit */
#include "collector/events/event_record.h"

#include <string.h>

/* SDM vol. 3, table "Exit Qualification for I/O Instructions" */
static void vmx_io(struct kvm_exit_record *r, uint64_t qualification)
{
	r->key = qualification >> 16 & 0xffff;
	r->key_aux = (qualification & 7) + 1;
	r->key_aux |= qualification & 0x08 ? KVM_EXIT_KEY_IO_IN : 0;
	r->key_aux |= qualification & 0x10 ? KVM_EXIT_KEY_IO_STRING : 0;
	r->key_aux |= qualification & 0x20 ? KVM_EXIT_KEY_IO_REP : 0;
}

static uint32_t vmx_key(struct kvm_exit_record *r, const struct kvm_event *e)
{
	switch (e->reason & 0xffff) {
	case 0: /* exception or NMI */
	case 1: /* external interrupt */
		if (!(e->intr_info & 0x80000000U))
			return 0;

		r->key = e->intr_info & 0xff;
		break;
	case 28: /* CR access */
		r->key = e->info1 & 0xf;
		r->key_aux = e->info1 >> 4 & 3;
		break;
	case 29: /* DR access */
		r->key = e->info1 & 7;
		r->key_aux = e->info1 >> 4 & 1;
		break;
	case 30:
		vmx_io(r, e->info1);
		break;
	case 84: /* RDMSR, WRMSRNS with an immediate */
	case 85:
		r->key = (uint32_t)e->info1;
		r->key_aux = (e->reason & 0xffff) == 85;
		break;
	default:
		return 0;
	}

	return KVM_EXIT_REC_KEY;
}

/* APM vol. 2, 15.10.2: EXITINFO1 of IOIO */
static void svm_io(struct kvm_exit_record *r, uint64_t info)
{
	r->key = info >> 16 & 0xffff;
	r->key_aux = info >> 4 & 7;
	r->key_aux |= info & 1 ? KVM_EXIT_KEY_IO_IN : 0;
	r->key_aux |= info & 4 ? KVM_EXIT_KEY_IO_STRING : 0;
	r->key_aux |= info & 8 ? KVM_EXIT_KEY_IO_REP : 0;
}

static uint32_t svm_key(struct kvm_exit_record *r, const struct kvm_event *e)
{
	if (e->reason < 0x40) { /* CR and DR: read 0 - 0xf, write 0x10 - 0x1f */
		r->key = e->reason & 0xf;
		r->key_aux = !(e->reason & 0x10);
	} else if (e->reason < 0x60) {
		r->key = e->reason - 0x40;
	} else if (e->reason == 0x7b) {
		svm_io(r, e->info1);
	} else if (e->reason == 0x400) { /* nested page fault; 15.25.6 */
		r->key = e->info2;
		r->key_aux = e->info1 & 0x10  ? KVM_EXIT_ACCESS_EXEC
			     : e->info1 & 0x2 ? KVM_EXIT_ACCESS_WRITE
					      : KVM_EXIT_ACCESS_READ;
	} else {
		return 0;
	}

	return KVM_EXIT_REC_KEY;
}

/* The key of the info fields; flags for it. */
static uint32_t info_key(struct kvm_exit_record *r, const struct kvm_event *e)
{
	if (e->no_info)
		return 0;
	return e->isa == KVM_EXIT_ISA_SVM ? svm_key(r, e) : vmx_key(r, e);
}

void event_record(struct kvm_exit_record *record, const struct kvm_event *event, uint64_t end)
{
	memset(record, 0, sizeof(*record));

	record->tsc = event->ts;
	record->cycles = end - event->ts;
	record->handler_cycles = record->cycles;
	record->guest_rip = event->guest_rip;
	record->qualification = event->info1;
	record->info2 = event->info2;
	record->reason = event->reason;
	record->intr_info = event->intr_info;
	record->error_code = event->error_code;
	record->pcpu = (__u16)event->cpu;
	record->vcpu_id = (__u16)event->vcpu_id;
	record->isa = (__u8)event->isa;

	record->flags = event->no_info ? 0 : KVM_EXIT_REC_QUAL;
	record->flags |= event->no_rip ? KVM_EXIT_REC_NO_RIP : 0;
	record->flags |= event->intr_info & 0x80000000U ? KVM_EXIT_REC_INTR : 0;
	if (event->intr_info & 0x800U && !event->no_error_code)
		record->flags |= KVM_EXIT_REC_ERROR_CODE;

	record->flags |= info_key(record, event);
	if (event->has_key && !(record->flags & KVM_EXIT_REC_KEY)) {
		record->key = event->key;
		record->key_aux = event->key_aux;
		record->flags |= KVM_EXIT_REC_KEY;
	}
}
