// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_test.c - recording harms neither the host nor the recorded VM, and a vCPU's time has the
 * kind that it had. Runs in the test bed's L1 as root, with ring_records=4096; the tests about a
 * full ring with on_full=wait, the rest with on_full=drop.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"
#include "kvm/test/device/cgroup.h"
#include "kvm/test/device/late_page.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <x86intrin.h>

#define MEMORY_BOUND "/sys/module/kvm/parameters/ring_memory_mib"
#define CGROUP_ROOT  "/tmp/host_test_cgroup"
#define CGROUP	     CGROUP_ROOT "/vmm"
#define LATE_ADDRESS 0x8000
#define MEMORY_FAULT 39 /* KVM_EXIT_MEMORY_FAULT, which older headers lack */

static void do_nothing(int signal)
{
	(void)signal;
}

static void handle_sigusr1(void)
{
	struct sigaction action = {.sa_handler = do_nothing};

	CHECK(!sigaction(SIGUSR1, &action, NULL));
}

/* Whether VMs are held when their rings are full. */
static int is_waiting(void)
{
	char value[8] = "";
	int fd = open("/sys/module/kvm/parameters/on_full", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, value, sizeof(value)) > 0);
	close(fd);
	return value[0] == 'w';
}

/* An event loop registers a file when it is opened, long before it is attached. */
static void test_epoll_before_attach(void)
{
	struct kvm_exit_ring_attach how = {.size = sizeof(how)};
	struct epoll_event event = {.events = EPOLLIN};
	int fd = device(), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct kvm_exit_ring_info info = {0};
	struct step_vm vm;

	step_vm_open(&vm);
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);

	how.ring_id = newest_ring();
	CHECK(!ioctl(fd, KVM_EXIT_RING_ATTACH, &how));
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	step(&vm, 1100); /* more than a quarter of 4096 */
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1);

	step_vm_close(&vm);
	close(epoll);
	close(fd);
}

/* What an armed ring has when it is attached: whoever waits by epoll since before is told. */
static void test_epoll_of_armed_rings(bool ends)
{
	struct kvm_exit_ring_attach how = {.size = sizeof(how)};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int arming = device(), fd = device(), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct kvm_exit_ring_info info = {0};
	struct step_vm vm;

	CHECK(!ring_arm(arming));
	step_vm_open(&vm);
	how.ring_id = newest_ring();
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	step(&vm, 1100); /* more than a quarter of 4096 */
	if (ends)
		step_vm_close(&vm);
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	epoll_wait(epoll, &event, 1, 0);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);

	CHECK(!ioctl(fd, KVM_EXIT_RING_ATTACH, &how));
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1 && event.events & EPOLLIN);

	if (!ends)
		step_vm_close(&vm);
	close(epoll);
	close(fd);
	close(arming);
}

static void test_epoll_of_live_armed_rings(void)
{
	test_epoll_of_armed_rings(false);
}

static void test_epoll_of_dead_armed_rings(void)
{
	test_epoll_of_armed_rings(true);
}

static void test_mappings_stay_out_of_children(void)
{
	struct ring_map map;
	struct step_vm vm;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	CHECK(madvise((void *)map.meta, RING_PAGE, MADV_DOFORK) < 0 && errno == EINVAL);
	CHECK(madvise((void *)map.records, RING_PAGE, MADV_DOFORK) < 0 && errno == EINVAL);
	ring_unmap(&map);
	step_vm_close(&vm);
}

/* A KVM_CREATE_VCPU that fails has never been a ring: readers are not woken for it. */
static void test_failed_vcpu_is_not_a_ring(void)
{
	struct kvm_exit_ring_info info = {0};
	int fd = device();
	struct step_vm vm;

	CHECK(!ring_arm(fd));
	step_vm_open(&vm);
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	CHECK(polled(fd, 0) == 0);
	for (int i = 0; i < 20; i++)
		CHECK(ioctl(vm.vm.fd, KVM_CREATE_VCPU, 0) < 0 && errno == EEXIST);
	CHECK(polled(fd, 0) == 0);
	step_vm_close(&vm);
	close(fd);
}

