// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks_test.c - what the hooks cost a guest, as the guest sees it, and that hooks=0 of kvm.ko
 * leaves nothing of them. Runs in the test bed's L1 as root; the test of hooks=0 with that.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"

#include <errno.h>
#include <stdbool.h>
#include <x86intrin.h>

#define LEAF_VCPUS 16U
#define ROUNDS	   300

/* Instructions that an exit may take more while another VM is recorded; they are 3 and 12. */
#define OTHER_CPUID_MAX 10U
#define OTHER_OUT_MAX	25U

/* Where the guest's code has the instruction that is measured. */
#define RDTSC_TO_ESI 0x0f, 0x31, 0x66, 0x89, 0xc6 /* rdtsc; mov %eax,%esi */
#define SINCE_TO_EDI                                                                               \
	0x0f, 0x31, 0x66, 0x29, 0xf0, 0x66, 0x89, 0xc7 /* rdtsc; sub %esi,%eax; mov %eax,%edi */
#define STEP_OUT 0xe6, STEP_PORT

static bool hooks_are_off(void)
{
	char value = 0;
	int fd = open("/sys/module/kvm/parameters/hooks", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, &value, 1) == 1);
	close(fd);
	return value == 'N';
}

static bool hooks_are_on(const char *what)
{
	if (hooks_are_off())
		printf("hooks_test: skipped, needs hooks=1: %s\n", what);
	return !hooks_are_off();
}

/* The least TSC cycles of 4000 NOPs (@many) or of 1000. */
static uint64_t nop_cycles(bool many)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 50; i++) {
		uint64_t begin = __rdtsc(), cycles;

		if (many)
			asm volatile(".rept 4000\n\tnop\n\t.endr");
		else
			asm volatile(".rept 1000\n\tnop\n\t.endr");
		cycles = __rdtsc() - begin;
		if (cycles < least)
			least = cycles;
	}
	return least;
}

/* As in Bochs. Elsewhere cycles are time, which a busy host makes longer. */
static bool tsc_counts_instructions(const char *what)
{
	bool counts = nop_cycles(true) - nop_cycles(false) == 3000;

	if (!counts)
		printf("hooks_test: skipped, needs a TSC that counts instructions: %s\n", what);
	return counts;
}

/* The least cycles that the guest has measured and left in EDI, in @steps steps a round. */
static uint32_t least_cycles(struct step_vm *vm, unsigned int steps)
{
	uint32_t least = UINT32_MAX;
	struct kvm_regs regs;

	for (int i = 0; i < ROUNDS; i++) {
		step(vm, steps);
		CHECK(!ioctl(vm->vcpu.fd, KVM_GET_REGS, &regs));
		if ((uint32_t)regs.rdi < least)
			least = (uint32_t)regs.rdi;
	}
	return least;
}

/*
 * The least guest cycles of a CPUID leaf in a VM of @vcpus, which the guest measures itself. The
 * others have had an exit, too.
 */
static uint32_t cpuid_cycles(uint32_t leaf, unsigned int vcpus)
{
	uint8_t code[] = {RDTSC_TO_ESI, 0x66,	  0xb8, 0,    0,    0, 0, /* mov $leaf,%eax */
			  0x66,		0x31,	  0xc9, 0x0f, 0xa2,	  /* xor %ecx,%ecx; cpuid */
			  SINCE_TO_EDI, STEP_OUT, 0xeb, 0xe4};
	struct guest_vcpu others[LEAF_VCPUS];
	struct step_vm vm;
	uint32_t least;

	memcpy(code + 7, &leaf, sizeof(leaf));
	code_vm_open(&vm, 0, code, sizeof(code));
	for (unsigned int id = 1; id < vcpus; id++) {
		CHECK(!guest_vm_add_vcpu(&vm.vm, id, &others[id]));
		ioctl(others[id].fd, KVM_RUN, 0);
	}

	least = least_cycles(&vm, 1);

	for (unsigned int id = 1; id < vcpus; id++)
		guest_vcpu_close(&vm.vm, &others[id]);
	step_vm_close(&vm);
	return least;
}

