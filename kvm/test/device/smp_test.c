// SPDX-License-Identifier: GPL-2.0-only
/*
 * smp_test.c - readers come and go on one CPU while vCPUs run, begin and end on another. Runs in
 * the test bed's L1 as root, on 2 CPUs. A claim is tried for thousands of rounds, but for a minute
 * at most, or until it was tried ROUNDS_MIN times.
 */
#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS		2000
#define ROUNDS_MIN	50
#define SECONDS_MAX	60
#define READER_CPU	0
#define VCPU_CPU	1
#define STOP		0x8000 /* where the guest sees that it may end */
#define SECOND_NS	1000000000LL
#define WAKE_TIMEOUT_MS 10000

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* Whether to go on. @done: rounds so far; of two kinds, the fewer ones. @end: as of now_ns() */
static bool more_rounds(int done, int64_t end)
{
	return done < ROUNDS_MIN || (done < ROUNDS && now_ns() < end);
}

/* A guest that makes CPUID exits, one after the other, until STOP is set. */
struct busy_vm {
	struct step_vm vm;
	pthread_t thread;
};

static void *run_on_vcpu_cpu(void *vm)
{
	use_cpu(VCPU_CPU);
	step(vm, 1);
	return NULL;
}

static void busy_vm_open(struct busy_vm *busy)
{
	/* xor %ax,%ax; cpuid; mov STOP,%al; test %al,%al; jz . - 9; step; jmp . - 2 */
	static const uint8_t code[] = {0x31, 0xc0, 0x0f, 0xa2, 0xa0,	  0x00, 0x80, 0x84,
				       0xc0, 0x74, 0xf5, 0xe6, STEP_PORT, 0xeb, 0xfc};

	code_vm_open(&busy->vm, 0, code, sizeof(code));
	CHECK(!pthread_create(&busy->thread, NULL, run_on_vcpu_cpu, &busy->vm));
}

/* The guest has ended; its vCPU and ring are still there. */
static void busy_vm_stop(struct busy_vm *busy)
{
	((volatile uint8_t *)busy->vm.vm.memory)[STOP] = 1;
	CHECK(!pthread_join(busy->thread, NULL));
}

/* One attached file: how many records it has read, how many are missing, which comes next. */
struct reading {
	struct ring_map map;
	uint64_t n_read, missing, next_seq;
};

/* As ring_map() */
static int begin_reading(struct reading *r, uint64_t id, uint32_t records)
{
	struct kvm_exit_ring_attach how = {.ring_id = id, .record_count = records};
	int error = ring_map(&r->map, &how);

	if (error)
		return error;
	r->n_read = 0;
	r->missing = 0;
	r->next_seq = r->map.meta->attached_seq;
	return 0;
}

/* Reads what there is. Each record is the next one, unless as many were dropped as are missing. */
static void read_in_sequence(struct reading *r)
{
	struct exit_ring_reader *reader = &r->map.reader;
	const struct kvm_exit_record *first;
	uint32_t n = exit_ring_peek(reader, &first);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t seq = exit_ring_record_at(reader, first, i)->seq;

		CHECK(seq >= r->next_seq);
		r->missing += seq - r->next_seq;
		r->next_seq = seq + 1;
	}
	exit_ring_advance(reader, n);
	r->n_read += n;

	/* One more: the exit that was open at the attach. */
	CHECK(r->missing <= r->map.meta->dropped + 1);
}

static void test_readers_come_and_go(void)
{
	int64_t end = now_ns() + SECONDS_MAX * SECOND_NS;
	uint64_t id, n_read = 0;
	struct busy_vm busy;
	struct reading r;
	int rounds = 0;

	busy_vm_open(&busy);
	id = newest_ring();
	for (; more_rounds(rounds, end); rounds++) {
		CHECK(!begin_reading(&r, id, 32U << rounds % 8));
		for (int i = 0; i < rounds % 50; i++)
			read_in_sequence(&r);
		n_read += r.n_read;
		ring_unmap(&r.map);
	}

	busy_vm_stop(&busy);
	CHECK(!begin_reading(&r, id, 0));
	/* The exit of the last step is open: counted, and nothing else yet. */
	CHECK(SUM(&r.map, count) == SUM(&r.map, recorded) + SUM(&r.map, dropped) +
					    SUM(&r.map, filtered) + SUM(&r.map, unread) + 1);
	CHECK(SUM(&r.map, recorded) >= n_read && n_read);
	printf("smp_test: %d rounds, %llu records read, %llu exits\n", rounds,
	       (unsigned long long)n_read, (unsigned long long)SUM(&r.map, count));
	ring_unmap(&r.map);
	step_vm_close(&busy.vm);
}

