/* SPDX-License-Identifier: GPL-2.0-only */
/* ring.h - one attached ring: its mappings and its exact window */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_RING_H
#define EXITSCOPE_COLLECTOR_SOURCE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/source.h"
#include "kvm/ring/exit_ring_core.h"

/*
 * struct ring - an attached ring; cycles and times are of the TSC
 * @fd:		attached to the ring; closed by ring_close()
 *
 * The recording covers the records with first_seq <= seq < end_seq:
 * @end_seq:	UINT64_MAX until ring_end()
 * @base:	totals at first_seq, KVM_EXIT_TOTAL_SLOTS of them
 * @begin_tsc:	when the totals were those of @base; 0: at the vCPU's creation
 * @open_at_start: an exit was open at first_seq
 * @open_kind_unknown: whether that exit is real or synthesized; its record shows it
 * @open_slot:	slot of that exit, while its kind is unknown
 * @unread:	exits before the recording
 * @unverified:	no consistent copy of the totals could be made, of those at first_seq or at end_seq
 *
 * After ring_end():
 * @end_tsc:	when the recording ended
 * @sum:	totals of the recording
 * @open_exits:	1: an exit had not re-entered at end_seq
 * @filtered:	exits of the recording that a filter left out
 * @gone:	the vCPU had been destroyed
 *
 * @lost:	it has totals and no records: ring_open_lost()
 */
struct ring {
	int fd;
	struct exit_ring_reader reader;
	const struct kvm_exit_ring_meta *meta;
	const struct kvm_exit_total *totals;
	struct kvm_exit_ring_tail *tail;
	const struct kvm_exit_record *records;
	struct kvm_exit_record *copies; /* what ring_peek() gives, of longer records; else NULL */

	uint64_t first_seq;
	uint64_t end_seq;
	struct kvm_exit_total *base;
	uint64_t begin_tsc;
	bool open_at_start;
	bool open_kind_unknown;
	unsigned int open_slot;
	uint64_t unread;
	bool unverified;

	uint64_t end_tsc;
	struct kvm_exit_total *sum;
	uint32_t open_exits;
	uint64_t filtered;
	bool gone;

	bool lost;
};

/*
 * Map the ring that @fd is attached to and set where its recording begins. Returns 0 or -errno;
 * -EPROTO: the kernel has another version of the ABI. Call ring_close() in either case.
 */
int ring_open(struct ring *ring, int fd);

/*
 * ring_open() for a ring whose records found no memory, with @fd attached to its totals alone
 * (KVM_EXIT_ATTACH_TOTALS). All its exits during the recording count as dropped. The recording
 * begins with the vCPU's first exit if @from_creation, else now.
 */
int ring_open_lost(struct ring *ring, int fd, bool from_creation);

/* Whether the vCPU is gone and every record of it was read. */
bool ring_is_finished(const struct ring *ring);

/*
 * Return the number of records of the recording that can be read from @first on. They stay until
 * ring_release() hands the oldest @count of them back to the kernel.
 */
uint32_t ring_peek(struct ring *ring, const struct kvm_exit_record **first);
void ring_release(struct ring *ring, uint32_t count);

/*
 * End the recording at this instant: what was published by now still comes, and the totals are
 * those of exactly these records (and of the lost ones).
 */
void ring_end(struct ring *ring);

/*
 * Copy the totals of one time to @totals[KVM_EXIT_TOTAL_SLOTS], all since the vCPU's creation.
 * False: they changed at every try.
 */
bool ring_copy_totals(const struct ring *ring, struct kvm_exit_total *totals);

/* Sets @sum[KVM_EXIT_TOTAL_SLOTS] to the totals of the recording up to now, or up to ring_end(). */
void ring_sum(const struct ring *ring, struct kvm_exit_total *sum);

/* Unmap the ring and close its file; it may be called twice. */
void ring_close(struct ring *ring);

/*
 * Fill @item with the end of the vCPU that @ring is of, after ring_end(); @source counts totals
 * that could not be copied consistently. The caller sets item->vcpu.
 */
void ring_give_end(const struct ring *ring, struct source *source, struct source_item *item);

#endif
