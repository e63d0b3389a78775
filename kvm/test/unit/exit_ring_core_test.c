// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_ring_core_test.c - both ends of the ring in one process: wrap, full, gaps,
 * hostile tails, two threads
 */
#include "kvm/ring/exit_ring_core.h"
#include "kvm/test/common/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COUNT 4096U

struct ring {
	struct kvm_exit_ring_meta meta;
	struct kvm_exit_ring_tail tail;
	struct kvm_exit_record records[MAX_COUNT];
	struct exit_ring_producer producer;
	struct exit_ring_reader reader;
};

/* An empty ring of count records whose indices begin at start. */
static struct ring *ring_new(__u32 count, __u64 start)
{
	struct ring *r = calloc(1, sizeof(*r));

	CHECK(r && count <= MAX_COUNT);
	r->meta.record_count = count;
	r->meta.record_bytes = sizeof(struct kvm_exit_record);
	r->meta.head = start;
	r->tail.tail = start;
	r->producer = (struct exit_ring_producer){
		.meta = &r->meta,
		.tail = &r->tail,
		.records = r->records,
		.head = start,
		.tail_seen = start,
		.mask = count - 1,
	};
	exit_ring_reader_init(&r->reader, &r->meta, &r->tail, r->records);
	return r;
}

/* Pushes a record that says the same number in its first and its last field. */
static _Bool push(struct ring *r, __u64 number)
{
	struct kvm_exit_record *record = exit_ring_reserve(&r->producer);

	if (!record) {
		exit_ring_drop(&r->producer);
		return 0;
	}
	record->tsc = number;
	record->preempted_cycles = ~number;
	exit_ring_publish(&r->producer, record);
	return 1;
}

/* Reads everything; every record must be whole and carry the numbers from *next on. */
static __u64 drain(struct ring *r, __u64 *next)
{
	const struct kvm_exit_record *first;
	__u64 total = 0;
	__u32 n;

	while ((n = exit_ring_peek(&r->reader, &first))) {
		CHECK(first + n <= r->records + r->reader.count);
		for (__u32 i = 0; i < n; i++, (*next)++) {
			CHECK(first[i].tsc == *next);
			CHECK(first[i].preempted_cycles == ~*next);
		}
		exit_ring_advance(&r->reader, n);
		total += n;
	}
	return total;
}

static void test_wrap(__u64 start)
{
	struct ring *r = ring_new(8, start);
	__u64 pushed = 0, next = 0;

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i <= round % 8; i++)
			CHECK(push(r, pushed++));
		CHECK(drain(r, &next) == (__u64)(round % 8 + 1));
	}
	CHECK(next == pushed);
	CHECK(r->meta.head == start + pushed);
	CHECK(r->tail.tail == start + pushed);
	CHECK(r->meta.seq == pushed);
	CHECK(r->meta.dropped == 0 && r->meta.bad_tail == 0);
	free(r);
}

/* A kernel whose records are longer than this reader knows. */
static void test_longer_records(void)
{
	enum { LONGER = sizeof(struct kvm_exit_record) + 64, COUNT = 4 };
	char *records = calloc(COUNT, LONGER);
	struct ring *r = ring_new(COUNT, 0);
	const struct kvm_exit_record *first;
	__u64 seq = 0;
	__u32 n;

	CHECK(records);
	r->meta.record_bytes = LONGER;
	exit_ring_reader_init(&r->reader, &r->meta, &r->tail, (void *)records);
	for (int round = 0; round < 10; round++) {
		for (__u64 i = 0; i < 3; i++) {
			__u64 at = (r->meta.head + i) % COUNT;

			((struct kvm_exit_record *)(records + at * LONGER))->seq = r->meta.head + i;
		}
		r->meta.head += 3;
		while ((n = exit_ring_peek(&r->reader, &first))) {
			for (__u32 i = 0; i < n; i++)
				CHECK(exit_ring_record_at(&r->reader, first, i)->seq == seq++);
			exit_ring_advance(&r->reader, n);
		}
		CHECK(seq == r->meta.head);
	}
	free(records);
	free(r);
}

static void test_full_leaves_gaps(void)
{
	struct ring *r = ring_new(4, ~0ULL - 1);
	const struct kvm_exit_record *first;
	__u64 seq = 0, lost = 0;

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < round % 9; i++)
			CHECK(push(r, 0) == (i < 4));
		for (__u32 n; (n = exit_ring_peek(&r->reader, &first));
		     exit_ring_advance(&r->reader, n))
			for (__u32 i = 0; i < n; i++) {
				lost += first[i].seq - seq;
				seq = first[i].seq + 1;
			}
	}
	lost += r->meta.seq - seq;
	CHECK(lost == r->meta.dropped);
	CHECK(lost == r->producer.seq - (r->producer.head + 2));
	CHECK(lost > 0 && r->meta.bad_tail == 0);
	free(r);
}