static volatile bool hog_may_end;

/* Keeps the vCPU's CPU busy, so that it is scheduled out anywhere. */
static void *hog(void *nothing)
{
	use_cpu(VCPU_CPU);
	while (!hog_may_end)
		;
	return nothing;
}

static void test_no_wake_up_is_lost(void)
{
	int64_t end = now_ns() + SECONDS_MAX * SECOND_NS;
	struct busy_vm busy;
	struct reading r;
	pthread_t other;
	int rounds = 0;
	uint64_t id;

	hog_may_end = false;
	CHECK(!pthread_create(&other, NULL, hog, NULL));
	busy_vm_open(&busy);
	id = newest_ring();
	for (; more_rounds(rounds, end); rounds++) {
		CHECK(!begin_reading(&r, id, 64));
		/* Each time the ring is emptied there is one wake-up more, or the poll ends with 0.
		 */
		for (int i = 0; i < 3; i++) {
			CHECK(polled(r.map.fd, WAKE_TIMEOUT_MS) & POLLIN);
			read_in_sequence(&r);
		}
		ring_unmap(&r.map);
	}

	hog_may_end = true;
	CHECK(!pthread_join(other, NULL));
	busy_vm_stop(&busy);
	step_vm_close(&busy.vm);
	printf("smp_test: %d rounds\n", rounds);
}

/* ---- VMs that begin and end */

static volatile bool vms_may_end;
static volatile int vms_ended;

static void *begin_and_end_vms(void *nothing)
{
	use_cpu(VCPU_CPU);
	while (!vms_may_end) {
		struct step_vm vm;

		step_vm_open(&vm);
		step(&vm, (unsigned int)vms_ended % 100);
		step_vm_close(&vm);
		vms_ended++;
	}
	return nothing;
}

/* Attaches to whatever ring there is, reads a little and leaves; 1 if it got one. */
static int read_any_ring(void)
{
	struct kvm_exit_ring_info info = {0};
	const struct kvm_exit_record *first;
	struct reading r;
	int fd = device();

	if (ioctl(fd, KVM_EXIT_RING_NEXT, &info)) {
		CHECK(errno == ENOENT);
		close(fd);
		return 0;
	}
	close(fd);
	/* Gone, or the other reader has it: nothing else may be wrong. */
	switch (begin_reading(&r, info.ring_id, 0)) {
	case 0:
		/* A reader before may have read a part of a dead vCPU's records. */
		if (exit_ring_peek(&r.map.reader, &first))
			r.next_seq = first->seq;
		for (int i = 0; i < 3; i++)
			read_in_sequence(&r);
		ring_unmap(&r.map);
		return 1;
	case -ENOENT:
	case -EBUSY:
		return 0;
	}
	CHECK(!"attaching to a ring that ends");
	return 0;
}

static void *read_any_rings(void *n_read)
{
	use_cpu(READER_CPU);
	while (!vms_may_end)
		*(int *)n_read += read_any_ring();
	return NULL;
}

/* One file arms and disarms while rings begin and end under two readers. */
static void test_arming_while_vms_come_and_go(void)
{
	int64_t end = now_ns() + SECONDS_MAX / 2 * SECOND_NS;
	struct kvm_exit_ring_info left = {0};
	int n_read[2] = {0}, rounds = 0, n_left = 0, fd;
	pthread_t vms, readers[2];

	vms_may_end = false;
	vms_ended = 0;
	CHECK(!pthread_create(&vms, NULL, begin_and_end_vms, NULL));
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&readers[i], NULL, read_any_rings, &n_read[i]));

	use_cpu(READER_CPU);
	for (; more_rounds(rounds < vms_ended ? rounds : vms_ended, end); rounds++) {
		fd = device();
		CHECK(!ring_arm(fd));
		usleep((useconds_t)(rounds % 20) * 500);
		close(fd);
	}
	vms_may_end = true;
	CHECK(!pthread_join(vms, NULL));
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(readers[i], NULL));

	printf("smp_test: armed %d times, %d VMs, read %d and %d times\n", rounds, vms_ended,
	       n_read[0], n_read[1]);
	CHECK(n_read[0] && n_read[1]);
	fd = device();
	wait_for_free_memory(fd);
	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &left)) {
		printf("smp_test: ring %llu of vCPU %u in process %u is left, flags 0x%x\n",
		       left.ring_id, left.vcpu_id, left.tgid, left.flags);
		n_left++;
	}
	CHECK(!n_left);
	close(fd);
}

