// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_test.c - a ring in shared memory whose vCPU is a thread of this test:
 * whenever the recording begins and ends, its records and its totals are of the
 * same exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "collector/source/ring.h"
#include "collector/source/test/memory_ring.h"
#include "sql/test/check.h"

#define RECORDS 256U
#define REASONS 5U

struct vcpu {
	struct memory_ring ring;
	unsigned int random;
	unsigned int open; /* slot of the open exit */
	uint64_t open_tsc; /* when it began */
	int synth;	   /* the open exit is synthesized */
	int unread;	   /* nobody has attached yet */
	int stop;
	pthread_t thread;
};

static void store(__u64 *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static void add(__u64 *p, uint64_t value)
{
	store(p, *p + value);
}

static void add_closed(struct vcpu *v, __u64 *counter, uint64_t cycles)
{
	add(counter, 1);
	add(&v->ring.totals[v->open].cycles, cycles);
}

/* As the kernel does it: the record is published after its counter and cycles, or before. */
static void close_exit(struct vcpu *v, uint64_t cycles)
{
	struct kvm_exit_total *t = &v->ring.totals[v->open];
	struct kvm_exit_record *record = v->unread ? NULL : exit_ring_reserve(&v->ring.producer);

	if (v->unread) {
		add_closed(v, &t->unread, cycles);
		return;
	}
	if (!record) {
		exit_ring_drop(&v->ring.producer);
		add_closed(v, &t->dropped, cycles);
		return;
	}
	record->reason = v->open;
	record->cycles = cycles;
	record->tsc = v->open_tsc;
	record->flags = v->synth ? KVM_EXIT_REC_SYNTH : 0;
	if (cycles % 2)
		add_closed(v, &t->recorded, cycles);
	exit_ring_publish(&v->ring.producer, record);
	if (!(cycles % 2))
		add_closed(v, &t->recorded, cycles);
}

/* The open exit is closed, then the new one is counted. */
static void vm_exit(struct vcpu *v)
{
	if (v->open != KVM_EXIT_TOTAL_OTHER)
		close_exit(v, 1 + v->random % 1000);
	v->random = v->random * 1103515245U + 12345U;
	v->open = 1 + (v->random >> 16) % REASONS;
	v->open_tsc = __rdtsc();
	v->synth = 0;
	add(&v->ring.totals[v->open].count, 1);
}

/* As vm_exit(), of slot @slot, real or not. */
static void vm_exit_of(struct vcpu *v, unsigned int slot, int synth)
{
	if (v->open != KVM_EXIT_TOTAL_OTHER)
		close_exit(v, 1);
	v->open = slot;
	v->open_tsc = __rdtsc();
	v->synth = synth;
	add(synth ? &v->ring.totals[slot].synthesized : &v->ring.totals[slot].count, 1);
}

static void vcpu_make(struct vcpu *v)
{
	memset(v, 0, sizeof(*v));
	v->ring = memory_ring_make(RECORDS);
	v->open = KVM_EXIT_TOTAL_OTHER;
}

/* What was read of a ring. */
struct sums {
	uint64_t n[KVM_EXIT_TOTAL_SLOTS];
	uint64_t cycles;
	uint64_t first;
	uint64_t next;
	uint64_t lost;
	uint64_t all;
};

static void take_all(struct ring *ring, struct sums *s)
{
	const struct kvm_exit_record *r;
	uint32_t count;
	uint32_t i;

	while ((count = ring_peek(ring, &r))) {
		for (i = 0; i < count; i++) {
			if (!s->all++)
				s->first = s->next = r[i].seq;
			CHECK(r[i].seq >= s->next);
			s->lost += r[i].seq - s->next;
			s->next = r[i].seq + 1;
			s->n[r[i].reason]++;
			s->cycles += r[i].cycles;
		}
		ring_release(ring, count);
	}
}

/* Records + dropped (+ the open exit) = totals, for all and per reason. */
static void check_window(const struct ring *ring, const struct sums *s)
{
	uint64_t cycles = 0;
	uint64_t open = 0;
	uint64_t recorded = 0;
	uint64_t dropped = 0;
	unsigned int i;

	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		const struct kvm_exit_total *t = &ring->sum[i];

		CHECK_EQ(t->recorded, s->n[i]);
		CHECK(t->count - t->recorded - t->dropped - t->unread <= 1);
		open += t->count - t->recorded - t->dropped - t->unread;
		cycles += t->cycles;
		recorded += t->recorded;
		dropped += t->dropped;
	}
	CHECK(!ring->unverified);
	CHECK_EQ(open, ring->open_exits);
	CHECK_EQ(recorded, s->all);
	CHECK_EQ(dropped, ring->end_seq - ring->first_seq - s->all);
	if (!dropped)
		CHECK_EQ(cycles, s->cycles);
}

