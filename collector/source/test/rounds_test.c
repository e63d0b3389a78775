// SPDX-License-Identifier: GPL-2.0-only
/* rounds_test.c - rings are read in turn, to their end, and none keeps the others waiting */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/rounds.h"
#include "collector/source/test/memory_ring.h"
#include "sql/test/check.h"

#define RECORDS 8U
#define NOW	INT64_C(1000000000000) /* ns, while no time passes */

/* Publishes @n records, or as many as find room. The totals show them, and no open exit. */
static void publish(struct memory_ring *ring, unsigned int n)
{
	struct kvm_exit_record *record;

	while (n-- && (record = exit_ring_reserve(&ring->producer))) {
		ring->totals[1].count++;
		ring->totals[1].recorded++;
		exit_ring_publish(&ring->producer, record);
	}
}

/* The vCPU is destroyed: its last exit never ended. */
static void destroy(struct memory_ring *ring)
{
	ring->meta->state = KVM_EXIT_RING_DEAD;
}

/* As a source does it. Returns the number of the vCPU whose ring was closed, -1: none. */
static int next(struct rounds *rounds, struct source *source, struct source_item *item)
{
	bool was_gone;
	int closed = rounds_take_back(rounds, &was_gone);

	if (rounds_needs_rings(rounds, NOW))
		rounds_go_on(rounds, NOW);
	rounds_next(rounds, source, item);
	return closed;
}

/* A ring that is filled as fast as it is read is left for the next one after a ring's worth. */
static void test_no_vcpu_starves_the_others(void)
{
	struct memory_ring busy = memory_ring_make(RECORDS);
	struct memory_ring quiet = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;
	size_t busy_records = 0;

	rounds_init(&rounds);
	CHECK_EQ(rounds_add(&rounds, busy.fd), 0);
	CHECK_EQ(rounds_add(&rounds, quiet.fd), 1);
	publish(&busy, 5);
	publish(&quiet, 1);

	for (int i = 0; i < 100; i++) {
		next(&rounds, &source, &item);
		CHECK_EQ(item.kind, SOURCE_RECORDS);
		if (item.vcpu == 1)
			break;
		busy_records += item.count;
		publish(&busy, RECORDS);
	}
	CHECK_EQ(item.vcpu, 1);
	CHECK_EQ(item.count, 1);
	CHECK_EQ(busy_records, RECORDS);

	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);
	CHECK(rounds_needs_rings(&rounds, NOW));
	rounds_free(&rounds);
}

/*
 * However long a round takes, a scan for new rings comes every 10 ms: a VM may be gone when it
 * ends. What they hold comes in the next round.
 */
static void test_new_rings_come_in_a_long_round(void)
{
	struct memory_ring busy = memory_ring_make(RECORDS);
	struct memory_ring late = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	CHECK(rounds_needs_rings(&rounds, NOW));
	CHECK_EQ(rounds_add(&rounds, busy.fd), 0);
	CHECK(rounds_needs_rings(&rounds, NOW));
	publish(&busy, 1);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_RECORDS);

	CHECK(!rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS - 1));
	CHECK(rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS));
	CHECK_EQ(rounds_add(&rounds, late.fd), 1);
	publish(&late, 3);
	CHECK(rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS));
	rounds_go_on(&rounds, NOW + ROUNDS_SCAN_NS);
	CHECK(!rounds.has_more);
	CHECK(!rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS));

	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_RECORDS);
	CHECK_EQ(item.vcpu, 1);
	CHECK_EQ(item.count, 3);
	rounds_free(&rounds);
}

