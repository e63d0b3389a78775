// SPDX-License-Identifier: GPL-2.0-only
/*
 * time_test.c - the time of a vCPU outside of its guest has the kind that it had: halted,
 * preempted, handler. Runs in the test bed's L1 as root, with on_full=drop and ring_records=4096.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"
#include "kvm/test/device/late_page.h"
#include "kvm/test/device/vcpu_thread.h"

#include <pthread.h>
#include <x86intrin.h>

#define LATE_ADDRESS 0x8000

/* The longest record, of any reason. */
static struct kvm_exit_record longest(struct ring_map *map)
{
	struct kvm_exit_record found = {0};
	const struct kvm_exit_record *first;
	uint32_t n;

	while ((n = exit_ring_peek(&map->reader, &first))) {
		for (uint32_t i = 0; i < n; i++)
			if (first[i].cycles > found.cycles)
				found = first[i];
		exit_ring_advance(&map->reader, n);
	}
	return found;
}

/* Halted until it is woken; then a thread of higher priority keeps it from its CPU. */
static void test_wait_after_wakeup_is_preempted(void)
{
	static const uint8_t code[] = {0xe6, STEP_PORT, 0xf4}; /* out; hlt */
	struct sched_param fifo = {.sched_priority = 50}, normal = {0};
	struct kvm_exit_record r;
	uint64_t woken, released, busy;
	struct ring_map map;
	struct step_vm vm;
	pthread_t thread;

	handle_sigusr1();
	use_cpu(0);
	code_vm_with_apic_open(&vm, code, sizeof(code), 2);
	attach(&map, newest_ring(), 0);
	busy = map.meta->tsc_khz * 300ULL;
	CHECK(!sched_setscheduler(0, SCHED_FIFO, &fifo));
	CHECK(!pthread_create(&thread, NULL, run_until_it_fails, &vm));
	usleep(500000);

	CHECK(!pthread_kill(thread, SIGUSR1));
	woken = __rdtsc(); /* it was woken before this */
	while (__rdtsc() - woken < busy)
		;
	released = __rdtsc();
	CHECK(!pthread_join(thread, NULL));
	CHECK(!sched_setscheduler(0, SCHED_OTHER, &normal));

	step_vm_close(&vm);
	r = longest(&map);
	CHECK(r.flags & KVM_EXIT_REC_HALTED && r.flags & KVM_EXIT_REC_PREEMPTED);
	CHECK(r.preempted_cycles > busy - busy / 10);
	CHECK(r.halted_cycles < woken - r.tsc + busy / 10);
	CHECK(r.handler_cycles + r.halted_cycles + r.userspace_cycles + r.preempted_cycles ==
	      r.cycles);
	CHECK(r.run_errno == EINTR && r.tsc < released);
	ring_unmap(&map);
}

static void *serve_late(void *page)
{
	late_page_wait(page);
	usleep(300000);
	late_page_serve(page);
	return NULL;
}

/* The host is at work for a page that comes late, whether KVM lets the vCPU halt for it or not. */
static void late_page_is_handler_time(int apic)
{
	/* out; mov LATE_ADDRESS,%al; out */
	static const uint8_t code[] = {0xe6, STEP_PORT, 0xa0, 0x00, 0x80, 0xe6, STEP_PORT};
	struct late_page page = {0};
	struct kvm_exit_record r;
	struct ring_map map;
	struct step_vm vm;
	pthread_t thread;
	uint64_t late;

	if (apic)
		code_vm_with_apic_open(&vm, code, sizeof(code), RFLAGS_IF);
	else
		code_vm_open(&vm, 0, code, sizeof(code));
	attach(&map, newest_ring(), 0);
	late = map.meta->tsc_khz * 300ULL;
	step(&vm, 1);
	late_page_cover(&page, vm.vm.memory + LATE_ADDRESS);
	CHECK(!pthread_create(&thread, NULL, serve_late, &page));
	step(&vm, 1);
	CHECK(!pthread_join(thread, NULL));
	close(page.uffd);

	step_vm_close(&vm);
	r = longest(&map);
	CHECK(r.cycles >= late);
	CHECK(r.halted_cycles == 0 && r.handler_cycles > late - late / 10);
	ring_unmap(&map);
}

