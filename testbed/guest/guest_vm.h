/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_vm.h - a virtual machine with flat memory, as small as KVM allows: what vmm and
 * exit_loop share. All functions return 0 or -errno; vm->step then names the
 * call that failed.
 */
#ifndef TESTBED_GUEST_GUEST_VM_H
#define TESTBED_GUEST_GUEST_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_VM_IRQCHIP 0x1U /* PIC, IO-APIC, local APICs and PIT in the kernel */

/*
 * struct guest_vm - one VM
 * @kvm:	/dev/kvm
 * @fd:		the VM's file
 * @memory:	guest-physical 0 to @memory_bytes - 1
 * @memory_bytes: page aligned
 * @run_bytes:	size of a vCPU's struct kvm_run mapping
 * @step:	what was being done, for an error message
 */
struct guest_vm {
	int kvm;
	int fd;
	uint8_t *memory;
	size_t memory_bytes;
	size_t run_bytes;
	const char *step;
};

/*
 * struct guest_vcpu - one vCPU
 * @fd:		its file
 * @stats:	its binary statistics (KVM_GET_STATS_FD); before Linux 5.14, which has none, the
 *		folder with the VM's in debugfs; -1 where neither is
 * @stats_of_vm: @stats is that folder: all vCPUs of the VM together
 * @run:	shared with the kernel
 */
struct guest_vcpu {
	int fd;
	int stats;
	bool stats_of_vm;
	struct kvm_run *run;
};

/* Makes a VM with @memory_bytes of RAM from guest-physical 0. flags: GUEST_VM_* */
int guest_vm_open(struct guest_vm *vm, size_t memory_bytes, unsigned int flags);

/* Adds memory at @address, from @slot 1 on, in small pages of the host. */
int guest_vm_add_memory(struct guest_vm *vm, unsigned int slot, uint64_t address, size_t bytes);

/* Makes vCPU @id, with all the CPUID features that KVM supports but topology. */
int guest_vm_add_vcpu(struct guest_vm *vm, unsigned int id, struct guest_vcpu *vcpu);

void guest_vcpu_close(const struct guest_vm *vm, struct guest_vcpu *vcpu);
void guest_vm_close(struct guest_vm *vm);

/* Called once for each statistic of one value. */
typedef void (*guest_stat_fn)(const char *name, uint64_t value, void *context);

/*
 * Reads the statistics of @vcpu, or those of its VM (@stats_of_vm), which need a debugfs at
 * /sys/kernel/debug. -EIO if they have not the form of Documentation/virt/kvm/api.rst, 4.133, or
 * of a number.
 */
int guest_stats(const struct guest_vcpu *vcpu, guest_stat_fn fn, void *context);

/* The statistic @name of the same; UINT64_MAX if there is none or it can't be read. */
uint64_t guest_stat(const struct guest_vcpu *vcpu, const char *name);

#endif