/* VMs that come faster than rings are added don't keep those that are open from being read. */
static void test_a_scan_has_an_end(void)
{
	struct memory_ring first = memory_ring_make(RECORDS);
	struct memory_ring second = memory_ring_make(RECORDS);
	const int64_t late = NOW + 3 * ROUNDS_SCAN_NS;
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	CHECK(rounds_needs_rings(&rounds, NOW));
	CHECK_EQ(rounds_add(&rounds, first.fd), 0);
	CHECK(rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS - 1));
	CHECK_EQ(rounds_add(&rounds, second.fd), 1);
	publish(&first, 1);
	publish(&second, 1);

	/* Adding it took so long: the round has as much time before the next scan. */
	CHECK(!rounds_needs_rings(&rounds, late));
	CHECK(rounds.has_more);
	rounds_next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_RECORDS);
	CHECK(!rounds_needs_rings(&rounds, late + 3 * ROUNDS_SCAN_NS - 1));
	CHECK(rounds_needs_rings(&rounds, late + 3 * ROUNDS_SCAN_NS));
	rounds_go_on(&rounds, late + 3 * ROUNDS_SCAN_NS);
	CHECK(!rounds.has_more);
	rounds_free(&rounds);
}

/* A recording ends after the rings that wait were added, however long that takes. */
static void test_rings_that_wait_have_an_end(void)
{
	struct memory_ring ring = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	rounds.is_stopping = true;
	CHECK(rounds_needs_rings(&rounds, NOW));
	CHECK(!rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS));
	rounds_next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);

	CHECK(rounds_needs_rings(&rounds, NOW + ROUNDS_SCAN_NS));
	CHECK_EQ(rounds_add(&rounds, ring.fd), 0);
	rounds_go_on(&rounds, NOW + ROUNDS_SCAN_NS);
	rounds_next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_FINISHED);
	rounds_free(&rounds);
}

/* Rings close in any order: each of the others has its turn all the same. */
static void test_others_have_their_turn_after_an_end(void)
{
	struct memory_ring rings[4];
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	for (int i = 0; i < 4; i++) {
		rings[i] = memory_ring_make(RECORDS);
		CHECK_EQ(rounds_add(&rounds, rings[i].fd), i);
	}
	destroy(&rings[1]);
	destroy(&rings[2]);
	publish(&rings[0], 1);
	publish(&rings[3], 1);

	for (int i = 0; i < 4; i++) {
		next(&rounds, &source, &item);
		CHECK_EQ(item.vcpu, i);
		CHECK_EQ(item.kind, i % 3 ? SOURCE_END_VCPU : SOURCE_RECORDS);
	}
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);
	CHECK_EQ(rounds.open_count, 2);

	publish(&rings[3], 2);
	next(&rounds, &source, &item);
	CHECK(item.kind == SOURCE_RECORDS && item.vcpu == 3 && item.count == 2);
	rounds_free(&rounds);
}

/* The records that the caller has are the kernel's again with the next call, not before. */
static void test_records_are_lent(void)
{
	struct memory_ring ring = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	rounds_add(&rounds, ring.fd);
	publish(&ring, RECORDS);

	next(&rounds, &source, &item);
	CHECK_EQ(item.count, RECORDS);
	CHECK(!exit_ring_reserve(&ring.producer));
	next(&rounds, &source, &item);
	CHECK(exit_ring_reserve(&ring.producer));
	rounds_free(&rounds);
}

/* A vCPU without memory for its records has an end, with all its exits as dropped ones. */
static void test_a_lost_vcpu_ends(void)
{
	struct memory_ring ring = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;

	rounds_init(&rounds);
	CHECK_EQ(rounds_add_lost(&rounds, ring.fd, true), 0);
	ring.totals[1].count = ring.totals[1].unread = 7;
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);

	destroy(&ring);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	CHECK_EQ(item.end.end_seq, 7);
	CHECK_EQ(item.end.totals[1].dropped, 7);
	CHECK_EQ(item.end.unread, 0);
	rounds_free(&rounds);
}

/* All records of a vCPU that is destroyed come before its end; the others go on. */
static void test_a_vcpu_ends(void)
{
	struct memory_ring gone = memory_ring_make(RECORDS);
	struct memory_ring alive = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;
	bool was_gone = false;

	rounds_init(&rounds);
	rounds_add(&rounds, gone.fd);
	rounds_add(&rounds, alive.fd);
	publish(&gone, 3);
	destroy(&gone);

	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_RECORDS);
	CHECK_EQ(item.count, 3);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	CHECK_EQ(item.vcpu, 0);
	CHECK_EQ(item.end.end_seq, 3);
	CHECK_EQ(item.end.totals[1].recorded, 3);
	CHECK_EQ(item.end.ended, 1);

	CHECK_EQ(rounds_take_back(&rounds, &was_gone), 0);
	CHECK(was_gone);
	CHECK_EQ(rounds_take_back(&rounds, &was_gone), -1);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);

	/* Without any vCPU the recording goes on: there may be new ones. */
	destroy(&alive);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_NOTHING);
	rounds_free(&rounds);
}

