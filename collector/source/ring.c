// SPDX-License-Identifier: GPL-2.0-only
/* ring.c - snapshots of a ring's totals, and its records in order */
#include "collector/source/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define TOTALS_BYTES (KVM_EXIT_TOTAL_SLOTS * sizeof(struct kvm_exit_total))

/* Records copied at a time where the kernel's are longer than ours. */
#define COPIED_RECORDS 1024U

/* How often to copy totals that a busy vCPU changes meanwhile. */
#define SNAPSHOT_TRIES 100000

/*
 * One field of the shared areas; the vCPU thread may write it at any time. The
 * acquire keeps later loads from being done before it.
 */
static uint64_t load(const __u64 *p)
{
	return exit_ring_load_acquire(p);
}

static void copy_total(struct kvm_exit_total *to, const struct kvm_exit_total *from)
{
	to->count = load(&from->count);
	to->synthesized = load(&from->synthesized);
	to->cycles = load(&from->cycles);
	to->halted_cycles = load(&from->halted_cycles);
	to->userspace_cycles = load(&from->userspace_cycles);
	to->preempted_cycles = load(&from->preempted_cycles);
	to->recorded = load(&from->recorded);
	to->dropped = load(&from->dropped);
	to->filtered = load(&from->filtered);
	to->unread = load(&from->unread);
	to->polled_cycles = load(&from->polled_cycles);
}

/* Exits of a slot that are not closed yet. */
static uint64_t slot_open(const struct kvm_exit_total *t)
{
	return t->count + t->synthesized - t->recorded - t->dropped - t->filtered - t->unread;
}

/* Exits of all slots that are not closed yet. */
static uint64_t open_exits(const struct kvm_exit_total *totals)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
		n += slot_open(&totals[i]);
	return n;
}

/*
 * Whether the vCPU was not closing an exit when the totals and @seq were copied: the sums of
 * struct kvm_exit_total, with an open exit unless there was none yet or the vCPU is @gone.
 */
static bool is_consistent(const struct kvm_exit_total *totals, uint64_t seq, bool gone)
{
	uint64_t exits = 0;

	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		seq -= totals[i].recorded + totals[i].dropped;
		exits += totals[i].count + totals[i].synthesized;
	}
	return !seq && open_exits(totals) == (exits && !gone);
}

/* Reads the TSC after all earlier loads and before all later ones. */
static uint64_t ordered_tsc(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

static bool is_gone(const struct ring *ring)
{
	return exit_ring_load_acquire(&ring->meta->state) == KVM_EXIT_RING_DEAD;
}

/* In the kernel's array, whose totals may be longer than ours. */
static const struct kvm_exit_total *total_at(const struct ring *ring, unsigned int slot)
{
	return (const void *)((const char *)ring->totals + (size_t)slot * ring->meta->total_bytes);
}

static size_t totals_bytes(const struct kvm_exit_ring_meta *meta)
{
	return (size_t)meta->total_slots * meta->total_bytes;
}

static size_t records_bytes(const struct kvm_exit_ring_meta *meta)
{
	return (size_t)meta->record_count * meta->record_bytes;
}

/* The slots that have had an exit. Returns their number. */
static unsigned int find_used_slots(const struct ring *ring, unsigned int *used)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		const struct kvm_exit_total *total = total_at(ring, i);

		if (load(&total->count) || load(&total->synthesized))
			used[count++] = i;
	}
	return count;
}

/* Whether the totals in shared memory still are @totals. */
static bool is_unchanged(const struct ring *ring, const struct kvm_exit_total *totals,
			 const unsigned int *used, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct kvm_exit_total copy = {0};

		copy_total(&copy, total_at(ring, used[i]));
		if (memcmp(&copy, &totals[used[i]], sizeof(copy)))
			return false;
	}
	return true;
}

/*
 * Copies the totals and the seq (*@seq) of one time (*@tsc); struct kvm_exit_total says why two
 * equal copies with the right sums are that. Only slots in use are copied, so that a try takes
 * less time than a VM exit; a slot that comes into use meanwhile makes the sums wrong.
 *
 * Returns false if no try succeeded: the copy of the last one may then be of several times.
 */
static bool snapshot(const struct ring *ring, struct kvm_exit_total *totals, uint64_t *seq,
		     uint64_t *tsc)
{
	unsigned int used[KVM_EXIT_TOTAL_SLOTS];
	unsigned int count = 0;

	for (int tries = 0; tries < SNAPSHOT_TRIES; tries++) {
		bool gone = is_gone(ring);

		if (tries % 16 == 0)
			count = find_used_slots(ring, used);

		*seq = load(&ring->meta->seq);
		for (unsigned int i = 0; i < count; i++)
			copy_total(&totals[used[i]], total_at(ring, used[i]));
		*tsc = ordered_tsc();

		if (is_unchanged(ring, totals, used, count) && load(&ring->meta->seq) == *seq &&
		    is_consistent(totals, *seq, gone))
			return true;
	}
	return false;
}

static const void *map(int fd, size_t bytes, uint64_t offset, int protection)
{
	return mmap(NULL, bytes, protection, MAP_SHARED, fd, (off_t)offset);
}