static void test_slot_is_kept_until_published(void)
{
	struct ring *r = ring_new(2, 0);
	struct kvm_exit_record *slot = exit_ring_reserve(&r->producer);
	const struct kvm_exit_record *first;

	CHECK(slot && slot == exit_ring_reserve(&r->producer));
	CHECK(exit_ring_peek(&r->reader, &first) == 0);
	exit_ring_publish(&r->producer, slot);
	CHECK(exit_ring_reserve(&r->producer) != slot);
	CHECK(exit_ring_peek(&r->reader, &first) == 1 && first == slot);
	exit_ring_publish(&r->producer, exit_ring_reserve(&r->producer));
	CHECK(!exit_ring_reserve(&r->producer));
	free(r);
}

/* A forged tail makes the ring seem full, and nothing else. */
static void test_hostile_tail(void)
{
	static const __u64 forged[] = {15, 18, 1ULL << 32, 1ULL << 63, ~0ULL, 9, 0};
	struct ring *r = ring_new(4, 10);
	struct kvm_exit_record before[4];
	__u64 next = 0;

	for (int i = 0; i < 4; i++)
		CHECK(push(r, i));
	memcpy(before, r->records, sizeof(before));
	for (unsigned int i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		r->tail.tail = forged[i];
		CHECK(!push(r, 99));
		CHECK(r->meta.bad_tail == i + 1);
		CHECK(r->meta.head == 14);
		CHECK(!memcmp(before, r->records, sizeof(before)));
	}
	CHECK(r->meta.dropped == sizeof(forged) / sizeof(forged[0]));
	r->tail.tail = 10;
	CHECK(drain(r, &next) == 4);
	CHECK(push(r, 4) && drain(r, &next) == 1);
	free(r);
}

static void test_finished(void)
{
	struct ring *r = ring_new(4, 0);
	__u64 next = 7;

	CHECK(!exit_ring_finished(&r->reader));
	CHECK(push(r, 7));
	exit_ring_store_release(&r->meta.state, KVM_EXIT_RING_DEAD);
	CHECK(!exit_ring_finished(&r->reader));
	CHECK(drain(r, &next) == 1);
	CHECK(exit_ring_finished(&r->reader));
	free(r);
}

#define STRESS_RECORDS 2000000ULL

static void *produce(void *arg)
{
	struct ring *r = arg;

	for (__u64 number = 0; number < STRESS_RECORDS;) {
		struct kvm_exit_record *record = exit_ring_reserve(&r->producer);

		if (!record) {
			sched_yield();
			continue;
		}
		record->tsc = number;
		record->preempted_cycles = ~number;
		exit_ring_publish(&r->producer, record);
		number++;
	}
	exit_ring_store_release(&r->meta.state, KVM_EXIT_RING_DEAD);
	return NULL;
}

static void test_two_threads(__u32 count, __u64 start)
{
	struct ring *r = ring_new(count, start);
	pthread_t thread;
	__u64 next = 0;

	CHECK(!pthread_create(&thread, NULL, produce, r));
	while (!exit_ring_finished(&r->reader))
		if (!drain(r, &next))
			sched_yield();
	CHECK(!pthread_join(thread, NULL));
	CHECK(next == STRESS_RECORDS);
	CHECK(r->meta.dropped == 0 && r->meta.bad_tail == 0);
	free(r);
}

/* The producer never waits: what is missing at the reader is what it counted as dropped. */
static void *produce_or_drop(void *arg)
{
	struct ring *r = arg;

	for (__u64 number = 0; number < STRESS_RECORDS; number++)
		push(r, number);
	exit_ring_store_release(&r->meta.state, KVM_EXIT_RING_DEAD);
	return NULL;
}

static void test_two_threads_with_loss(void)
{
	struct ring *r = ring_new(16, ~0ULL - 1000);
	const struct kvm_exit_record *first;
	__u64 read = 0, seq = 0, gaps = 0;
	pthread_t thread;
	__u32 n;

	CHECK(!pthread_create(&thread, NULL, produce_or_drop, r));

	while (!exit_ring_finished(&r->reader)) {
		n = exit_ring_peek(&r->reader, &first);
		for (__u32 i = 0; i < n; i++) {
			CHECK(first[i].tsc == first[i].seq);
			CHECK(first[i].preempted_cycles == ~first[i].seq);
			gaps += first[i].seq - seq;
			seq = first[i].seq + 1;
		}
		read += n;
		if (n)
			exit_ring_advance(&r->reader, n);
		else
			sched_yield();
	}

	CHECK(!pthread_join(thread, NULL));
	gaps += r->meta.seq - seq;
	CHECK(gaps == r->meta.dropped);
	CHECK(read + gaps == STRESS_RECORDS);
	free(r);
}

int main(void)
{
	test_wrap(0);
	test_wrap((1ULL << 32) - 5);
	test_wrap(~0ULL - 5);
	test_longer_records();
	test_full_leaves_gaps();
	test_slot_is_kept_until_published();
	test_hostile_tail();
	test_finished();
	test_two_threads(1, (1ULL << 32) - 100000);
	test_two_threads(64, ~0ULL - 1000000);
	test_two_threads(4096, 0);
	test_two_threads_with_loss();
	return 0;
}