static void test_late_page_is_handler_time(void)
{
	late_page_is_handler_time(0);
	late_page_is_handler_time(1);
}

/* The first record of @reason; false: there is none. */
static bool first_of(struct ring_map *map, uint32_t reason, struct kvm_exit_record *found)
{
	const struct kvm_exit_record *first;
	uint32_t n;

	while ((n = exit_ring_peek(&map->reader, &first))) {
		for (uint32_t i = 0; i < n; i++)
			if (first[i].reason == reason) {
				*found = first[i];
				return true;
			}
		exit_ring_advance(&map->reader, n);
	}
	return false;
}

#define SHARED_INFO_PAGE 5U
#define POLL_ADDRESS	 0x6000U
#define POLL_NS		 100000000U
#define VMCALL_VMX	 18U
#define VMMCALL_SVM	 0x81U

/* Makes @vm one of Xen whose hypercalls KVM handles; false: this KVM can't. */
static bool become_xen(const struct step_vm *vm)
{
	const int needed = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND;
	/* Without the MSR of its hypercall page KVM does not take it for one of Xen. */
	struct kvm_xen_hvm_config config = {.flags = needed, .msr = 0x40000000};
	struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
					.u.shared_info.gfn = SHARED_INFO_PAGE};
	int has = ioctl(vm->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);

	if (has < 0 || (has & needed) != needed)
		return false;
	CHECK(!ioctl(vm->vm.fd, KVM_XEN_HVM_CONFIG, &config));
	CHECK(!ioctl(vm->vm.fd, KVM_XEN_HVM_SET_ATTR, &attr));
	return true;
}

/* Xen's SCHEDOP_poll halts the vCPU too, until an event comes or 100 ms are over. */
static void test_xen_poll_is_halted(void)
{
	/* mov $29,%eax; mov $3,%ebx; mov $POLL_ADDRESS,%ecx; vmcall; out */
	uint8_t code[] = {0x66, 0xb8, 29, 0,	0, 0, 0x66, 0xbb, 3,	0,    0,	0,
			  0x66, 0xb9, 0,  0x60, 0, 0, 0x0f, 0x01, 0xc1, 0xe6, STEP_PORT};
	/* struct sched_poll of 32 bits: ports, nr_ports, timeout */
	const struct {
		uint32_t ports, count;
		uint64_t timeout_ns;
	} poll = {.ports = POLL_ADDRESS + 0x100, .count = 1, .timeout_ns = POLL_NS};
	const uint32_t port = 1;
	struct kvm_exit_record r = {0};
	struct ring_map map;
	struct step_vm vm;
	bool vmx;

	code_vm_with_apic_open(&vm, code, sizeof(code), 2);
	if (!become_xen(&vm)) {
		printf("time_test: skipped, needs CONFIG_KVM_XEN\n");
		step_vm_close(&vm);
		return;
	}
	attach(&map, newest_ring(), 0);
	vmx = map.meta->isa == KVM_EXIT_ISA_VMX;
	if (!vmx)
		vm.vm.memory[STEP_CODE + 20] = 0xd9; /* vmmcall */
	memcpy(vm.vm.memory + POLL_ADDRESS, &poll, sizeof(poll));
	memcpy(vm.vm.memory + poll.ports, &port, sizeof(port));
	step(&vm, 1);
	step_vm_close(&vm);

	CHECK(first_of(&map, vmx ? VMCALL_VMX : VMMCALL_SVM, &r));
	CHECK(r.key == 29 && r.flags & KVM_EXIT_REC_HALTED);
	/* At least half of it: the timer may be a jiffy early, and a wait after it is preempted. */
	CHECK(r.halted_cycles > map.meta->tsc_khz * 50ULL);
	ring_unmap(&map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"a wait after a wake-up is preempted", test_wait_after_wakeup_is_preempted},
		{"a late page is handler time", test_late_page_is_handler_time},
		{"Xen's SCHEDOP_poll is halted", test_xen_poll_is_halted},
	};

	(void)argc;
	return RUN_TESTS("time_test", tests, argv);
}
