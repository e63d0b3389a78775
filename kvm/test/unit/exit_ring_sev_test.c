// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_ring_sev_test.c - records of guests with encrypted registers show nothing that is not
 * known. It runs the code of kvm-amd.ko with made-up exits: no emulated machine has SEV.
 */
#include "kvm/ring/exit_ring_sev.h"
#include "kvm/test/common/check.h"

#include <stdint.h>

#define VMGEXIT 0x403U
#define NPF	0x400U
#define IOIO	0x7bU

/* As svm_exit_ring_record() has filled it in: what comes from registers is old. */
static struct kvm_exit_record made_up(uint32_t reason)
{
	return (struct kvm_exit_record){.reason = reason,
					.guest_rip = 0xfff0,
					.guest_cr3 = 0x5000,
					.value = 7,
					.key = 0x1234,
					.key_aux = 2};
}

/* Neither RIP nor CR3 nor a written value, and no flag that says so. */
static void test_registers_are_hidden(void)
{
	const uint32_t valid = KVM_EXIT_REC_CR3 | KVM_EXIT_REC_VALUE | KVM_EXIT_REC_KEY |
			       KVM_EXIT_REC_QUAL | KVM_EXIT_REC_REQUESTS;
	static const uint32_t reasons[] = {NPF, IOIO, VMGEXIT, 0x72, 0x7c, 0x81, 0x60};

	for (unsigned int i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct kvm_exit_record r = made_up(reasons[i]);
		uint32_t flags = exit_ring_hide_encrypted(&r, valid);

		CHECK(r.guest_rip == 0 && r.guest_cr3 == 0 && r.value == 0);
		CHECK((flags & ~KVM_EXIT_REC_KEY) ==
		      (KVM_EXIT_REC_NO_RIP | KVM_EXIT_REC_QUAL | KVM_EXIT_REC_REQUESTS));
	}
}

/* The key of CPUID, RDMSR, WRMSR and VMMCALL is in registers; those of others are not. */
static void test_keys_from_registers_are_hidden(void)
{
	static const uint32_t hidden[] = {0x72, 0x7c, 0x81}, shown[] = {NPF, IOIO, VMGEXIT};

	for (unsigned int i = 0; i < 3; i++) {
		struct kvm_exit_record r = made_up(hidden[i]);

		CHECK(!(exit_ring_hide_encrypted(&r, KVM_EXIT_REC_KEY) & KVM_EXIT_REC_KEY));
		CHECK(r.key == 0 && r.key_aux == 0);
		r = made_up(shown[i]);
		CHECK(exit_ring_hide_encrypted(&r, KVM_EXIT_REC_KEY) & KVM_EXIT_REC_KEY);
		CHECK(r.key == 0x1234 && r.key_aux == 2);
	}
}

/* The MSR protocol: AP reset hold, CPUID of leaf 0x8000001f for EBX; then a GHCB page. */
static void test_vmgexit(void)
{
	struct kvm_exit_record r = made_up(VMGEXIT);

	CHECK(exit_ring_vmgexit_key(&r, 0x006) == KVM_EXIT_REC_KEY);
	CHECK(r.key == (KVM_EXIT_KEY_GHCB_MSR | 6) && r.key_aux == 0);
	CHECK(exit_ring_vmgexit_key(&r, 0x8000001f40000004) == KVM_EXIT_REC_KEY);
	CHECK(r.key == (KVM_EXIT_KEY_GHCB_MSR | 4) && r.key_aux == 0x8000001f40000);
	CHECK(exit_ring_vmgexit_key(&r, UINT64_MAX) == KVM_EXIT_REC_KEY);
	CHECK(r.key == (KVM_EXIT_KEY_GHCB_MSR | 0xfff) && r.key_aux == UINT64_MAX >> 12);
	CHECK(exit_ring_vmgexit_key(&r, 0x7f000) == 0 && r.key == 0 && r.key_aux == 0);
	/* No SW_EXITCODE that KVM accepts has the bit. */
	CHECK(KVM_EXIT_KEY_GHCB_MSR > UINT32_MAX);
}

int main(void)
{
	test_registers_are_hidden();
	test_keys_from_registers_are_hidden();
	test_vmgexit();
	return 0;
}
