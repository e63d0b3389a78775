// SPDX-License-Identifier: GPL-2.0-only
/* guest_vm.c - creates a VM with flat memory and runs its vCPU */
#include "testbed/guest/guest_vm.h"
#include "testbed/guest/guest_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Three pages and one below 4 GiB that KVM needs for real mode without unrestricted guest
 * (KVM_SET_TSS_ADDR, KVM_SET_IDENTITY_MAP_ADDR)
 */
#define TSS_ADDRESS	     0xfffbd000UL
#define IDENTITY_MAP_ADDRESS 0xfffbc000ULL
#define CPUID_ENTRIES	     256

static int vm_ioctl(struct guest_vm *vm, int fd, unsigned long request, const void *argument,
		    const char *step)
{
	int result = ioctl(fd, request, argument);

	if (result >= 0)
		return result;
	vm->step = step;
	return -errno;
}

static int map_memory(struct guest_vm *vm, unsigned int slot, uint64_t address, size_t bytes,
		      uint8_t **memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = address, .memory_size = bytes};

	vm->step = "mmap of guest memory";
	*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (*memory == MAP_FAILED)
		return -errno;

	region.userspace_addr = (uintptr_t)*memory;
	return vm_ioctl(vm, vm->fd, KVM_SET_USER_MEMORY_REGION, &region,
			"KVM_SET_USER_MEMORY_REGION");
}

static int add_irqchip(struct guest_vm *vm)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	int err = vm_ioctl(vm, vm->fd, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");

	if (err < 0)
		return err;
	return vm_ioctl(vm, vm->fd, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
}

static int make_vm(struct guest_vm *vm, unsigned int flags)
{
	uint64_t identity_map = IDENTITY_MAP_ADDRESS;
	int err;

	vm->step = "/dev/kvm";
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return -errno;

	err = vm_ioctl(vm, vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	if (err < 0)
		return err;
	vm->run_bytes = (size_t)err;

	vm->fd = vm_ioctl(vm, vm->kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
	if (vm->fd < 0)
		return vm->fd;

	err = vm_ioctl(vm, vm->fd, KVM_SET_TSS_ADDR, (void *)TSS_ADDRESS, "KVM_SET_TSS_ADDR");
	if (err >= 0)
		err = vm_ioctl(vm, vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map,
			       "KVM_SET_IDENTITY_MAP_ADDR");
	if (err >= 0 && (flags & GUEST_VM_IRQCHIP))
		err = add_irqchip(vm);
	return err;
}

int guest_vm_open(struct guest_vm *vm, size_t memory_bytes, unsigned int flags)
{
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->kvm = vm->fd = -1;
	vm->memory_bytes = memory_bytes;

	err = make_vm(vm, flags);
	if (err >= 0)
		err = map_memory(vm, 0, 0, memory_bytes, &vm->memory);
	return err < 0 ? err : 0;
}

int guest_vm_add_memory(struct guest_vm *vm, unsigned int slot, uint64_t address, size_t bytes)
{
	uint8_t *memory;
	int err = map_memory(vm, slot, address, bytes, &memory);

	if (err < 0)
		return err;

	/* EINVAL: a kernel without transparent huge pages, such as one with PREEMPT_RT. */
	vm->step = "madvise";
	return madvise(memory, bytes, MADV_NOHUGEPAGE) && errno != EINVAL ? -errno : 0;
}

/* One package, core and thread: the host's topology would mislead the guest. */
static void hide_topology(struct kvm_cpuid2 *cpuid, unsigned int id)
{
	for (unsigned int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		switch (entry->function) {
		case 1:
			entry->ebx = (entry->ebx & 0xffff) | 1U << 16 | id << 24;
			entry->edx &= ~(1U << 28); /* HTT */
			break;
		case 4:
			entry->eax &= 0x3fff;
			break;
		case 0xb:
		case 0x1f:
			entry->eax = entry->ebx = 0;
			entry->edx = id;
			break;
		}
	}
}

static int set_cpuid(struct guest_vm *vm, unsigned int id, int vcpu)
{
	struct kvm_cpuid2 *cpuid;
	int err;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -ENOMEM;

	cpuid->nent = CPUID_ENTRIES;
	err = vm_ioctl(vm, vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
	if (err >= 0) {
		hide_topology(cpuid, id);
		err = vm_ioctl(vm, vcpu, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
	}
	free(cpuid);
	return err;
}

int guest_vm_add_vcpu(struct guest_vm *vm, unsigned int id, struct guest_vcpu *vcpu)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	int err;

	vcpu->fd = vm_ioctl(vm, vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)id, "KVM_CREATE_VCPU");
	if (vcpu->fd < 0)
		return vcpu->fd;

	err = set_cpuid(vm, id, vcpu->fd);
	if (err < 0)
		return err;

	/* All but vCPU 0 would wait for a start-up IPI; without irqchip this fails, rightly. */
	ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	guest_stats_open(vm, vcpu);

	vm->step = "mmap of struct kvm_run";
	vcpu->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	return vcpu->run == MAP_FAILED ? -errno : 0;
}

void guest_vcpu_close(const struct guest_vm *vm, struct guest_vcpu *vcpu)
{
	munmap(vcpu->run, vm->run_bytes);
	if (vcpu->stats >= 0)
		close(vcpu->stats);
	close(vcpu->fd);
}

void guest_vm_close(struct guest_vm *vm)
{
	munmap(vm->memory, vm->memory_bytes);
	close(vm->fd);
	close(vm->kvm);
}
