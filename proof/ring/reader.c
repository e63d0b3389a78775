// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader.c - the end of the ring in user space: proved for any head, also a forged one
 */
#include "proof/ring/proof.h"

#define ADDRESS(p) ((uintptr_t)(p))

/* The geometry in the meta page is constant; the rest of it is any value at each load. */
static struct kvm_exit_ring_meta meta;
static struct kvm_exit_ring_tail tail_page;

static uint64_t head;
static uint32_t state;
static unsigned int loads, stores;
static bool head_was_read, state_was_read_first;
static uint64_t stored_tail;

static uint64_t proof_load(const void *address, size_t bytes, int order)
{
	CHECK("(c) is a load-acquire, and so are those of the state and the tail",
	      order == __ATOMIC_ACQUIRE);
	loads++;
	if (address == &meta.state) {
		CHECK("the state is 32 bits", bytes == sizeof(state));
		state = nondet_u32();
		state_was_read_first = !head_was_read;
		return state;
	}
	if (address == &tail_page.tail)
		return tail_page.tail;
	CHECK("the reader loads nothing but state, tail and head",
	      address == &meta.head && bytes == 8);
	head = nondet_u64();
	head_was_read = true;
	return head;
}

static void proof_store(const void *address, uint64_t value, int order)
{
	CHECK("the reader stores nothing but the tail", address == &tail_page.tail);
	CHECK("(d) is a store-release", order == __ATOMIC_RELEASE);
	stored_tail = value;
	stores++;
}

static struct exit_ring_reader r, before;
static uint64_t count;

static void any_state(void)
{
	count = any_count();
	meta.record_count = count;
	meta.record_bytes = PROOF_RECORD_BYTES;
	tail_page.tail = nondet_u64();

	r.meta = &meta;
	r.tail = &tail_page;
	r.records = UNREADABLE(struct kvm_exit_record, 1u << 20);
	r.count = count;
	r.record_bytes = meta.record_bytes;
	r.next = nondet_u64();
	before = r;
}

static bool unchanged(void)
{
	return r.meta == before.meta && r.tail == before.tail && r.records == before.records &&
	       r.count == before.count && r.record_bytes == before.record_bytes;
}

void proof_init(void)
{
	struct exit_ring_reader fresh; /* of any content */

	any_state();
	exit_ring_reader_init(&fresh, r.meta, r.tail, r.records);
	CHECK("a reader begins at the tail", fresh.next == tail_page.tail && loads == 1);
	CHECK("a reader takes the geometry over",
	      fresh.meta == r.meta && fresh.tail == r.tail && fresh.records == r.records &&
		      fresh.count == r.count && fresh.record_bytes == r.record_bytes && !stores);
}

/* Whatever the head is: a reader is not led outside by a forged one either. */
void proof_peek(void)
{
	const struct kvm_exit_record *first;
	uint64_t at, unread;
	uint32_t n;

	any_state();
	n = exit_ring_peek(&r, &first);

	at = before.next & (count - 1);
	unread = head - before.next;
	CHECK("a peek loads the head once", loads == 1 && head_was_read);
	CHECK("a peek changes nothing", unchanged() && r.next == before.next && !stores);
	CHECK("a peek begins at the oldest unread record",
	      ADDRESS(first) == ADDRESS(r.records) + at * r.record_bytes);
	CHECK("whatever the head is, all that is peeked lies in the ring", n <= count - at);
	CHECK("a peek finds all that is unread up to the ring's end",
	      n == (unread < count - at ? unread : count - at));
	if (n) {
		uint32_t i = nondet_u32();
		const char *record;

		ASSUME(i < n);
		record = (const char *)exit_ring_record_at(&r, first, i);
		CHECK("the records follow each other by record_bytes",
		      ADDRESS(record) == ADDRESS(r.records) + (at + i) * r.record_bytes);
		CHECK("every record is whole in the ring",
		      ADDRESS(record) + r.record_bytes <=
			      ADDRESS(r.records) + count * r.record_bytes);
	}
}

void proof_advance(void)
{
	uint32_t n = nondet_u32();

	any_state();
	exit_ring_advance(&r, n);
	CHECK("an advance gives back exactly n records",
	      r.next == before.next + n && stores == 1 && stored_tail == r.next);
	CHECK("an advance changes nothing else", unchanged() && !loads);
}

void proof_finished(void)
{
	bool finished;

	any_state();
	finished = exit_ring_finished(&r);
	CHECK("it is finished only when the vCPU is gone and all is read",
	      finished == (state == KVM_EXIT_RING_DEAD && head_was_read && head == r.next));
	CHECK("the state is read before the head", state_was_read_first);
	CHECK("asking changes nothing", unchanged() && r.next == before.next && !stores);
}
