// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll_test.c - whoever waits by poll(2) or epoll(7) is told of records at the watermark and of
 * rings that come and go, whenever it began to wait. Runs in the test bed's L1 as root, with
 * on_full=drop and ring_records=4096.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"

#include <pthread.h>
#include <sys/epoll.h>

static void *wait_for_records(void *arg)
{
	struct ring_map *map = arg;

	/* Without a time limit: a lost wake-up hangs, and the alarm ends the test. */
	CHECK(polled(map->fd, -1) == POLLIN);
	return (void *)(uintptr_t)(map->meta->head - map->tail->tail);
}

static void test_poll_wakes_at_the_watermark(void)
{
	struct ring_map map;
	struct step_vm vm;
	pthread_t thread;
	uint64_t watermark;
	void *unread;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	watermark = map.meta->record_count / 4;
	for (int round = 0; round < 20; round++) {
		uint64_t wakeups = map.meta->wakeups;

		CHECK(!pthread_create(&thread, NULL, wait_for_records, &map));
		if (round % 2)
			usleep(2000);
		step(&vm, watermark / 2);
		CHECK(map.meta->wakeups == wakeups);
		step(&vm, watermark / 2 + 1);
		CHECK(!pthread_join(thread, &unread));
		CHECK((uintptr_t)unread >= watermark);
		read_all(&map, NULL);
	}
	CHECK(map.meta->dropped == 0 && map.meta->wakeups > 0);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_control_file_reports_changes(void)
{
	struct kvm_exit_ring_info info = {0};
	struct step_vm vm;
	int fd = device();

	CHECK(polled(fd, 0) == POLLIN);
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info))
		;
	CHECK(polled(fd, 0) == 0);
	step_vm_open(&vm);
	CHECK(polled(fd, 0) == POLLIN);
	CHECK(!ioctl(fd, KVM_EXIT_RING_NEXT, &info));
	CHECK(info.tgid == (uint32_t)getpid() && info.vcpu_id == 0 && info.vm_id);
	CHECK(ioctl(fd, KVM_EXIT_RING_NEXT, &info) < 0 && errno == ENOENT);
	CHECK(polled(fd, 0) == 0);
	step_vm_close(&vm);
	CHECK(polled(fd, 5000) == POLLIN);
	close(fd);
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

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"poll wakes at the watermark", test_poll_wakes_at_the_watermark},
		{"the control file reports changes", test_control_file_reports_changes},
		{"epoll before the attach", test_epoll_before_attach},
		{"epoll of live armed rings", test_epoll_of_live_armed_rings},
		{"epoll of dead armed rings", test_epoll_of_dead_armed_rings},
	};

	(void)argc;
	return RUN_TESTS("poll_test", tests, argv);
}
