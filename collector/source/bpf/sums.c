// SPDX-License-Identifier: GPL-2.0-only
/* sums.c - reads totals and histograms that grow; see sums.h */
#include "collector/source/bpf/sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A try takes a few microseconds: as long as a vCPU that is busy with nothing but exits needs. */
#define TRIES 200

int sums_begin(struct sums_vcpu *vcpu, const struct bpf_hists *hists)
{
	*vcpu = (struct sums_vcpu){
		.hists = hists,
		.seen = calloc(BPF_HIST_ROWS, sizeof(*vcpu->seen)),
	};
	return vcpu->seen ? 0 : -ENOMEM;
}

void sums_end(struct sums_vcpu *vcpu)
{
	free(vcpu->seen);
	vcpu->seen = NULL;
}

static uint64_t load(const __u64 *p)
{
	return exit_ring_load_acquire(p);
}

/* Copies a row. Returns the exits that it has more than before. */
static uint64_t copy_row(const struct sums_vcpu *vcpu, uint32_t row, struct sums_reading *reading)
{
	uint64_t more = 0;

	for (uint32_t i = 0; i < BPF_HIST_BUCKETS; i++) {
		reading->n[i] = load(&vcpu->hists->n[row][i]);
		more += (uint32_t)(reading->n[i] - vcpu->seen[row][i]);
	}
	return more;
}

/*
 * Copies a row, and the totals of the same exits. An exit is in its row before it is in the
 * totals: where both have as many, they are the same.
 */
static int copy_both(const struct sums_vcpu *vcpu, const struct ring *ring, uint32_t row,
		     struct sums_reading *reading, struct sums_row *now)
{
	uint8_t slot = vcpu->hists->slot_of[row];

	for (int i = 0; i < TRIES; i++) {
		uint64_t more;

		now->user = load(&vcpu->hists->user[row]);
		now->nested = load(&vcpu->hists->nested[row]);
		more = copy_row(vcpu, row, reading);

		if (!ring_copy_totals(ring, reading->totals))
			return -EAGAIN;
		now->total = reading->totals[slot];
		if (now->total.recorded - vcpu->rows[row].total.recorded == more &&
		    now->user == load(&vcpu->hists->user[row]) &&
		    now->nested == load(&vcpu->hists->nested[row]))
			return 0;
	}
	return -EAGAIN;
}

/* Takes both counts of each bucket apart; see hists.h. */
static void take_buckets(struct sums_vcpu *vcpu, uint32_t row, struct sums_reading *reading)
{
	for (uint32_t i = 0; i < BPF_HIST_BUCKETS; i++) {
		uint64_t more = reading->n[i] - vcpu->seen[row][i];

		reading->total[i] = (uint32_t)more;
		reading->handler[i] = (uint32_t)(more >> 32);
		if (more)
			vcpu->seen[row][i] = reading->n[i];
	}
}

int sums_read(struct sums_vcpu *vcpu, const struct ring *ring, uint32_t row,
	      struct sums_reading *reading)
{
	struct sums_row *old = &vcpu->rows[row];
	struct sums_row now;
	uint8_t slot;
	int rc;

	if (row >= load(&vcpu->hists->used))
		return 0;
	slot = vcpu->hists->slot_of[row];
	if (load(&ring->totals[slot].recorded) == old->total.recorded)
		return 0;

	rc = copy_both(vcpu, ring, row, reading, &now);
	if (rc)
		return rc;

	take_buckets(vcpu, row, reading);
	reading->sums = (struct store_sums){
		.slot = slot,
		.buckets = BPF_HIST_BUCKETS,
		.n = now.total.recorded - old->total.recorded,
		.cycles = now.total.cycles - old->total.cycles,
		.halted_cycles = now.total.halted_cycles - old->total.halted_cycles,
		.userspace_cycles = now.total.userspace_cycles - old->total.userspace_cycles,
		.preempted_cycles = now.total.preempted_cycles - old->total.preempted_cycles,
		.polled_cycles = now.total.polled_cycles - old->total.polled_cycles,
		.n_user = now.user - old->user,
		.n_nested = now.nested - old->nested,
		.total = reading->total,
		.handler = reading->handler,
	};
	*old = now;
	return 1;
}