/* A stop ends every ring with what was published by then; after the last one all is finished. */
static void test_stop(void)
{
	struct memory_ring ring = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;
	bool was_gone = true;

	rounds_init(&rounds);
	rounds_add(&rounds, ring.fd);
	publish(&ring, 2);
	rounds.is_stopping = true;

	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_RECORDS);
	publish(&ring, 2); /* too late */
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_END_VCPU);
	CHECK_EQ(item.end.end_seq, 2);
	CHECK_EQ(item.end.ended, 0);
	CHECK_EQ(source.info.tsc_end, 0);

	CHECK_EQ(rounds_take_back(&rounds, &was_gone), 0);
	CHECK(!was_gone);
	next(&rounds, &source, &item);
	CHECK_EQ(item.kind, SOURCE_FINISHED);
	CHECK(source.info.tsc_end != 0);
	rounds_free(&rounds);
}

static void test_give_vcpu(void)
{
	struct memory_ring ring = memory_ring_make(RECORDS);
	struct source source = {0};
	struct source_item item;
	struct rounds rounds;
	uint32_t measured;

	ring.meta->isa = KVM_EXIT_ISA_SVM;
	ring.meta->tsc_khz = 2000000;
	ring.meta->tsc_base = 77;
	ring.meta->vm_id = 5;
	ring.meta->vcpu_id = 6;
	ring.meta->ring_id = 7;
	ring.meta->tid = 8;
	ring.meta->features = 0x123;
	ring.meta->tgid = (__u32)getpid();

	rounds_init(&rounds);
	CHECK_EQ(rounds_add(&rounds, ring.fd), 0);
	rounds_give_vcpu(&rounds, 0, &source, &item);
	CHECK_EQ(item.kind, SOURCE_VCPU);
	CHECK_EQ(item.created_tsc, 77);
	CHECK_EQ(item.info.vm_id, 5);
	CHECK_EQ(item.info.vcpu_id, 6);
	CHECK_EQ(item.info.ring_id, 7);
	CHECK(!strcmp(item.info.comm, "rounds_test"));
	CHECK_EQ(source.info.isa, KVM_EXIT_ISA_SVM);
	CHECK_EQ(source.info.tsc_khz, 2000000);
	CHECK_EQ(item.info.tid, 8);
	CHECK(!strcmp(source.info.text[RUN_FEATURES], "0x123"));

	/* Linux does not know the frequency: it is measured, for all vCPUs at once. */
	ring.meta->tsc_khz = 0;
	rounds_give_vcpu(&rounds, 0, &source, &item);
	CHECK(source.info.tsc_khz > 100000 && source.info.tsc_khz != 2000000);
	measured = source.info.tsc_khz;
	for (int i = 0; i < 10; i++) {
		rounds_give_vcpu(&rounds, 0, &source, &item);
		CHECK_EQ(source.info.tsc_khz, measured);
	}
	run_info_free(&source.info);
	rounds_free(&rounds);
}

/* A file that is not a ring is closed and makes no vCPU. */
static void test_not_a_ring(void)
{
	struct rounds rounds;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	rounds_init(&rounds);
	CHECK(rounds_add(&rounds, fd) < 0);
	CHECK_EQ(rounds.count, 0);
	CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	rounds_free(&rounds);
}

int main(void)
{
	test_no_vcpu_starves_the_others();
	test_new_rings_come_in_a_long_round();
	test_a_scan_has_an_end();
	test_rings_that_wait_have_an_end();
	test_others_have_their_turn_after_an_end();
	test_records_are_lent();
	test_a_lost_vcpu_ends();
	test_a_vcpu_ends();
	test_stop();
	test_give_vcpu();
	test_not_a_ring();
	return check_result();
}
