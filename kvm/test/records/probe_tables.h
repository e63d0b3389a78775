/* SPDX-License-Identifier: GPL-2.0-only */
/* probe_tables.h - protected mode for the guest of a probe, with a handler for #GP */
#ifndef KVM_TEST_RECORDS_PROBE_TABLES_H
#define KVM_TEST_RECORDS_PROBE_TABLES_H

#include "kvm/test/records/probe.h"

#define HANDLER	  0x1800
#define GP_VECTOR 13
#define GDT	  0x2000
#define IDT	  0x3000 /* in a page of its own: its first use is a nested page fault */

static inline void set_protected_mode(struct probe *p)
{
	struct kvm_segment code = {
		.limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_segment data = {
		.limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_sregs sregs;

	CHECK(!ioctl(p->vm.vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 |= 1;
	CHECK(!ioctl(p->vm.vcpu.fd, KVM_SET_SREGS, &sregs));
}

/* Tables for protected mode, in which #GP runs what is at HANDLER. */
static inline void set_gp_handler(struct probe *p)
{
	static const uint64_t gdt[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
	const uint64_t gate = 0x00008e0000080000 | HANDLER;
	struct kvm_sregs sregs;

	set_protected_mode(p);
	memcpy(p->vm.vm.memory + GDT, gdt, sizeof(gdt));
	memcpy(p->vm.vm.memory + IDT + 8 * GP_VECTOR, &gate, sizeof(gate));

	CHECK(!ioctl(p->vm.vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.gdt.base = GDT;
	sregs.gdt.limit = sizeof(gdt) - 1;
	sregs.idt.base = IDT;
	sregs.idt.limit = 8 * 32 - 1;
	CHECK(!ioctl(p->vm.vcpu.fd, KVM_SET_SREGS, &sregs));
}

#endif
