/* SPDX-License-Identifier: GPL-2.0-only */
/* ring.h - one attached ring: its mappings and its exact window */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_RING_H
#define EXITSCOPE_COLLECTOR_SOURCE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/source.h"
#include "kvm/ring/exit_ring_core.h"

struct ring {
	int fd;
	struct exit_ring_reader reader;
	const struct kvm_exit_ring_meta *meta;
	const struct kvm_exit_total *totals;
	struct kvm_exit_ring_tail *tail;
	const struct kvm_exit_record *records;

	/* The recording covers the records with first_seq <= seq < end_seq. */
	uint64_t first_seq;
	uint64_t end_seq;	     /* UINT64_MAX until ring_end() */
	struct kvm_exit_total *base; /* totals at first_seq */
	uint64_t begin_tsc;	     /* TSC when they were that; 0: the vCPU's creation */
	uint64_t end_tsc;	     /* after ring_end(): TSC when the recording ended */
	bool open_first;	     /* an exit was open at first_seq */
	bool open_kind_unknown;	     /* whether it is real or synthesized; its record shows it */
	unsigned int open_slot;	     /* of that exit, while its kind is unknown */
	bool gone;		     /* after ring_end(): the vCPU had been destroyed */
	bool unverified;	     /* no consistent copy of the totals at the begin or the end */
	struct kvm_exit_total *sum;  /* after ring_end(): totals of the recording */
	uint32_t open_exits;	     /* 1: an exit had not re-entered at end_seq */
	uint64_t unread;	     /* exits before this recording */
	uint64_t filtered;
};

/* Maps the ring that @fd is attached to and sets where its recording begins.
 * -EPROTO: the kernel speaks another ABI.
 */
int ring_open(struct ring *ring, int fd);

/* The next records of the recording; they stay until ring_release(). */
uint32_t ring_take(struct ring *ring, const struct kvm_exit_record **first);
void ring_release(struct ring *ring, uint32_t count);

/*
 * Ends the recording at this instant: what was published by now still comes,
 * and the totals are those of exactly these records (and of the lost ones).
 */
void ring_end(struct ring *ring);

void ring_close(struct ring *ring);

/*
 * Fill @item with the end of the vCPU that @ring is of, after ring_end(); @source counts totals
 * that could not be copied consistently. The caller sets item->vcpu.
 */
void ring_give_end(const struct ring *ring, struct source *source, struct source_item *item);

#endif
