/* SPDX-License-Identifier: GPL-2.0-only */
/* device_vm.h - VMs of one vCPU for tests of the device: any code, or one exit after the other */
#ifndef KVM_TEST_COMMON_DEVICE_VM_H
#define KVM_TEST_COMMON_DEVICE_VM_H

#include "kvm/test/common/check.h"
#include "testbed/guest/guest_vm.h"

#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#define VM_MEMORY_BYTES 0x10000
#define STEP_CODE	0x1000
#define STEP_PORT	0x10
#define RFLAGS_IF	0x202U /* and bit 1, which is always set */

/* The calling thread, and those that it makes, run on this CPU of L1 alone. */
static inline void use_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
}

/* struct step_vm - one VM with one vCPU */
struct step_vm {
	struct guest_vm vm;
	struct guest_vcpu vcpu;
};

/* A guest in real mode, all segments from 0, about to run the code. @flags: of guest_vm_open(). */
static inline void code_vm_begin(struct step_vm *s, unsigned int vcpu_id, unsigned int flags,
				 const uint8_t *code, size_t bytes, const struct kvm_regs *regs)
{
	struct kvm_sregs sregs;

	CHECK(!guest_vm_open(&s->vm, VM_MEMORY_BYTES, flags));
	CHECK(!guest_vm_add_vcpu(&s->vm, vcpu_id, &s->vcpu));
	memcpy(s->vm.memory + STEP_CODE, code, bytes);

	CHECK(!ioctl(s->vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	CHECK(!ioctl(s->vcpu.fd, KVM_SET_SREGS, &sregs));
	CHECK(!ioctl(s->vcpu.fd, KVM_SET_REGS, regs));
}

static inline void code_vm_open(struct step_vm *s, unsigned int vcpu_id, const uint8_t *code,
				size_t bytes)
{
	const struct kvm_regs regs = {.rip = STEP_CODE, .rflags = 2};

	code_vm_begin(s, vcpu_id, 0, code, bytes, &regs);
}

/* The same with an interrupt controller in the kernel, so that HLT does not return to the VMM. */
static inline void code_vm_with_apic_open(struct step_vm *s, const uint8_t *code, size_t bytes,
					  uint64_t rflags)
{
	const struct kvm_regs regs = {.rip = STEP_CODE, .rflags = rflags, .rsp = 0x7000};

	code_vm_begin(s, 0, GUEST_VM_IRQCHIP, code, bytes, &regs);
}

/* Runs the guest from one OUT to STEP_PORT to the next, n times. */
static inline void step(struct step_vm *s, unsigned int n)
{
	while (n--) {
		CHECK(!ioctl(s->vcpu.fd, KVM_RUN, 0));
		CHECK(s->vcpu.run->exit_reason == KVM_EXIT_IO);
		CHECK(s->vcpu.run->io.port == STEP_PORT);
	}
}

/* A guest that does nothing but OUT, stepped until a step is one exit and nothing else. */
static inline void step_vm_open(struct step_vm *s)
{
	static const uint8_t code[] = {0xe6, STEP_PORT, 0xeb, 0xfc}; /* out %al,$0x10; jmp . - 2 */

	code_vm_open(s, 0, code, sizeof(code));
	step(s, 3);
}

static inline void step_vm_close(struct step_vm *s)
{
	guest_vcpu_close(&s->vm, &s->vcpu);
	guest_vm_close(&s->vm);
}

#endif
