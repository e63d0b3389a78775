// SPDX-License-Identifier: GPL-2.0-only
/*
 * producer.c - the kernel's end of the ring: proved for any tail that a reader may write
 */
#include "proof/ring/proof.h"

/* The tail page, which the reader may write, and the meta page, which the producer never reads. */
#define TAIL UNREADABLE(struct kvm_exit_ring_tail, 1)
#define META UNREADABLE(struct kvm_exit_ring_meta, 2)

/*
 * The state before the call, any that the invariant allows; and how many records there are.
 */
static struct exit_ring_producer p, before;
static uint64_t count;

/*
 * Of the ring's records only the one at the head has memory here: an access to any other, or to
 * what lies around them, is an access outside of all objects, which CBMC finds.
 */
static struct kvm_exit_record the_slot;

/* What the last load of the tail gave, and how many there were. */
static uint64_t tail;
static unsigned int tail_loads;

/* The stores so far, in their order. */
enum { STORES_MAX = 4 };
static struct {
	const void *address;
	uint64_t value;
	int order;
} stores[STORES_MAX];
static unsigned int store_count;

static uint64_t proof_load(const void *address, size_t bytes, int order)
{
	CHECK("the producer reads nothing but the tail", address == &TAIL->tail && bytes == 8);
	CHECK("(a) is a load-acquire", order == __ATOMIC_ACQUIRE);
	tail_loads++;
	tail = nondet_u64();
	return tail;
}

static void proof_store(const void *address, uint64_t value, int order)
{
	CHECK("the record is whole before the head moves",
	      address != &META->head || the_slot.seq == before.seq);
	CHECK("a call makes no more stores than it needs", store_count < STORES_MAX);
	ASSUME(store_count < STORES_MAX);
	stores[store_count].address = address;
	stores[store_count].value = value;
	stores[store_count].order = order;
	store_count++;
}

static bool stored(unsigned int n, const void *address, uint64_t value)
{
	return n < store_count && stores[n].address == address && stores[n].value == value;
}

static bool invariant(void)
{
	return p.meta == META && p.tail == TAIL && p.records == before.records &&
	       p.mask == count - 1 && p.head - p.tail_seen <= count;
}

/*
 * Every number is used up by a record that is published or counted as dropped. It holds over any
 * series of calls if it holds over each.
 */
static bool nothing_lost(void)
{
	return p.seq - before.seq == (p.head - before.head) + (p.dropped - before.dropped);
}

static void any_state(void)
{
	count = any_count();
	p.meta = META;
	p.tail = TAIL;
	p.mask = count - 1;
	p.head = nondet_u64();
	p.records = (struct kvm_exit_record *)((char *)&the_slot -
					       (p.head & p.mask) * sizeof(the_slot));
	p.seq = nondet_u64();
	p.tail_seen = nondet_u64();
	p.dropped = nondet_u64();
	p.bad_tail = nondet_u64();
	before = p;
	ASSUME(invariant());
}

static bool tail_is_valid(void)
{
	return before.head - tail <= count;
}

/* A tail that was read: taken if it is valid, counted if not. */
static void check_refresh(void)
{
	CHECK("a call reads the tail at most once", tail_loads <= 1);
	if (tail_loads && !tail_is_valid()) {
		CHECK("a forged tail is counted", p.bad_tail == before.bad_tail + 1 &&
							  store_count == 1 &&
							  stored(0, &META->bad_tail, p.bad_tail));
		CHECK("a forged tail changes nothing else", p.tail_seen == before.tail_seen);
	} else {
		CHECK("only a forged tail is counted",
		      p.bad_tail == before.bad_tail && !store_count);
		CHECK("a valid tail is taken over",
		      p.tail_seen == (tail_loads ? tail : before.tail_seen));
	}
	CHECK("reading the tail gives no record away",
	      p.head == before.head && p.seq == before.seq && p.dropped == before.dropped);
	CHECK("the invariant holds after reading the tail", invariant());
}

void proof_refresh(void)
{
	bool room;

	any_state();
	room = exit_ring_refresh(&p);

	CHECK("a refresh reads the tail", tail_loads == 1);
	CHECK("a refresh finds room exactly if there is any",
	      room == (tail_is_valid() && before.head - tail < count));
	check_refresh();
}

/* Before each record: exit_ring_open_slow(). */
void proof_reserve(void)
{
	struct kvm_exit_record *slot;

	any_state();
	slot = exit_ring_reserve(&p);

	check_refresh();
	CHECK("the tail is read again if and only if the ring seemed full",
	      tail_loads == (before.head - before.tail_seen == count));
	if (!slot) {
		CHECK("a slot is refused only if the ring is full or the tail forged",
		      !tail_is_valid() || before.head - tail == count);
		return;
	}
	CHECK("the slot is in the ring, at the head",
	      slot == &the_slot && (before.head & p.mask) < count);
	CHECK("the slot holds no unread record", p.head - p.tail_seen < count);
	CHECK("a ring with a free slot doesn't seem full", !exit_ring_seems_full(&p));
}

/* What exit_ring_open() takes without a call, and what reserving again gives. */
void proof_slot(void)
{
	any_state();
	CHECK("the slot is the one at the head", exit_ring_slot(&p) == &the_slot);
	CHECK("the ring seems full if as many records as it has are not known to be read",
	      exit_ring_seems_full(&p) == (p.head - p.tail_seen == count));
	CHECK("asking changes nothing", !tail_loads && !store_count && invariant() &&
						p.head == before.head &&
						p.tail_seen == before.tail_seen);
}

/* Any byte of the slot except its seq: the caller's, it stays as it is. */
static uint64_t any_offset(void)
{
	uint64_t offset = nondet_u64();

	ASSUME(offset >= sizeof(the_slot.seq) && offset < sizeof(the_slot));
	return offset;
}

static void check_kept(void)
{
	CHECK("neither tail nor its check is touched",
	      !tail_loads && p.tail_seen == before.tail_seen && p.bad_tail == before.bad_tail);
	CHECK("every record is published or counted as dropped", nothing_lost());
	CHECK("the invariant holds after a record", invariant());
}

/* With a slot, as proof_reserve() and proof_slot() have shown it: exit_ring_finish_record(). */
void proof_publish(void)
{
	const unsigned char *bytes = (const unsigned char *)&the_slot;
	uint64_t offset = any_offset();
	unsigned char byte = bytes[offset];

	any_state();
	ASSUME(p.head - p.tail_seen < count);
	exit_ring_publish(&p, &the_slot);

	CHECK("the record has its number", the_slot.seq == before.seq);
	CHECK("the rest of the record is the caller's", bytes[offset] == byte);
	CHECK("a record uses up one number and one slot",
	      p.seq == before.seq + 1 && p.head == before.head + 1 && p.dropped == before.dropped);
	CHECK("seq is stored, then head, and nothing after it",
	      store_count == 2 && stored(0, &META->seq, p.seq) && stored(1, &META->head, p.head));
	CHECK("(b) is a store-release", stores[1].order == __ATOMIC_RELEASE);
	check_kept();
}

/* Without one. */
void proof_drop(void)
{
	any_state();
	exit_ring_drop(&p);

	CHECK("a dropped record uses up one number and no slot",
	      p.seq == before.seq + 1 && p.head == before.head && p.dropped == before.dropped + 1);
	CHECK("a dropped record is counted, then its number used up",
	      store_count == 2 && stored(0, &META->dropped, p.dropped) &&
		      stored(1, &META->seq, p.seq));
	check_kept();
}