static void test_from_the_start(void)
{
	struct sums s = {0};
	struct ring ring;
	struct vcpu v;
	int i;

	vcpu_make(&v);
	for (i = 0; i < 100; i++)
		vm_exit(&v);
	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	for (i = 0; i < 900; i++) {
		vm_exit(&v);
		if (i % 100 == 0)
			take_all(&ring, &s);
	}
	ring_end(&ring);
	for (i = 0; i < 50; i++)
		vm_exit(&v); /* too late for the recording */
	take_all(&ring, &s);
	CHECK_EQ(s.first, 0);
	CHECK_EQ(s.all, 999);
	CHECK_EQ(ring.open_exits, 1);
	CHECK_EQ(ring.unread, 0);
	check_window(&ring, &s);
	ring_close(&ring);
}

/* The exit that is open when the reader comes began without one: it gets no record. */
static void test_open_at_the_attach(void)
{
	struct sums s = {0};
	struct ring ring;
	struct vcpu v;
	int i;

	vcpu_make(&v);
	v.unread = 1;
	for (i = 0; i < 1000; i++)
		vm_exit(&v);
	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	vm_exit(&v);
	v.unread = 0;
	for (i = 0; i < 200; i++)
		vm_exit(&v);
	ring_end(&ring);
	take_all(&ring, &s);
	CHECK_EQ(s.all, 200);
	CHECK_EQ(ring.unread, 1000);
	ring_close(&ring);
}

static void test_from_the_middle(void)
{
	struct sums s = {0};
	struct ring ring;
	struct vcpu v;
	int i;

	vcpu_make(&v);
	v.unread = 1;
	for (i = 0; i < 1000; i++)
		vm_exit(&v);
	v.unread = 0;
	for (i = 0; i < 10; i++)
		vm_exit(&v); /* between the attach and the snapshot */
	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	CHECK_EQ(ring.unread, 1009); /* the one that is open is not among them */
	CHECK_EQ(ring.first_seq, 10);
	for (i = 0; i < 200; i++)
		vm_exit(&v);
	ring_end(&ring);
	take_all(&ring, &s);
	CHECK_EQ(s.all, 200);
	CHECK_EQ(s.first, 10);
	check_window(&ring, &s);
	ring_close(&ring);
}

/* A vCPU without memory for its records: all exits of the recording are dropped ones. */
static void test_no_memory(bool from_creation)
{
	uint64_t dropped = 0;
	struct ring ring;
	struct vcpu v;

	vcpu_make(&v);
	v.unread = 1;
	for (int i = 0; i < 100; i++)
		vm_exit(&v);
	CHECK_EQ(ring_open_lost(&ring, v.ring.fd, from_creation), 0);
	CHECK_EQ(ring.unread, from_creation ? 0 : 99);
	CHECK_EQ(ring.begin_tsc == 0, from_creation);

	for (int i = 0; i < 20; i++)
		vm_exit(&v);
	v.unread = 0; /* another reader finds memory, which changes nothing here */
	for (int i = 0; i < 30; i++)
		vm_exit(&v);
	CHECK_EQ(ring_peek(&ring, &(const struct kvm_exit_record *){NULL}), 0);
	CHECK(!ring_is_finished(&ring));
	v.ring.meta->state = KVM_EXIT_RING_DEAD;
	CHECK(ring_is_finished(&ring));

	ring_end(&ring);
	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		const struct kvm_exit_total *t = &ring.sum[i];

		dropped += t->dropped;
		CHECK_EQ(t->recorded + t->unread + t->filtered, 0);
	}
	CHECK_EQ(dropped, from_creation ? 149 : 50);
	CHECK_EQ(ring.end_seq - ring.first_seq, dropped);
	CHECK_EQ(ring.unread, from_creation ? 0 : 99);
	CHECK_EQ(ring.open_exits, 1);
	ring_close(&ring);
}