/* The same of an OUT: with its way to the VMM and back. */
static uint32_t out_cycles(void)
{
	static const uint8_t code[] = {RDTSC_TO_ESI, STEP_OUT, SINCE_TO_EDI, STEP_OUT, 0xeb, 0xed};
	struct step_vm vm;
	uint32_t least;

	code_vm_open(&vm, 0, code, sizeof(code));
	least = least_cycles(&vm, 2);
	step_vm_close(&vm);
	return least;
}

/*
 * A guest of many vCPUs can't burden the host with the leaves: a sum reads used slots alone.
 * A CPUID takes 1,000 instructions in Bochs: 500 more with one vCPU, and 100 for each more; the
 * cycles, which are read after the exits, as much again.
 */
static void test_leaf_of_many_vcpus(void)
{
	uint32_t other, one, all, one_cycles, all_cycles;

	if (!hooks_are_on("the leaves"))
		return;
	other = cpuid_cycles(0, 1);
	one = cpuid_cycles(0x4fffffff, 1);
	all = cpuid_cycles(0x4fffffff, LEAF_VCPUS);
	one_cycles = cpuid_cycles(0x4ffffffe, 1);
	all_cycles = cpuid_cycles(0x4ffffffe, LEAF_VCPUS);

	printf("hooks_test: CPUID 0: %u cycles; 0x4fffffff: %u with 1 vCPU, %u with %u; 0x4ffffffe: %u and %u\n",
	       other, one, all, LEAF_VCPUS, one_cycles, all_cycles);
	if (!tsc_counts_instructions("bounds of the leaves"))
		return;
	CHECK(one < other + other / 2);
	CHECK(all < one + (LEAF_VCPUS - 1) * other / 10);
	CHECK(one_cycles < other + other / 2);
	CHECK(all_cycles < one_cycles + (LEAF_VCPUS - 1) * other / 10);
}

/* A VM that nobody records does not pay for another one that is recorded. */
static void test_other_vm_recorded(void)
{
	uint32_t cpuid, out, other_cpuid, other_out;
	struct step_vm recorded;
	struct ring_map map;

	if (!hooks_are_on("another VM recorded"))
		return;
	if (!tsc_counts_instructions("another VM recorded"))
		return;
	cpuid = cpuid_cycles(0, 1);
	out = out_cycles();
	step_vm_open(&recorded);
	attach(&map, newest_ring(), 0);
	other_cpuid = cpuid_cycles(0, 1);
	other_out = out_cycles();
	ring_unmap(&map);
	step_vm_close(&recorded);

	printf("hooks_test: CPUID: %u instructions, %u while another VM is recorded; OUT: %u and %u\n",
	       cpuid, other_cpuid, out, other_out);
	CHECK(other_cpuid <= cpuid + OTHER_CPUID_MAX);
	CHECK(other_out <= out + OTHER_OUT_MAX);
}

/* What a guest of one CPUID finds in its registers. */
static struct kvm_regs cpuid_regs(uint32_t leaf)
{
	uint8_t code[] = {0x66, 0xb8, 0, 0, 0, 0, 0x66, 0x31, 0xc9, 0x0f, 0xa2, STEP_OUT};
	struct kvm_regs regs;
	struct step_vm vm;

	memcpy(code + 2, &leaf, sizeof(leaf));
	code_vm_open(&vm, 0, code, sizeof(code));
	step(&vm, 1);
	CHECK(!ioctl(vm.vcpu.fd, KVM_GET_REGS, &regs));
	step_vm_close(&vm);
	return regs;
}

/* The leaves are as any other that the CPU does not have; there is no device. */
static void test_hooks_off(void)
{
	struct kvm_regs leaf, none;

	if (!hooks_are_off()) {
		printf("hooks_test: skipped, needs hooks=0\n");
		return;
	}
	none = cpuid_regs(0x4ffffff0);
	CHECK(open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC) < 0 && errno == ENOENT);
	for (uint32_t number = 0x4ffffffc; number <= 0x4fffffff; number++) {
		leaf = cpuid_regs(number);
		CHECK(leaf.rax == none.rax && leaf.rbx == none.rbx);
		CHECK(leaf.rcx == none.rcx && leaf.rdx == none.rdx);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"a leaf of many vCPUs", test_leaf_of_many_vcpus},
		{"another VM recorded", test_other_vm_recorded},
		{"hooks=0", test_hooks_off},
	};

	(void)argc;
	return RUN_TESTS("hooks_test", tests, argv);
}