static int map_areas(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct kvm_exit_ring_meta *meta = map(ring->fd, page, 0, PROT_READ);

	if (meta == MAP_FAILED)
		return -errno;

	ring->meta = meta;
	if (meta->magic != KVM_EXIT_RING_MAGIC || meta->abi != KVM_EXIT_RING_ABI ||
	    meta->record_bytes < sizeof(struct kvm_exit_record) ||
	    meta->total_bytes < sizeof(struct kvm_exit_total) ||
	    meta->total_slots < KVM_EXIT_TOTAL_SLOTS)
		return -EPROTO;
	if (meta->record_bytes > sizeof(struct kvm_exit_record)) {
		ring->copies = calloc(COPIED_RECORDS, sizeof(*ring->copies));
		if (!ring->copies)
			return -ENOMEM;
	}

	ring->totals = map(ring->fd, totals_bytes(meta), meta->totals_offset, PROT_READ);
	if (ring->totals == MAP_FAILED)
		return -errno;
	if (ring->lost)
		return 0;

	ring->tail = (void *)map(ring->fd, page, page, PROT_READ | PROT_WRITE);
	ring->records = map(ring->fd, records_bytes(meta), meta->records_offset, PROT_READ);
	return ring->tail == MAP_FAILED || ring->records == MAP_FAILED ? -errno : 0;
}

/*
 * Takes the open exit off the totals of its slot, which then are those of the exits before the
 * recording. Where the slot has real and synthesized exits, the totals don't show which of them
 * is open. It is taken for a real one until its record shows (see correct_open_kind()); if
 * the record is lost, that stays: a synthesized exit is open for a moment only.
 */
static void take_off_open(struct ring *ring, unsigned int slot)
{
	struct kvm_exit_total *t = &ring->base[slot];
	uint64_t open = slot_open(t);

	if (!open)
		return;

	if (t->count) {
		ring->open_kind_unknown = t->synthesized != 0;
		ring->open_slot = slot;
		t->count -= open;
	} else {
		t->synthesized -= open;
	}
}

/*
 * @record: the first one of the recording. If it began before the snapshot, it is the exit that
 * was open then, and its flags show of which kind it is.
 */
static void correct_open_kind(struct ring *ring, const struct kvm_exit_record *record)
{
	struct kvm_exit_total *t = &ring->base[ring->open_slot];

	ring->open_kind_unknown = false;
	if (record->seq == ring->first_seq && record->tsc < ring->begin_tsc &&
	    (record->flags & KVM_EXIT_REC_SYNTH)) {
		t->count++;
		t->synthesized--;
		if (ring->end_seq != UINT64_MAX) {
			ring->sum[ring->open_slot].count--;
			ring->sum[ring->open_slot].synthesized++;
		}
	}
}

/* Whether the ring has recorded from its vCPU's first exit on; its totals are in @base. */
static bool has_all_records(const struct ring *ring)
{
	uint64_t unread = 0;

	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
		unread += ring->base[i].unread;
	return !ring->lost && !unread && !ring->meta->attached_seq;
}

/*
 * A ring that recorded from its vCPU's first exit on (or would have: @from_creation) is read from
 * there. One that begins in the middle is read from the time of the snapshot on; the exit that is
 * open then belongs to the recording, for its record is yet to come.
 */
static void begin(struct ring *ring, bool from_creation)
{
	struct kvm_exit_total *base = ring->base;
	uint64_t seq;
	bool consistent;

	if (!ring->lost)
		exit_ring_reader_init(&ring->reader, ring->meta, ring->tail, ring->records);
	ring->end_seq = UINT64_MAX;

	consistent = snapshot(ring, base, &seq, &ring->begin_tsc);
	if (from_creation || has_all_records(ring)) {
		memset(base, 0, TOTALS_BYTES);
		ring->begin_tsc = 0;
		return;
	}

	ring->unverified = !consistent;
	ring->first_seq = seq;
	ring->open_at_start = open_exits(base) != 0;
	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		take_off_open(ring, i);
		/* Also those recorded between the attach and the snapshot, or for an earlier
		 * reader. */
		ring->unread += base[i].count + base[i].synthesized;
	}
}

static int open_ring(struct ring *ring, int fd, bool lost, bool from_creation)
{
	int rc;

	*ring = (struct ring){.fd = fd, .lost = lost};
	ring->base = calloc(KVM_EXIT_TOTAL_SLOTS, sizeof(*ring->base));
	ring->sum = calloc(KVM_EXIT_TOTAL_SLOTS, sizeof(*ring->sum));
	if (!ring->base || !ring->sum)
		return -ENOMEM;

	rc = map_areas(ring);
	if (!rc)
		begin(ring, from_creation);
	return rc;
}

int ring_open(struct ring *ring, int fd)
{
	return open_ring(ring, fd, false, false);
}

int ring_open_lost(struct ring *ring, int fd, bool from_creation)
{
	return open_ring(ring, fd, true, from_creation);
}