static void test_lost(void)
{
	struct sums s = {0};
	struct ring ring;
	struct vcpu v;
	int i;

	vcpu_make(&v);
	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	for (i = 0; i < 1001; i++)
		vm_exit(&v);
	take_all(&ring, &s);
	CHECK_EQ(s.all, RECORDS);
	for (i = 0; i < 10; i++)
		vm_exit(&v);
	ring_end(&ring);
	take_all(&ring, &s);
	CHECK_EQ(s.all, RECORDS + 10);
	CHECK_EQ(s.lost, 1000 - RECORDS);
	check_window(&ring, &s);
	ring_close(&ring);
}

static void *vcpu_run(void *context)
{
	struct vcpu *v = context;
	volatile unsigned int guest = 0;
	unsigned int i;

	while (!__atomic_load_n(&v->stop, __ATOMIC_ACQUIRE)) {
		vm_exit(v);
		for (i = 0; i < 300 + v->random % 1000; i++)
			guest++;
	}
	return NULL;
}

/* Begins and ends at any instant of a vCPU that runs. */
static void test_running(void)
{
	struct vcpu v;
	struct ring ring;
	int round;
	int i;

	vcpu_make(&v);
	vm_exit(&v);
	vm_exit(&v);
	v.ring.meta->attached_seq = 1; /* somebody has read before */
	CHECK(!pthread_create(&v.thread, NULL, vcpu_run, &v));
	for (round = 0; round < 5000; round++) {
		struct sums s = {0};

		CHECK_EQ(ring_open(&ring, dup(v.ring.fd)), 0);
		for (i = 0; i < 300; i++)
			take_all(&ring, &s);
		ring_end(&ring);
		take_all(&ring, &s);
		check_window(&ring, &s);
		ring_close(&ring);
	}
	__atomic_store_n(&v.stop, 1, __ATOMIC_RELEASE);
	pthread_join(v.thread, NULL);
}

/* The exit that is open at the begin is counted as what it is: real or synthesized. */
static void test_open_kind(void)
{
	for (int i = 0; i < 4; i++) {
		int synth = i % 2;
		struct sums s = {0};
		struct ring ring;
		struct vcpu v;

		vcpu_make(&v);
		v.ring.meta->attached_seq = 1; /* somebody has read before */
		/* More of the other kind: the greater count is not that of the open exit. */
		for (int n = 0; n < 6; n++)
			vm_exit_of(&v, 1, n < 2 ? synth : !synth);
		vm_exit_of(&v, 1, synth);
		CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
		CHECK(!ring.unverified);
		CHECK_EQ(ring.unread, 6);
		vm_exit_of(&v, 2, 0);

		if (i < 2)
			take_all(&ring, &s);
		ring_end(&ring);
		take_all(&ring, &s); /* the record may be read after the end only */
		CHECK_EQ(s.all, 1);
		CHECK_EQ(ring.sum[1].count, !synth);
		CHECK_EQ(ring.sum[1].synthesized, synth);
		CHECK(!ring.unverified);
		ring_close(&ring);
	}
}

/* The open exit gets no record: the next one's kind is not its kind. */
static void test_open_kind_without_record(void)
{
	struct ring ring;
	struct sums s = {0};
	struct vcpu v;

	vcpu_make(&v);
	v.unread = 1;
	for (int i = 0; i < 6; i++)
		vm_exit_of(&v, 1, i % 2);
	vm_exit_of(&v, 1, 0);
	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	vm_exit_of(&v, 1, 1);
	v.unread = 0;
	vm_exit_of(&v, 2, 0);
	take_all(&ring, &s);
	ring_end(&ring);
	CHECK_EQ(s.all, 1);
	CHECK_EQ(ring.sum[1].count, 1);
	CHECK_EQ(ring.sum[1].synthesized, 1);
	ring_close(&ring);
}

