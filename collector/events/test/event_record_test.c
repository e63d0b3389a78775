// SPDX-License-Identifier: GPL-2.0-only
/* event_record_test.c - what the info fields of kvm_exit say, as the ring's records say it */
#include "collector/events/event_record.h"
#include "kvm/test/common/check.h"

#define KEY KVM_EXIT_REC_KEY

struct expected {
	struct kvm_event event;
	uint64_t key;
	uint64_t key_aux;
	uint32_t flags; /* without QUAL */
};

static const struct expected vmx[] = {
	/* OUT 0x3f8, al; REP INSW 0x1f0 */
	{{.reason = 30, .info1 = 0x3f8 << 16}, 0x3f8, 1, KEY},
	{{.reason = 30, .info1 = 0x1f0 << 16 | 0x39},
	 0x1f0,
	 2 | KVM_EXIT_KEY_IO_IN | KVM_EXIT_KEY_IO_STRING | KVM_EXIT_KEY_IO_REP,
	 KEY},
	{{.reason = 28, .info1 = 0x13}, 3, 1, KEY}, /* MOV from CR3 */
	{{.reason = 28, .info1 = 0x20}, 0, 2, KEY}, /* CLTS */
	{{.reason = 29, .info1 = 0x17}, 7, 1, KEY}, /* MOV from DR7 */
	{{.reason = 0, .intr_info = 0x80000b0e, .error_code = 2},
	 14,
	 0,
	 KEY | KVM_EXIT_REC_INTR | KVM_EXIT_REC_ERROR_CODE},
	{{.reason = 1}, 0, 0, 0},	       /* not acknowledged: no vector */
	{{.reason = 32, .info1 = 0}, 0, 0, 0}, /* the MSR is not in the event */
	{{.reason = 84, .info1 = 0x1b}, 0x1b, 0, KEY},
	{{.reason = 85, .info1 = 0xf000001b}, 0xf000001b, 1, KEY},
	{{.reason = 48, .info1 = 0x181}, 0, 0, 0},
	{{.reason = 0x80000021}, 0, 0, 0},
};

static const struct expected svm[] = {
	{{.reason = 0x7b, .info1 = 0x3f8 << 16 | 1 << 4}, 0x3f8, 1, KEY},
	{{.reason = 0x7b, .info1 = 0x1f0 << 16 | 2 << 4 | 0xd},
	 0x1f0,
	 2 | KVM_EXIT_KEY_IO_IN | KVM_EXIT_KEY_IO_STRING | KVM_EXIT_KEY_IO_REP,
	 KEY},
	{{.reason = 0x03}, 3, 1, KEY}, /* MOV from CR3 */
	{{.reason = 0x13}, 3, 0, KEY}, /* MOV to CR3 */
	{{.reason = 0x37}, 7, 0, KEY}, /* MOV to DR7 */
	{{.reason = 0x4e}, 14, 0, KEY},
	{{.reason = 0x400, .info1 = 0x6, .info2 = 0xfee000b0},
	 0xfee000b0,
	 KVM_EXIT_ACCESS_WRITE,
	 KEY},
	{{.reason = 0x400, .info1 = 0x14, .info2 = 0x1000}, 0x1000, KVM_EXIT_ACCESS_EXEC, KEY},
	{{.reason = 0x400, .info1 = 0x4, .info2 = 0x1000}, 0x1000, KVM_EXIT_ACCESS_READ, KEY},
	{{.reason = 0x7c, .info1 = 1}, 0, 0, 0},
	{{.reason = 0x72}, 0, 0, 0},
};

static void check_all(const struct expected *all, size_t count, uint32_t isa)
{
	struct kvm_exit_record record;
	struct kvm_event event;

	for (size_t i = 0; i < count; i++) {
		event = all[i].event;
		event.isa = isa;
		event.ts = 1000;
		event.cpu = 3;
		event.vcpu_id = 2;
		event.guest_rip = 0xfff0;
		event_record(&record, &event, 1500);
		CHECK(record.key == all[i].key && record.key_aux == all[i].key_aux);
		CHECK(record.flags == (all[i].flags | KVM_EXIT_REC_QUAL));
		CHECK(record.tsc == 1000 && record.cycles == 500 && record.handler_cycles == 500);
		CHECK(record.reason == event.reason && record.isa == isa && record.pcpu == 3);
		CHECK(record.vcpu_id == 2 && record.guest_rip == 0xfff0);
	}
}

/* A key of its own comes first; without info fields only the one that was joined is there. */
static void test_joined_key(void)
{
	struct kvm_event event = {
		.isa = KVM_EXIT_ISA_VMX, .reason = 31, .key = 0x277, .has_key = true};
	struct kvm_exit_record record;

	event_record(&record, &event, 0);
	CHECK(record.flags & KEY && record.key == 0x277);
	event.reason = 30;
	event.info1 = 0x3f8 << 16;
	event_record(&record, &event, 0);
	CHECK(record.key == 0x3f8);
	event.no_info = true;
	event_record(&record, &event, 0);
	CHECK(record.key == 0x277 && !(record.flags & KVM_EXIT_REC_QUAL));
}

int main(void)
{
	check_all(vmx, sizeof(vmx) / sizeof(*vmx), KVM_EXIT_ISA_VMX);
	check_all(svm, sizeof(svm) / sizeof(*svm), KVM_EXIT_ISA_SVM);
	test_joined_key();
	return 0;
}