/* With rings of 768 KiB the bound of 2 MiB leaves room for two. The third VM runs all the same. */
static void test_memory_is_bounded(void)
{
	struct kvm_exit_ring_attach how;
	struct step_vm vm[3];
	struct ring_map map;
	uint64_t refused;
	int fd = device();

	wait_for_free_memory(fd);
	write_text(MEMORY_BOUND, "2");
	CHECK(!ring_arm(fd));
	for (int i = 0; i < 3; i++) {
		step_vm_open(&vm[i]);
		refused = newest_ring();
		CHECK(ring_info(refused).flags ==
		      (i < 2 ? KVM_EXIT_INFO_RECORDING : KVM_EXIT_INFO_REFUSED));
	}
	step(&vm[2], 10);
	how = (struct kvm_exit_ring_attach){.ring_id = refused};
	CHECK(ring_map(&map, &how) == -ENOMEM);

	write_text(MEMORY_BOUND, "0");
	attach(&map, refused, 0);
	step(&vm[2], 2);
	CHECK(read_all(&map, NULL) == 1);
	CHECK(!(ring_info(refused).flags & KVM_EXIT_INFO_REFUSED));
	ring_unmap(&map);
	for (int i = 0; i < 3; i++)
		step_vm_close(&vm[i]);
	close(fd);
}

/* What a refused vCPU did is not lost with it: its totals wait for whoever has armed recording. */
static void test_refused_vcpu_is_awaited(void)
{
	struct kvm_exit_ring_attach how = {.flags = KVM_EXIT_ATTACH_TOTALS};
	struct step_vm vm, other;
	struct ring_map map;
	int fd = device();

	wait_for_free_memory(fd);
	write_text(MEMORY_BOUND, "1");
	CHECK(!ring_arm(fd));
	step_vm_open(&other); /* takes the memory that there is */
	step_vm_open(&vm);
	how.ring_id = newest_ring();
	step(&vm, 10);
	step_vm_close(&vm);
	CHECK(ring_info(how.ring_id).flags == (KVM_EXIT_INFO_REFUSED | KVM_EXIT_INFO_DEAD));

	CHECK(!ring_map(&map, &how));
	CHECK(IO(&map, unread) == 13); /* step_vm_open() took three */
	ring_unmap(&map);
	CHECK(newest_ring() != how.ring_id);

	/* Without whoever has armed it, nothing was refused. */
	step_vm_open(&vm);
	how.ring_id = newest_ring();
	CHECK(ring_info(how.ring_id).flags == KVM_EXIT_INFO_REFUSED);
	close(fd);
	CHECK(!ring_info(how.ring_id).flags);

	write_text(MEMORY_BOUND, "0");
	step_vm_close(&vm);
	step_vm_close(&other);
}

/* vmalloc() memory that the cgroup of the VMM pays for; false: not in this kernel's memory.stat. */
static bool read_charged(unsigned long *bytes)
{
	return number_in(CGROUP "/memory.stat", "vmalloc", bytes);
}

static unsigned long charged_bytes(void)
{
	unsigned long bytes;

	CHECK(read_charged(&bytes));
	return bytes;
}

