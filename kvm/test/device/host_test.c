// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_test.c - recording harms neither the host nor the recorded VM. Runs in the test bed's L1 as
 * root, with ring_records=4096; the tests about a full ring with on_full=wait, the rest with
 * on_full=drop.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"
#include "kvm/test/device/cgroup.h"
#include "kvm/test/device/vcpu_thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define MEMORY_BOUND "/sys/module/kvm/parameters/ring_memory_mib"
#define CGROUP_ROOT  "/tmp/host_test_cgroup"
#define CGROUP	     CGROUP_ROOT "/vmm"

/* Whether VMs are held when their rings are full. */
static int is_waiting(void)
{
	char value[8] = "";
	int fd = open("/sys/module/kvm/parameters/on_full", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, value, sizeof(value)) > 0);
	close(fd);
	return value[0] == 'w';
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

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"mappings stay out of children", test_mappings_stay_out_of_children},
		{"a vCPU that was not made is not a ring", test_failed_vcpu_is_not_a_ring},
		{"memory is bounded", test_memory_is_bounded},
		{"a refused vCPU is awaited", test_refused_vcpu_is_awaited},
		{"the reader pays", test_reader_pays},
		{"a full ring obeys signals", test_full_ring_obeys_signals},
		{"a full ring obeys SIGSTOP and the freezer", test_full_ring_obeys_stops},
	};

	(void)argc;
	return RUN_TESTS("host_test", tests, argv);
}