/* Totals that never add up are marked as unverified. */
static void test_unverified(void)
{
	struct ring ring;
	struct vcpu v;

	vcpu_make(&v);
	v.ring.meta->attached_seq = 1;
	for (int i = 0; i < 10; i++)
		vm_exit(&v);
	CHECK_EQ(ring_open(&ring, dup(v.ring.fd)), 0);
	CHECK(!ring.unverified);
	add(&v.ring.totals[1].count, 1); /* two open exits */
	ring_end(&ring);
	CHECK(ring.unverified);
	ring_close(&ring);

	CHECK_EQ(ring_open(&ring, v.ring.fd), 0);
	CHECK(ring.unverified);
	ring_close(&ring);
}

/* Copies @count structs of @from bytes to places @to bytes apart. */
static void spread(char *to, size_t to_bytes, const void *from, size_t from_bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memset(to + i * to_bytes, 0xff, to_bytes);
		memcpy(to + i * to_bytes, (const char *)from + i * from_bytes, from_bytes);
	}
}

/* The ring of @v as a newer kernel has it, with longer records, totals and more slots. */
static int make_longer(const struct vcpu *v)
{
	enum {
		RECORD = sizeof(struct kvm_exit_record) + 64,
		TOTAL = sizeof(struct kvm_exit_total) + 8
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t totals = (KVM_EXIT_TOTAL_SLOTS * TOTAL / page + 2) * page;
	size_t bytes = 2 * page + totals + RECORDS * RECORD;
	int fd = memfd_create("longer", MFD_CLOEXEC);
	struct kvm_exit_ring_meta *meta;
	char *area;

	CHECK(!ftruncate(fd, (off_t)bytes));
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	meta = (void *)area;
	*meta = *v->ring.meta;
	meta->record_bytes = RECORD;
	meta->total_bytes = TOTAL;
	meta->total_slots++;
	meta->records_offset = (__u32)(2 * page + totals);
	spread(area + 2 * page, TOTAL, v->ring.totals, sizeof(*v->ring.totals),
	       KVM_EXIT_TOTAL_SLOTS);
	spread(area + meta->records_offset, RECORD, v->ring.producer.records,
	       sizeof(*v->ring.producer.records), RECORDS);
	return fd;
}

static void test_longer_structs(void)
{
	struct sums s = {0};
	struct ring ring;
	struct vcpu v;

	vcpu_make(&v);
	for (int i = 0; i < 101; i++)
		vm_exit(&v);
	CHECK_EQ(ring_open(&ring, make_longer(&v)), 0);
	ring_end(&ring);
	take_all(&ring, &s);
	CHECK_EQ(s.all, 100);
	check_window(&ring, &s);
	ring_close(&ring);

	/* A kernel whose records lack what this program reads. */
	v.ring.meta->record_bytes -= 8;
	CHECK_EQ(ring_open(&ring, v.ring.fd), -EPROTO);
	ring_close(&ring);
}

static void test_other_abi(void)
{
	struct ring ring;
	struct vcpu v;

	vcpu_make(&v);
	v.ring.meta->abi++;
	CHECK_EQ(ring_open(&ring, v.ring.fd), -EPROTO);
	ring_close(&ring);
	CHECK(ring_open(&ring, open("/dev/null", O_RDWR)) < 0);
	ring_close(&ring);
}

int main(void)
{
	test_from_the_start();
	test_from_the_middle();
	test_open_at_the_attach();
	test_lost();
	test_no_memory(true);
	test_no_memory(false);
	test_running();
	test_open_kind();
	test_open_kind_without_record();
	test_unverified();
	test_longer_structs();
	test_other_abi();
	return check_result();
}
