// SPDX-License-Identifier: GPL-2.0-only
/* ring.c - snapshots of a ring's totals, and its records in order */
#include "collector/source/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define TOTALS_BYTES (KVM_EXIT_TOTAL_SLOTS * sizeof(struct kvm_exit_total))

/* How often to copy totals that a busy vCPU changes meanwhile. */
#define SNAPSHOT_TRIES 100000

/*
 * One field of the shared areas; the vCPU thread may write it at any time. The
 * acquire keeps what is read behind it from being read before it.
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
}

/* Exits of a slot that are not closed yet. */
static uint64_t slot_open(const struct kvm_exit_total *t)
{
	return t->count + t->synthesized - t->recorded - t->dropped - t->filtered - t->unread;
}

/* Exits that the copied totals know of but that are not closed. */
static uint64_t open_exits(const struct kvm_exit_total *totals)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
		n += slot_open(&totals[i]);
	return n;
}

/*
 * Whether the copied totals and @seq are of an instant at which the vCPU was not just
 * closing an exit (struct kvm_exit_total): one exit is open, but for a vCPU that has
 * had none yet, or is @gone.
 */
static int agree(const struct kvm_exit_total *totals, uint64_t seq, int gone)
{
	uint64_t exits = 0;
	unsigned int i;

	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		seq -= totals[i].recorded + totals[i].dropped;
		exits += totals[i].count + totals[i].synthesized;
	}
	return !seq && open_exits(totals) == (exits && !gone);
}

/* Not before what stands before it, and before what stands behind it. */
static uint64_t ordered_tsc(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

static int is_gone(const struct ring *ring)
{
	return exit_ring_load_acquire(&ring->meta->state) == KVM_EXIT_RING_DEAD;
}

/*
 * Copies the totals and the seq of one instant: two copies must be the same and make
 * sense. Only slots in use are copied, so that a try takes less time than a VM exit; a
 * slot that comes into use meanwhile shows as a sum that is wrong. @tsc: that instant.
 */
static uint64_t snapshot(const struct ring *ring, struct kvm_exit_total *totals, uint64_t *tsc)
{
	unsigned int used[KVM_EXIT_TOTAL_SLOTS];
	unsigned int count = 0;
	unsigned int i;
	uint64_t seq = 0;
	int tries;

	for (tries = 0; tries < SNAPSHOT_TRIES; tries++) {
		struct kvm_exit_total copy = {0};
		int gone = is_gone(ring);
		int same = 1;

		if (tries % 16 == 0) {
			count = 0;
			for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
				if (load(&ring->totals[i].count) ||
				    load(&ring->totals[i].synthesized))
					used[count++] = i;
		}
		seq = load(&ring->meta->seq);
		for (i = 0; i < count; i++)
			copy_total(&totals[used[i]], &ring->totals[used[i]]);
		*tsc = ordered_tsc();
		for (i = 0; same && i < count; i++) {
			copy_total(&copy, &ring->totals[used[i]]);
			same = !memcmp(&copy, &totals[used[i]], sizeof(copy));
		}
		if (same && load(&ring->meta->seq) == seq && agree(totals, seq, gone))
			break;
	}
	return seq;
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
	    meta->record_bytes != sizeof(struct kvm_exit_record) ||
	    meta->total_bytes != sizeof(struct kvm_exit_total) ||
	    meta->total_slots != KVM_EXIT_TOTAL_SLOTS)
		return -EPROTO;
	ring->tail = (void *)map(ring->fd, page, page, PROT_READ | PROT_WRITE);
	ring->totals = map(ring->fd, TOTALS_BYTES, meta->totals_offset, PROT_READ);
	ring->records = map(ring->fd, (size_t)meta->record_count * sizeof(*ring->records),
			    meta->records_offset, PROT_READ);
	if (ring->tail == MAP_FAILED || ring->totals == MAP_FAILED || ring->records == MAP_FAILED)
		return -errno;
	return 0;
}

/*
 * A ring that recorded from its vCPU's first exit on is taken from there. One
 * that begins in the middle is taken from the instant of the snapshot; the exit
 * that is open then belongs to the recording, for its record is yet to come.
 */
static void begin(struct ring *ring)
{
	struct kvm_exit_total *base = ring->base;
	uint64_t seq;
	unsigned int i;

	exit_ring_reader_init(&ring->reader, ring->meta, ring->tail, ring->records);
	ring->end_seq = UINT64_MAX;
	seq = snapshot(ring, base, &ring->begin_tsc);
	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
		ring->unread += base[i].unread;
	if (!ring->unread && !ring->meta->attached_seq) {
		memset(base, 0, TOTALS_BYTES);
		ring->begin_tsc = 0;
		return;
	}
	ring->first_seq = seq;
	ring->open_first = (int)open_exits(base);
	ring->unread = 0;
	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++) {
		if (base[i].count > base[i].synthesized)
			base[i].count -= slot_open(&base[i]);
		else
			base[i].synthesized -= slot_open(&base[i]);
		/* Also those recorded between the attach and the snapshot, or for an earlier
		 * reader. */
		ring->unread += base[i].count + base[i].synthesized;
	}
}

int ring_open(struct ring *ring, int fd)
{
	int rc;

	memset(ring, 0, sizeof(*ring));
	ring->fd = fd;
	ring->base = calloc(KVM_EXIT_TOTAL_SLOTS, sizeof(*ring->base));
	ring->sum = calloc(KVM_EXIT_TOTAL_SLOTS, sizeof(*ring->sum));
	rc = ring->base && ring->sum ? map_areas(ring) : -ENOMEM;
	if (!rc)
		begin(ring);
	return rc;
}

uint32_t ring_take(struct ring *ring, const struct kvm_exit_record **first)
{
	uint32_t n = exit_ring_peek(&ring->reader, first);
	uint32_t skip = 0;

	while (skip < n && (*first)[skip].seq < ring->first_seq)
		skip++;
	if (skip) {
		exit_ring_advance(&ring->reader, skip);
		*first += skip;
		n -= skip;
		if (!n)
			return ring_take(ring, first);
	}
	/* Records are in seq order: only the last ones can be too late. */
	while (n && (*first)[n - 1].seq >= ring->end_seq)
		n--;
	return n;
}

void ring_release(struct ring *ring, uint32_t count)
{
	exit_ring_advance(&ring->reader, count);
}

void ring_end(struct ring *ring)
{
	struct kvm_exit_total *sum = ring->sum;
	const struct kvm_exit_total *base = ring->base;
	unsigned int i;

	ring->gone = is_gone(ring);
	ring->end_seq = snapshot(ring, sum, &ring->end_tsc);
	ring->open_exits = (uint32_t)open_exits(sum);
	for (i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++, sum++, base++) {
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
		ring->filtered += sum->filtered;
		/* Open when the reader came: it closed later, but without a record. */
		ring->unread += sum->unread;
	}
}

static void unmap(const void *area, size_t bytes)
{
	if (area && area != MAP_FAILED)
		munmap((void *)area, bytes);
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->meta)
		unmap(ring->records, (size_t)ring->meta->record_count * sizeof(*ring->records));
	unmap(ring->totals, TOTALS_BYTES);
	unmap(ring->tail, page);
	unmap(ring->meta, page);
	free(ring->base);
	free(ring->sum);
	if (ring->fd >= 0)
		close(ring->fd);
	memset(ring, 0, sizeof(*ring));
	ring->fd = -1;
}
