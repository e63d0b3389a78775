// SPDX-License-Identifier: GPL-2.0-only
/*
 * refused_entry.c - a guest with VM entries that the CPU refuses, and others between them
 *
 * CS.L and CS.D, both set in long mode, are reserved (SDM vol. 3, "Checks on Guest Segment
 * Registers"; APM vol. 2, "Canonicalization and Consistency Checks"); KVM_SET_SREGS does not
 * check them. VMX exits with reason 33 and bit 31, SVM with code -1 (VMEXIT_INVALID).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "testbed/guest/guest_vm.h"

#define MEMORY_BYTES 0x10000U
#define RUNS	     4
#define HLT	     0xf4

#define CR0_PE	 0x1ULL
#define CR0_PG	 0x80000000ULL
#define CR4_PAE	 0x20ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL

/* A 64-bit code segment with CS.D set. */
static void make_invalid(struct kvm_sregs *sregs)
{
	sregs->cr0 |= CR0_PE | CR0_PG;
	sregs->cr3 = 0x8000;
	sregs->cr4 |= CR4_PAE;
	sregs->efer |= EFER_LME | EFER_LMA;
	sregs->cs = (struct kvm_segment){
		.limit = 0xffffffff,
		.type = 11,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = 1,
		.db = 1,
	};
}

/* Runs the vCPU once, from @sregs on. Returns the exit's reason, or -1. */
static int run_once(struct guest_vcpu *vcpu, struct kvm_sregs *sregs)
{
	struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};

	if (ioctl(vcpu->fd, KVM_SET_SREGS, sregs) || ioctl(vcpu->fd, KVM_SET_REGS, &regs) ||
	    ioctl(vcpu->fd, KVM_RUN, 0))
		return -1;
	return (int)vcpu->run->exit_reason;
}

int main(void)
{
	struct kvm_sregs real_mode, invalid;
	struct guest_vcpu vcpu;
	struct guest_vm vm;
	int refused = 0;

	if (guest_vm_open(&vm, MEMORY_BYTES, 0) || guest_vm_add_vcpu(&vm, 0, &vcpu) ||
	    ioctl(vcpu.fd, KVM_GET_SREGS, &real_mode)) {
		perror("refused_entry");
		return 1;
	}
	memset(vm.memory, HLT, MEMORY_BYTES);
	real_mode.cs.base = 0;
	real_mode.cs.selector = 0;
	invalid = real_mode;
	make_invalid(&invalid);

	for (int i = 0; i < RUNS; i++) {
		bool is_invalid = i % 2;
		int reason = run_once(&vcpu, is_invalid ? &invalid : &real_mode);

		if (reason < 0) {
			perror("refused_entry: KVM_RUN");
			return 1;
		}
		refused += reason == KVM_EXIT_FAIL_ENTRY;
	}
	printf("refused_entry vcpu=0 refused=%d exits=%llu\n", refused,
	       (unsigned long long)guest_stat(&vcpu, "exits"));

	guest_vcpu_close(&vm, &vcpu);
	guest_vm_close(&vm);
	return refused != RUNS / 2;
}