/* The VMM pays for its vCPU's totals, not for the records of an armed reader. */
static void run_in_a_cgroup(void *unused)
{
	unsigned long before;
	struct ring_map map;
	struct step_vm vm;

	(void)unused;
	write_text(CGROUP "/cgroup.procs", "0");
	before = charged_bytes();
	step_vm_open(&vm);
	CHECK(ring_info(newest_ring()).flags == KVM_EXIT_INFO_RECORDING);
	attach(&map, newest_ring(), 0);
	CHECK(charged_bytes() - before < map.meta->record_count * sizeof(*map.records));
	CHECK(charged_bytes() - before >= map.meta->records_offset);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_reader_pays(void)
{
	unsigned long bytes;
	int fd;

	if (!make_cgroup("host_test", CGROUP_ROOT, CGROUP))
		return;
	if (!read_charged(&bytes)) {
		printf("host_test: skipped, needs vmalloc in memory.stat (Linux 5.19): who pays\n");
		return;
	}

	fd = device();
	CHECK(!ring_arm(fd));
	CHECK(in_child(run_in_a_cgroup, NULL) == 0);
	close(fd);
}

/* A vCPU thread with a real-time policy would keep the only CPU from whoever waits for it. */
static void be_normal(void)
{
	struct sched_param normal = {0};

	sched_setscheduler(0, SCHED_OTHER, &normal);
}

static void *run_until_it_fails(void *arg)
{
	struct step_vm *vm = arg;

	be_normal();
	while (!ioctl(vm->vcpu.fd, KVM_RUN, 0))
		;
	return (void *)(uintptr_t)errno;
}

/* Returns when the ring is full and its vCPU stands still. */
static void wait_until_held(const struct ring_map *map)
{
	uint64_t head;

	for (int i = 0; map->meta->head - map->tail->tail < map->meta->record_count - 2; i++) {
		CHECK(i < 10000);
		usleep(1000);
	}
	usleep(100000);
	head = map->meta->head;
	usleep(100000);
	CHECK(map->meta->head == head);
}

/* A full ring holds the vCPU, but not against a signal; later it goes on, and nothing is lost. */
static void test_full_ring_obeys_signals(void)
{
	struct timespec limit;
	struct ring_map map;
	struct step_vm vm;
	pthread_t thread;
	void *error;

	if (!is_waiting()) {
		printf("host_test: skipped, needs on_full=wait: signals\n");
		return;
	}
	handle_sigusr1();
	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	CHECK(map.meta->features & KVM_EXIT_FEAT_WAIT);
	for (int round = 0; round < 3; round++) {
		CHECK(!pthread_create(&thread, NULL, run_until_it_fails, &vm));
		wait_until_held(&map);

		CHECK(!pthread_kill(thread, SIGUSR1));
		CHECK(!clock_gettime(CLOCK_REALTIME, &limit));
		limit.tv_sec += 10;
		CHECK(!pthread_timedjoin_np(thread, &error, &limit));
		CHECK((uintptr_t)error == EINTR);
		CHECK(map.meta->dropped == 0);
		if (round)
			read_all(&map, NULL);
	}
	read_all(&map, NULL);
	step(&vm, 3);
	CHECK(map.meta->dropped == 0 && SUM(&map, dropped) == 0);
	CHECK(map.meta->seq == map.meta->head);
	ring_unmap(&map);
	step_vm_close(&vm);
}

/*
 * A VMM of its own process, which runs its guest again whenever KVM_RUN was interrupted. It ends
 * with the test.
 */
static void be_a_vmm(pid_t test)
{
	struct step_vm vm;

	CHECK(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	CHECK(getppid() == test);
	be_normal();
	step_vm_open(&vm);
	while (!ioctl(vm.vcpu.fd, KVM_RUN, 0) || errno == EINTR)
		;
	_exit(1);
}

/* The ring of a process's only vCPU, which may be still to come. */
static uint64_t ring_of_process(pid_t pid)
{
	for (int i = 0; i < 10000; i++) {
		uint64_t id = newest_ring();

		if (id && ring_info(id).tgid == (uint32_t)pid)
			return id;
		usleep(1000);
	}
	CHECK(!"no vCPU in 10 s");
	return 0;
}

static void stop_by_signal(pid_t vmm)
{
	int status;

	CHECK(!kill(vmm, SIGSTOP));
	CHECK(waitpid(vmm, &status, WUNTRACED) == vmm && WIFSTOPPED(status));
}

static void go_on_by_signal(pid_t vmm)
{
	CHECK(!kill(vmm, SIGCONT));
}

/* cgroup.events has 1 when all threads of the cgroup stand still. */
static void wait_for_frozen(unsigned long expected)
{
	unsigned long frozen = !expected;

	for (int i = 0; i < 10000 && frozen != expected; i++) {
		usleep(1000);
		CHECK(number_in(CGROUP "/cgroup.events", "frozen", &frozen));
	}
	CHECK(frozen == expected);
}

static void stop_by_freezer(pid_t vmm)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", vmm);
	write_text(CGROUP "/cgroup.procs", text);
	write_text(CGROUP "/cgroup.freeze", "1");
	wait_for_frozen(1);
}

static void go_on_by_freezer(pid_t vmm)
{
	(void)vmm;
	write_text(CGROUP "/cgroup.freeze", "0");
	wait_for_frozen(0);
}

/* A vCPU that a full ring holds can be stopped, and goes on when there is room; nothing is lost. */
static void stopped_while_held(void (*stop)(pid_t), void (*go_on)(pid_t))
{
	struct ring_map map;
	uint64_t head;
	pid_t test, vmm;
	int status;

	test = getpid();
	vmm = fork();
	CHECK(vmm >= 0);
	if (!vmm)
		be_a_vmm(test);

	attach(&map, ring_of_process(vmm), 0);
	wait_until_held(&map);
	stop(vmm);
	head = map.meta->head;
	read_all(&map, NULL);
	usleep(100000);
	CHECK(map.meta->head == head);
	go_on(vmm);
	wait_until_held(&map);
	CHECK(map.meta->head > head && map.meta->dropped == 0);

	CHECK(!kill(vmm, SIGKILL));
	CHECK(waitpid(vmm, &status, 0) == vmm && WIFSIGNALED(status));
	ring_unmap(&map);
}

static void test_full_ring_obeys_stops(void)
{
	if (!is_waiting()) {
		printf("host_test: skipped, needs on_full=wait: SIGSTOP and the freezer\n");
		return;
	}
	stopped_while_held(stop_by_signal, go_on_by_signal);
	if (make_cgroup("host_test", CGROUP_ROOT, CGROUP))
		stopped_while_held(stop_by_freezer, go_on_by_freezer);
}

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

#define RFLAGS_IF 0x202U /* and bit 1, which is always set */

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

	woken = __rdtsc();
	CHECK(!pthread_kill(thread, SIGUSR1));
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
		printf("host_test: skipped, needs CONFIG_KVM_XEN\n");
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

/* A page of the guest that the host does not have: KVM_RUN fails. */
static void test_errno_of_kvm_run(void)
{
	static const uint8_t code[] = {0xe6, STEP_PORT, 0xa0, 0x00, 0x80};
	struct kvm_exit_record found = {0};
	const struct kvm_exit_record *first;
	struct ring_map map;
	struct step_vm vm;
	uint32_t n, reason;

	code_vm_open(&vm, 0, code, sizeof(code));
	attach(&map, newest_ring(), 0);
	step(&vm, 1);
	CHECK(!munmap(vm.vm.memory + LATE_ADDRESS, RING_PAGE));
	CHECK(ioctl(vm.vcpu.fd, KVM_RUN, 0) < 0 && errno == EFAULT);
	reason = vm.vcpu.run->exit_reason;
	step_vm_close(&vm);

	n = exit_ring_peek(&map.reader, &first);
	CHECK(n >= 2);
	for (uint32_t i = 0; i < n - 1; i++) {
		CHECK(first[i].run_errno == 0);
		CHECK(!(first[i].flags & KVM_EXIT_REC_USER) || first[i].user_reason == KVM_EXIT_IO);
	}
	found = first[n - 1];
	CHECK(found.flags & KVM_EXIT_REC_USER && found.run_errno == EFAULT);
	/* Some kernels describe the fault, so that user space can mend it. */
	CHECK(found.user_reason == (reason == MEMORY_FAULT ? reason : KVM_EXIT_UNKNOWN));
	ring_unmap(&map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"epoll before the attach", test_epoll_before_attach},
		{"epoll of live armed rings", test_epoll_of_live_armed_rings},
		{"epoll of dead armed rings", test_epoll_of_dead_armed_rings},
		{"mappings stay out of children", test_mappings_stay_out_of_children},
		{"a vCPU that was not made is not a ring", test_failed_vcpu_is_not_a_ring},
		{"memory is bounded", test_memory_is_bounded},
		{"a refused vCPU is awaited", test_refused_vcpu_is_awaited},
		{"the reader pays", test_reader_pays},
		{"a full ring obeys signals", test_full_ring_obeys_signals},
		{"a full ring obeys SIGSTOP and the freezer", test_full_ring_obeys_stops},
		{"a wait after a wake-up is preempted", test_wait_after_wakeup_is_preempted},
		{"a late page is handler time", test_late_page_is_handler_time},
		{"Xen's SCHEDOP_poll is halted", test_xen_poll_is_halted},
		{"errno of KVM_RUN", test_errno_of_kvm_run},
	};

	(void)argc;
	return RUN_TESTS("host_test", tests, argv);
}
