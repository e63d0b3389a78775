// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test.c - what kvm/uapi/kvm_exit_ring.h promises of the device, claim by claim, on the
 * real thing. Runs in the test bed's L1 as root, with on_full=drop and
 * ring_records=4096. One CPU will do, and in QEMU's TCG must: each attach turns a
 * static key, and TCG with several CPUs sometimes runs the breakpoint that
 * Linux puts into the code meanwhile (an Oops "int3").
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"
#include "kvm/test/device/late_page.h"

#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void open_without_capabilities(void *unused)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)unused;
	CHECK(!syscall(SYS_capset, &header, none));
	CHECK(open(KVM_EXIT_RING_DEVICE, O_RDWR) < 0 && errno == EPERM);
}

static void test_needs_a_capability(void)
{
	CHECK(in_child(open_without_capabilities, NULL) == 0);
}

/* As uapi/kvm_exit_ring.h of ABI 1 had them */
#define ARM_ABI_1    _IO(KVM_EXIT_RING_IOC, 0x00)
#define ATTACH_ABI_1 _IOC(_IOC_WRITE, KVM_EXIT_RING_IOC, 0x02, 72)

static void test_invalid_calls(void)
{
	struct kvm_exit_ring_info info = {.ring_id = ~0ULL};
	struct kvm_exit_ring_attach how = {.size = sizeof(how), .ring_id = ~0ULL};
	int fd = device();

	CHECK(ioctl(fd, 0, 0) < 0 && errno == ENOTTY);
	CHECK(ioctl(fd, ARM_ABI_1) < 0 && errno == EPROTONOSUPPORT);
	CHECK(ioctl(fd, ATTACH_ABI_1, &how) < 0 && errno == EPROTONOSUPPORT);
	CHECK(ioctl(fd, _IO(KVM_EXIT_RING_IOC, 0x77), 0) < 0 && errno == ENOTTY);
	CHECK(ioctl(fd, KVM_EXIT_RING_NEXT, 8) < 0 && errno == EFAULT);
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, 8) < 0 && errno == EFAULT);
	CHECK(ioctl(fd, KVM_EXIT_RING_NEXT, &info) < 0 && errno == ENOENT);
	info = (struct kvm_exit_ring_info){.reserved = {0, 0, 1}};
	CHECK(ioctl(fd, KVM_EXIT_RING_NEXT, &info) < 0 && errno == EINVAL);
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == ENOENT);
	how.flags = 0x80;
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EINVAL);
	how.flags = KVM_EXIT_ATTACH_TOTALS;
	how.one_in = 2;
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EINVAL);
	how.flags = 0;
	how.record_count = 33;
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EINVAL);
	how.size = KVM_EXIT_RING_ATTACH_BYTES_MIN; /* without what is after the ring's id */
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == ENOENT);
	how.size--;
	CHECK(ioctl(fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EINVAL);
	CHECK(mmap(NULL, RING_PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(read(fd, &info, 1) < 0 && lseek(fd, 1, SEEK_SET) < 0);
	close(fd);
}

static void test_one_reader_and_one_arming_file(void)
{
	struct kvm_exit_ring_attach how;
	struct ring_map map;
	struct step_vm vm;
	int a = device(), b = device();

	CHECK(!ring_arm(a) && !ring_arm(a));
	CHECK(ring_arm(b) < 0 && errno == EBUSY);
	close(a);
	CHECK(!ring_arm(b));
	close(b);

	step_vm_open(&vm);
	how = (struct kvm_exit_ring_attach){.size = sizeof(how), .ring_id = newest_ring()};
	CHECK(ring_info(how.ring_id).flags == 0);
	attach(&map, how.ring_id, 0);
	CHECK(ring_info(how.ring_id).flags == (KVM_EXIT_INFO_BUSY | KVM_EXIT_INFO_RECORDING));
	a = device();
	CHECK(ioctl(a, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EBUSY);
	CHECK(ioctl(map.fd, KVM_EXIT_RING_ATTACH, &how) < 0 && errno == EBUSY);
	ring_unmap(&map);
	CHECK(!ioctl(a, KVM_EXIT_RING_ATTACH, &how));
	close(a);
	step_vm_close(&vm);
}

static void map_fails(int fd, size_t bytes, int prot, int flags, off_t offset, int error)
{
	CHECK(mmap(NULL, bytes, prot, flags, fd, offset) == MAP_FAILED);
	CHECK(errno == error);
}

static void test_mappings(void)
{
	struct ring_map map, totals;
	struct step_vm vm;
	uint32_t records;
	int rw = PROT_READ | PROT_WRITE;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	records = map.meta->records_offset;

	map_fails(map.fd, RING_PAGE, PROT_READ, MAP_PRIVATE, 0, EINVAL);
	map_fails(map.fd, RING_PAGE, rw, MAP_SHARED, 0, EPERM);
	map_fails(map.fd, RING_PAGE, rw, MAP_SHARED, map.meta->totals_offset, EPERM);
	map_fails(map.fd, RING_PAGE, rw, MAP_SHARED, records, EPERM);
	map_fails(map.fd, RING_PAGE, rw | PROT_EXEC, MAP_SHARED, RING_PAGE, EPERM);

	/* More than an area, and no area. */
	map_fails(map.fd, 2 * RING_PAGE, PROT_READ, MAP_SHARED, 0, EINVAL);
	map_fails(map.fd, RING_PAGE, PROT_READ, MAP_SHARED, records + RING_PAGE, EINVAL);
	map_fails(map.fd, (size_t)map.meta->record_count * map.meta->record_bytes + 1, PROT_READ,
		  MAP_SHARED, records, EINVAL);
	map_fails(map.fd, RING_PAGE, PROT_READ, MAP_SHARED, 1LL << 40, EINVAL);

	/* What is mapped stays as it is. */
	CHECK(mprotect((void *)map.meta, RING_PAGE, rw) < 0 && errno == EACCES);
	CHECK(mprotect((void *)map.records, RING_PAGE, rw) < 0 && errno == EACCES);
	CHECK(mprotect((void *)map.tail, RING_PAGE, rw | PROT_EXEC) < 0 && errno == EACCES);
	CHECK(mremap((void *)map.meta, RING_PAGE, 4 * RING_PAGE, MREMAP_MAYMOVE) == MAP_FAILED);

	attach(&totals, newest_ring(), KVM_EXIT_ATTACH_TOTALS);
	map_fails(totals.fd, RING_PAGE, rw, MAP_SHARED, RING_PAGE, EINVAL);
	map_fails(totals.fd, RING_PAGE, PROT_READ, MAP_SHARED, records, EINVAL);
	ring_unmap(&totals);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_attach_to_a_running_vcpu(void)
{
	struct kvm_exit_record last;
	struct ring_map map;
	struct step_vm vm;
	uint64_t before, seq;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	before = IO(&map, count);
	CHECK(map.meta->head == 0 && map.tail->tail == 0);
	step(&vm, 5);
	/* The exit that was open at the attach is unread; the last one is still open. */
	CHECK(read_all(&map, &last) == 4 && last.seq >= 3);
	CHECK(IO(&map, count) == before + 5);
	CHECK(IO(&map, recorded) == 4 && IO(&map, unread) == before);
	CHECK(last.flags & KVM_EXIT_REC_USER && last.user_reason == KVM_EXIT_IO);
	CHECK(last.flags & KVM_EXIT_REC_KEY && last.key == 0x10 && last.key_aux == 1);
	CHECK(last.guest_rip == STEP_CODE && last.userspace_cycles > 0);
	seq = map.meta->seq;
	ring_unmap(&map);

	/* What happens now is for nobody, and the next reader begins after it. */
	step(&vm, 7);
	attach(&map, newest_ring(), 0);
	CHECK(map.meta->attached_seq == seq && map.meta->head == map.tail->tail);
	CHECK(read_all(&map, NULL) == 0);
	step(&vm, 2);
	CHECK(read_all(&map, &last) == 1 && last.seq >= seq);
	CHECK(IO(&map, unread) == before + 7 + 1);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_forged_tail(void)
{
	/* Ahead of the head, or more than 4096 records before it. */
	static const uint64_t forged[] = {1, 100, 1ULL << 32, 1ULL << 63, -4097ULL};
	struct kvm_exit_record last;
	struct ring_map map;
	struct step_vm vm;
	uint64_t head, bad;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	step(&vm, 3);

	for (unsigned int i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		/* Fill the ring, so that the producer reads the tail again. */
		step(&vm, map.meta->record_count + 10);

		head = map.meta->head;
		bad = map.meta->bad_tail;
		map.tail->tail = head + forged[i];
		step(&vm, 5);

		CHECK(map.meta->head == head);
		CHECK(map.meta->bad_tail >= bad + 5);
		exit_ring_store_release(&map.tail->tail, head);
		map.reader.next = head;
	}

	step(&vm, 3);
	CHECK(read_all(&map, &last) > 0);
	CHECK(map.meta->seq == map.meta->head + map.meta->dropped);
	CHECK(SUM(&map, dropped) == map.meta->dropped);

	ring_unmap(&map);
	step_vm_close(&vm);
}

/* What a reader lost is its own: for the next one meta.dropped begins at 0, the totals go on. */
static void test_dropped_since_the_attach(void)
{
	struct ring_map map;
	struct step_vm vm;
	uint64_t dropped;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	step(&vm, map.meta->record_count + 10);
	dropped = map.meta->dropped;
	CHECK(dropped >= 9 && SUM(&map, dropped) == dropped);
	ring_unmap(&map);

	attach(&map, newest_ring(), 0);
	CHECK(map.meta->dropped == 0 && SUM(&map, dropped) == dropped);
	step(&vm, 5);
	CHECK(read_all(&map, NULL) == 4 && map.meta->dropped == 0);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void touch(void *address)
{
	signal(SIGSEGV, SIG_DFL);
	*(volatile char *)address;
}

static void test_fork_and_two_mappings(void)
{
	struct ring_map map;
	struct step_vm vm;
	int status;
	struct kvm_exit_record *again;

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);
	again = ring_area(map.fd, RING_PAGE, PROT_READ, map.meta->records_offset);
	CHECK(again);
	step(&vm, 10);
	CHECK(!memcmp(again, map.records, 9 * sizeof(*again)) && again[8].seq == 8);
	status = in_child(touch, (void *)map.meta);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(in_child(touch, &vm) == 0);
	munmap(again, RING_PAGE);
	CHECK(read_all(&map, NULL) == 9);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void attach_and_be_killed(void *id)
{
	struct ring_map map;

	attach(&map, *(uint64_t *)id, 0);
	kill(getpid(), SIGKILL);
}

static void test_killed_reader(void)
{
	struct step_vm vm;
	struct ring_map map;
	uint64_t id;

	step_vm_open(&vm);
	id = newest_ring();
	for (int i = 0; i < 20; i++) {
		CHECK(WTERMSIG(in_child(attach_and_be_killed, &id)) == SIGKILL);
		step(&vm, 10);
	}
	CHECK(ring_info(id).flags == 0);
	attach(&map, id, 0);
	step(&vm, 2);
	CHECK(read_all(&map, NULL) == 1);
	ring_unmap(&map);
	step_vm_close(&vm);
}

static void test_vcpu_dies_under_its_readers(void)
{
	struct kvm_exit_record last;
	struct ring_map map, totals;
	struct step_vm vm;
	uint64_t id;

	step_vm_open(&vm);
	id = newest_ring();
	attach(&map, id, 0);
	attach(&totals, id, KVM_EXIT_ATTACH_TOTALS);
	step(&vm, 5);
	CHECK(polled(map.fd, 0) == 0 && polled(totals.fd, 0) == 0);

	step_vm_close(&vm);
	CHECK(polled(map.fd, 10000) == POLLIN);
	CHECK(polled(totals.fd, 0) == POLLHUP);
	CHECK(map.meta->state == KVM_EXIT_RING_DEAD && !exit_ring_finished(&map.reader));
	CHECK(ring_info(id).flags & KVM_EXIT_INFO_DEAD);

	CHECK(read_all(&map, &last) == 5);
	CHECK(last.flags & KVM_EXIT_REC_NO_REENTRY && exit_ring_finished(&map.reader));
	CHECK(polled(map.fd, 0) == POLLHUP);
	CHECK(SUM(&totals, count) + SUM(&totals, synthesized) ==
	      SUM(&totals, recorded) + SUM(&totals, unread));

	ring_unmap(&map);
	CHECK(newest_ring() != id);
	CHECK(totals.meta->ring_id == id && IO(&totals, recorded) == 5);
	ring_unmap(&totals);
}

static void test_armed_rings_are_orphaned(void)
{
	struct kvm_exit_ring_attach how;
	struct kvm_exit_record last;
	struct ring_map map;
	struct step_vm vm;
	int arming = device();

	CHECK(!ring_arm(arming));
	step_vm_open(&vm);
	how = (struct kvm_exit_ring_attach){.ring_id = newest_ring()};
	CHECK(ring_info(how.ring_id).flags == KVM_EXIT_INFO_RECORDING);
	step(&vm, 10);
	step_vm_close(&vm);
	CHECK(ring_info(how.ring_id).flags == (KVM_EXIT_INFO_RECORDING | KVM_EXIT_INFO_DEAD));
	attach(&map, how.ring_id, 0);
	/* From the very first exit on: the steps and what opening the VM took. */
	CHECK(map.meta->attached_seq == 0 && SUM(&map, unread) == 0);
	CHECK(read_all(&map, &last) == 13 && IO(&map, count) == 13);
	CHECK(map.meta->head == SUM(&map, count) + SUM(&map, synthesized));
	ring_unmap(&map);
	CHECK(newest_ring() != how.ring_id);

	step_vm_open(&vm);
	how.ring_id = newest_ring();
	step_vm_close(&vm);
	CHECK(newest_ring() == how.ring_id);
	close(arming);
	CHECK(newest_ring() != how.ring_id);
}

/* Attaches as how says, makes n exits that count and *others, and reads those of I/O. */
static uint32_t filtered(struct step_vm *vm, const struct kvm_exit_ring_attach *how, unsigned int n,
			 uint64_t *others, struct kvm_exit_record *last)
{
	struct kvm_exit_total io;
	struct ring_map map;
	uint64_t all;
	uint32_t read;

	CHECK(!ring_map(&map, how));
	io = map.totals[io_slot(&map)];
	all = SUM(&map, recorded) + SUM(&map, filtered);
	step(vm, n + 1);
	read = read_all(&map, last);
	io.recorded = IO(&map, recorded) - io.recorded;
	io.filtered = IO(&map, filtered) - io.filtered;
	CHECK(io.recorded == read && io.recorded + io.filtered == n);
	*others = SUM(&map, recorded) + SUM(&map, filtered) - all - n;
	CHECK(map.meta->seq == SUM(&map, recorded) && map.meta->dropped == 0);
	ring_unmap(&map);
	return read;
}

static void test_filters(void)
{
	struct kvm_exit_ring_attach how = {.one_in = 10};
	struct kvm_exit_record last;
	struct step_vm vm;
	uint64_t others, taken;
	uint32_t n;

	step_vm_open(&vm);
	how.ring_id = newest_ring();

	/* Other exits take their turn as well, on a busy machine many. */
	n = filtered(&vm, &how, 1000, &others, &last);
	taken = (1000 + others) / 10;
	CHECK(n > 0 && n <= taken + 1 && n + others + 1 >= taken);

	how.one_in = 0;
	how.reason_mask[3] = 1;
	CHECK(filtered(&vm, &how, 100, &others, &last) == 0);
	how.reason_mask[ring_info(how.ring_id).isa == KVM_EXIT_ISA_VMX ? 0 : 1] |=
		ring_info(how.ring_id).isa == KVM_EXIT_ISA_VMX ? 1ULL << 30 : 1ULL << (0x7b - 64);
	CHECK(filtered(&vm, &how, 100, &others, &last) == 100);
	CHECK(!(last.flags & KVM_EXIT_REC_CR3));

	memset(how.reason_mask, 0, sizeof(how.reason_mask));
	how.min_cycles = 1ULL << 60;
	CHECK(filtered(&vm, &how, 100, &others, &last) == 0);

	how.min_cycles = 1;
	how.flags = KVM_EXIT_ATTACH_CR3;
	CHECK(filtered(&vm, &how, 100, &others, &last) == 100);
	CHECK(last.flags & KVM_EXIT_REC_CR3);
	step_vm_close(&vm);
}

static void test_synthesized_exits(void)
{
	const unsigned int slot = 33;
	struct kvm_exit_record made_up = {0};
	const struct kvm_exit_record *first;
	struct kvm_sregs sregs;
	struct ring_map map;
	struct step_vm vm;
	uint64_t exits;
	uint32_t n;

	if (!vmx_without("unrestricted_guest")) {
		printf("device_test: skipped, needs kvm-intel with unrestricted_guest=0\n");
		return;
	}

	step_vm_open(&vm);
	attach(&map, newest_ring(), 0);

	CHECK(!ioctl(vm.vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.ds.base = 0x10015; /* not its selector times 16 */
	CHECK(!ioctl(vm.vcpu.fd, KVM_SET_SREGS, &sregs));
	step(&vm, 20);

	CHECK(map.totals[slot].synthesized > 0 && map.totals[slot].count == 0);

	n = exit_ring_peek(&map.reader, &first);
	for (uint32_t i = 0; i < n; i++)
		if (first[i].flags & KVM_EXIT_REC_SYNTH)
			made_up = first[i];
	CHECK(made_up.reason == (0x80000000U | slot) && made_up.cycles > 0);

	exits = guest_stat(&vm.vcpu, "exits");
	CHECK(exits == SUM(&map, count) + SUM(&map, synthesized) + map.meta->vmfail);
	ring_unmap(&map);
	step_vm_close(&vm);
}

/* struct late_call - an ioctl whose argument is a late page, and its result */
struct late_call {
	int fd;
	unsigned long request;
	struct late_page page;
	int result;
};

static void *make_late_call(void *arg)
{
	struct late_call *call = arg;

	call->result = ioctl(call->fd, call->request, call->page.at);
	return NULL;
}

static void *make_and_destroy_a_vm(void *unused)
{
	struct step_vm vm;

	(void)unused;
	step_vm_open(&vm);
	step_vm_close(&vm);
	return NULL;
}

/*
 * VMs come and go while a reader's call waits for the page of its argument. The kernel waits when
 * it reads the page; if that is @readable, with @content at its beginning, when it writes it.
 */
static void vm_does_not_wait_for(unsigned long request, int readable, uint32_t content, int result)
{
	struct late_call call = {.fd = device(), .request = request};
	struct timespec limit;
	pthread_t reader, vmm;
	int waited;

	late_page_open(&call.page, readable, content);
	CHECK(!pthread_create(&reader, NULL, make_late_call, &call));
	late_page_wait(&call.page);

	CHECK(!pthread_create(&vmm, NULL, make_and_destroy_a_vm, NULL));
	CHECK(!clock_gettime(CLOCK_REALTIME, &limit));
	limit.tv_sec += 10;
	waited = pthread_timedjoin_np(vmm, NULL, &limit);

	/* Only now, so that the test ends in either case. */
	late_page_serve(&call.page);
	CHECK(!pthread_join(reader, NULL));
	CHECK(!waited);
	CHECK(call.result == result);
	late_page_close(&call.page);
	close(call.fd);
}

static void test_late_pages(void)
{
	struct step_vm vm;

	step_vm_open(&vm); /* so that NEXT has something to write */
	vm_does_not_wait_for(KVM_EXIT_RING_NEXT, 0, 0, 0);
	vm_does_not_wait_for(KVM_EXIT_RING_NEXT, 1, 0, 0);
	/* A size of 0 is refused. */
	vm_does_not_wait_for(KVM_EXIT_RING_ATTACH, 0, 0, -1);
	vm_does_not_wait_for(KVM_EXIT_RING_ARM, 0, 0, -1);
	vm_does_not_wait_for(KVM_EXIT_RING_QUERY, 0, 0, -1);
	vm_does_not_wait_for(KVM_EXIT_RING_QUERY, 1, sizeof(struct kvm_exit_ring_query), 0);
	step_vm_close(&vm);
}

static void test_kvm_stays_while_used(void)
{
	int fd = device();

	CHECK(syscall(SYS_delete_module, "kvm", O_NONBLOCK) < 0);
	CHECK(errno == EWOULDBLOCK || errno == EBUSY);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"needs a capability", test_needs_a_capability},
		{"invalid calls", test_invalid_calls},
		{"one reader and one arming file", test_one_reader_and_one_arming_file},
		{"mappings", test_mappings},
		{"attach to a running vCPU", test_attach_to_a_running_vcpu},
		{"forged tail", test_forged_tail},
		{"dropped since the attach", test_dropped_since_the_attach},
		{"fork and two mappings", test_fork_and_two_mappings},
		{"killed reader", test_killed_reader},
		{"a vCPU dies under its readers", test_vcpu_dies_under_its_readers},
		{"armed rings are orphaned", test_armed_rings_are_orphaned},
		{"filters", test_filters},
		{"synthesized exits", test_synthesized_exits},
		{"pages that come late", test_late_pages},
		{"kvm stays while used", test_kvm_stays_while_used},
	};

	(void)argc;
	return RUN_TESTS("device_test", tests, argv);
}