/* Threads that make vCPUs at the same time; they and the reader wait for each other. */
#define MAKERS	    2
#define MAKER_VCPUS 8
static pthread_barrier_t vcpus_made, vcpus_seen;
static volatile int makers_at_work;
static volatile bool makers_may_end;

static void *make_vcpus(void *nothing)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	CHECK(kvm >= 0);
	use_cpu(VCPU_CPU);
	while (!makers_may_end) {
		int fds[MAKER_VCPUS], vm = ioctl(kvm, KVM_CREATE_VM, 0);

		CHECK(vm >= 0);
		for (int i = 0; i < MAKER_VCPUS; i++) {
			fds[i] = ioctl(vm, KVM_CREATE_VCPU, i);
			CHECK(fds[i] >= 0);
		}
		__atomic_fetch_sub(&makers_at_work, 1, __ATOMIC_SEQ_CST);

		pthread_barrier_wait(&vcpus_made);
		for (int i = 0; i < MAKER_VCPUS; i++)
			close(fds[i]);
		close(vm);
		pthread_barrier_wait(&vcpus_seen);
	}
	close(kvm);
	return nothing;
}

/* How many rings come after *@last, which becomes the last of them. */
static int walk(int fd, uint64_t *last)
{
	struct kvm_exit_ring_info info = {.ring_id = *last};
	int n = 0;

	while (!ioctl(fd, KVM_EXIT_RING_NEXT, &info)) {
		*last = info.ring_id;
		n++;
	}
	CHECK(errno == ENOENT);
	return n;
}

/* A reader that goes on from the last ring it knows finds each ring, whoever was created first. */
static void test_no_ring_is_passed_over(void)
{
	int64_t end = now_ns() + SECONDS_MAX / 4 * SECOND_NS;
	int fd = device(), rounds = 0;
	pthread_t makers[MAKERS];
	uint64_t last = 0;

	walk(fd, &last);
	/* A ring is made known once it has a buffer, which takes a while. */
	CHECK(!ring_arm(fd));
	makers_may_end = false;
	makers_at_work = MAKERS;
	CHECK(!pthread_barrier_init(&vcpus_made, NULL, MAKERS + 1));
	CHECK(!pthread_barrier_init(&vcpus_seen, NULL, MAKERS + 1));
	for (int i = 0; i < MAKERS; i++)
		CHECK(!pthread_create(&makers[i], NULL, make_vcpus, NULL));

	use_cpu(READER_CPU);
	for (bool more = true; more; rounds++) {
		int seen = 0;

		while (makers_at_work)
			seen += walk(fd, &last);
		seen += walk(fd, &last);
		if (seen != MAKERS * MAKER_VCPUS)
			printf("smp_test: round %d: %d of %d rings\n", rounds, seen,
			       MAKERS * MAKER_VCPUS);
		CHECK(seen == MAKERS * MAKER_VCPUS);

		more = more_rounds(rounds + 1, end);
		makers_may_end = !more;
		makers_at_work = MAKERS;
		pthread_barrier_wait(&vcpus_made);
		pthread_barrier_wait(&vcpus_seen);
	}
	for (int i = 0; i < MAKERS; i++)
		CHECK(!pthread_join(makers[i], NULL));
	printf("smp_test: %d rounds of %d vCPUs\n", rounds, MAKERS * MAKER_VCPUS);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"readers come and go while a vCPU runs", test_readers_come_and_go},
		{"no wake-up is lost", test_no_wake_up_is_lost},
		{"arming while VMs come and go", test_arming_while_vms_come_and_go},
		{"no ring is passed over", test_no_ring_is_passed_over},
	};

	(void)argc;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "smp_test: needs 2 CPUs\n");
		return 2;
	}
	return RUN_TESTS("smp_test", tests, argv);
}