bool ring_is_finished(const struct ring *ring)
{
	return ring->lost ? is_gone(ring) : exit_ring_finished(&ring->reader);
}

/* exit_ring_peek(), as an array of the records that this program knows. */
static uint32_t peek(struct ring *ring, const struct kvm_exit_record **first)
{
	uint32_t n = exit_ring_peek(&ring->reader, first);

	if (!ring->copies)
		return n;
	if (n > COPIED_RECORDS)
		n = COPIED_RECORDS;
	for (uint32_t i = 0; i < n; i++)
		ring->copies[i] = *exit_ring_record_at(&ring->reader, *first, i);
	*first = ring->copies;
	return n;
}

uint32_t ring_peek(struct ring *ring, const struct kvm_exit_record **first)
{
	uint32_t n = ring->lost ? 0 : peek(ring, first);
	uint32_t skip = 0;

	/* Records of before the recording. */
	while (skip < n && (*first)[skip].seq < ring->first_seq)
		skip++;
	if (skip) {
		exit_ring_advance(&ring->reader, skip);
		*first += skip;
		n -= skip;
		if (!n)
			return ring_peek(ring, first);
	}

	if (n && ring->open_kind_unknown)
		correct_open_kind(ring, *first);

	/* Records are in seq order: only the last ones can be too late. */
	while (n && (*first)[n - 1].seq >= ring->end_seq)
		n--;
	return n;
}

void ring_release(struct ring *ring, uint32_t count)
{
	exit_ring_advance(&ring->reader, count);
}

/*
 * Without records all closed exits of the recording are lost, whoever else may have read them.
 * Returns how many.
 */
static uint64_t count_as_dropped(struct kvm_exit_total *sum)
{
	uint64_t dropped = 0;

	for (struct kvm_exit_total *total = sum; total < sum + KVM_EXIT_TOTAL_SLOTS; total++) {
		total->dropped += total->recorded + total->filtered + total->unread;
		total->recorded = 0;
		total->filtered = 0;
		total->unread = 0;
		dropped += total->dropped;
	}
	return dropped;
}

/* Takes the totals of before the recording off @sum. */
static void subtract_base(const struct ring *ring, struct kvm_exit_total *sum)
{
	const struct kvm_exit_total *base = ring->base;

	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++, sum++, base++) {
		sum->count -= base->count;
		sum->synthesized -= base->synthesized;
		sum->cycles -= base->cycles;
		sum->halted_cycles -= base->halted_cycles;
		sum->userspace_cycles -= base->userspace_cycles;
		sum->preempted_cycles -= base->preempted_cycles;
		sum->recorded -= base->recorded;
		sum->dropped -= base->dropped;
		sum->filtered -= base->filtered;
		sum->unread -= base->unread;
		sum->polled_cycles -= base->polled_cycles;
	}
}

void ring_end(struct ring *ring)
{
	struct kvm_exit_total *sum = ring->sum;

	ring->gone = is_gone(ring);
	if (!snapshot(ring, sum, &ring->end_seq, &ring->end_tsc))
		ring->unverified = true;
	ring->open_exits = (uint32_t)open_exits(sum);

	subtract_base(ring, sum);
	if (ring->lost)
		ring->end_seq = ring->first_seq + count_as_dropped(sum);
	for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		ring->filtered += sum[i].filtered;
		/* Open when the reader came: it closed later, but without a record. */
		ring->unread += sum[i].unread;
	}
}

void ring_sum(const struct ring *ring, struct kvm_exit_total *sum)
{
	if (ring->end_seq != UINT64_MAX) {
		memcpy(sum, ring->sum, TOTALS_BYTES);
		return;
	}
	ring_copy_totals(ring, sum);
	subtract_base(ring, sum);
	if (ring->lost)
		count_as_dropped(sum);
}

bool ring_copy_totals(const struct ring *ring, struct kvm_exit_total *totals)
{
	uint64_t seq, tsc;

	memset(totals, 0, TOTALS_BYTES);
	return snapshot(ring, totals, &seq, &tsc);
}

static void unmap(const void *area, size_t bytes)
{
	if (area && area != MAP_FAILED)
		munmap((void *)area, bytes);
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->meta) {
		unmap(ring->records, records_bytes(ring->meta));
		unmap(ring->totals, totals_bytes(ring->meta));
	}
	unmap(ring->tail, page);
	unmap(ring->meta, page);

	free(ring->base);
	free(ring->sum);
	free(ring->copies);
	if (ring->fd >= 0)
		close(ring->fd);

	memset(ring, 0, sizeof(*ring));
	ring->fd = -1;
}

void ring_give_end(const struct ring *ring, struct source *source, struct source_item *item)
{
	item->kind = SOURCE_END_VCPU;
	item->snapshot_tsc = ring->end_tsc;
	item->end = (struct store_vcpu_end){
		.totals = ring->sum,
		.end_seq = ring->end_seq,
		.filtered = ring->filtered,
		.unread = ring->unread,
		.vmfail = ring->meta->vmfail,
		.open_exits = ring->open_exits,
		.ended = ring->gone,
		.tid = ring->meta->tid,
	};
	source->unverified += ring->unverified;
}
