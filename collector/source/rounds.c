// SPDX-License-Identifier: GPL-2.0-only
/* rounds.c - reads the rings of all vCPUs in turn */
#include "collector/source/rounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "collector/host/host.h"

void rounds_init(struct rounds *rounds)
{
	*rounds = (struct rounds){.cursor = -1, .lender = -1, .closing = -1};
}

void rounds_free(struct rounds *rounds)
{
	for (int i = 0; i < rounds->count; i++) {
		if (!rounds->vcpus[i].is_closed)
			ring_close(&rounds->vcpus[i].ring);
	}
	free(rounds->vcpus);
	free(rounds->open);
}

/* Room for a new vCPU, or NULL: @fd is closed then. */
static struct rounds_vcpu *make_room(struct rounds *rounds, int fd)
{
	struct rounds_vcpu *vcpus =
		array_reserve(rounds->vcpus, (size_t)rounds->count, 1, sizeof(*vcpus));
	struct rounds_vcpu *vcpu;
	int *open;

	if (vcpus)
		rounds->vcpus = vcpus;
	open = array_reserve(rounds->open, (size_t)rounds->open_count, 1, sizeof(*open));
	if (open)
		rounds->open = open;
	if (!vcpus || !open) {
		close(fd);
		return NULL;
	}
	vcpu = &vcpus[rounds->count];
	memset(vcpu, 0, sizeof(*vcpu));
	return vcpu;
}

/* @rc: what opening the ring of the new vCPU returned. */
static int add_opened(struct rounds *rounds, struct rounds_vcpu *vcpu, int rc)
{
	if (rc) {
		ring_close(&vcpu->ring);
		return rc;
	}
	rounds->open[rounds->open_count++] = rounds->count;
	return rounds->count++;
}

int rounds_add(struct rounds *rounds, int fd)
{
	struct rounds_vcpu *vcpu = make_room(rounds, fd);

	return vcpu ? add_opened(rounds, vcpu, ring_open(&vcpu->ring, fd)) : -ENOMEM;
}

int rounds_add_lost(struct rounds *rounds, int fd, bool from_creation)
{
	struct rounds_vcpu *vcpu = make_room(rounds, fd);

	if (!vcpu)
		return -ENOMEM;
	return add_opened(rounds, vcpu, ring_open_lost(&vcpu->ring, fd, from_creation));
}

/* Closes the ring whose turn it is. */
static void close_ring(struct rounds *rounds)
{
	int *at = &rounds->open[rounds->cursor];

	ring_close(&rounds->vcpus[*at].ring);
	rounds->vcpus[*at].is_closed = true;
	rounds->open_count--;
	memmove(at, at + 1, (size_t)(rounds->open_count - rounds->cursor) * sizeof(*at));
}

int rounds_take_back(struct rounds *rounds, bool *was_gone)
{
	int closed = rounds->closing;

	if (rounds->lender >= 0)
		ring_release(&rounds->vcpus[rounds->lender].ring, rounds->lent);
	rounds->lender = -1;

	if (closed >= 0) {
		*was_gone = rounds->vcpus[closed].ring.gone;
		close_ring(rounds);
	}
	rounds->closing = -1;
	return closed;
}

static bool is_over(const struct rounds *rounds)
{
	return rounds->cursor < 0;
}

/* Begins the next round if the last one is over. */
static void end_scan(struct rounds *rounds, int64_t now_ns, bool has_more)
{
	int64_t scan_ns = now_ns - rounds->scan_start_ns;

	rounds->is_scanning = false;
	rounds->has_more = has_more;
	rounds->next_scan_ns = now_ns + (scan_ns > ROUNDS_SCAN_NS ? scan_ns : ROUNDS_SCAN_NS);
	if (!is_over(rounds))
		return;

	for (int i = 0; i < rounds->open_count; i++) {
		struct rounds_vcpu *vcpu = &rounds->vcpus[rounds->open[i]];

		vcpu->budget = vcpu->ring.meta->record_count;
	}
	rounds->cursor = 0;
}

bool rounds_needs_rings(struct rounds *rounds, int64_t now_ns)
{
	if (rounds->is_scanning) {
		if (now_ns - rounds->scan_start_ns < ROUNDS_SCAN_NS)
			return true;
		end_scan(rounds, now_ns, true);
		return false;
	}
	if (!is_over(rounds) && now_ns < rounds->next_scan_ns)
		return false;

	rounds->is_scanning = true;
	rounds->scan_start_ns = now_ns;
	return true;
}

void rounds_go_on(struct rounds *rounds, int64_t now_ns)
{
	end_scan(rounds, now_ns, false);
}

/* Where Linux could not measure the TSC against another clock, rings have 0. */
static uint32_t find_tsc_khz(struct rounds *rounds, const struct kvm_exit_ring_meta *meta)
{
	if (meta->tsc_khz)
		return meta->tsc_khz;

	/* Once: it takes 20 ms, and a run has one frequency. */
	if (!rounds->tsc_khz)
		rounds->tsc_khz = host_measure_tsc_khz();
	return rounds->tsc_khz;
}

void rounds_give_vcpu(struct rounds *rounds, int number, struct source *source,
		      struct source_item *item)
{
	const struct ring *ring = &rounds->vcpus[number].ring;
	const struct kvm_exit_ring_meta *meta = ring->meta;

	source->info.isa = meta->isa;
	source->info.tsc_khz = find_tsc_khz(rounds, meta);
	run_info_set_features(&source->info, meta->features);
	host_comm(meta->tgid, rounds->comm, sizeof(rounds->comm));

	item->kind = SOURCE_VCPU;
	item->vcpu = number;
	item->created_tsc = meta->tsc_base;
	item->snapshot_tsc = ring->begin_tsc;
	item->open_at_start = ring->open_at_start;
	item->info = (struct store_vcpu){
		.comm = rounds->comm,
		.vm_id = meta->vm_id,
		.ring_id = meta->ring_id,
		.tgid = meta->tgid,
		.vcpu_id = meta->vcpu_id,
		.first_seq = ring->first_seq,
		.tid = meta->tid,
	};
}

/* Hands on what vCPU @number has: records, its end, or nothing. */
static void read_ring(struct rounds *rounds, int number, struct source *source,
		      struct source_item *item)
{
	struct rounds_vcpu *vcpu = &rounds->vcpus[number];
	uint32_t n;

	/* The end is set before the last records are read: it says which are the last ones. */
	if (!vcpu->is_ended && (rounds->is_stopping || ring_is_finished(&vcpu->ring))) {
		ring_end(&vcpu->ring);
		vcpu->is_ended = true;
	}

	n = ring_peek(&vcpu->ring, &item->records);
	if (n > vcpu->budget)
		n = vcpu->budget;
	item->vcpu = number;

	if (n) {
		item->kind = SOURCE_RECORDS;
		item->count = n;
		vcpu->budget -= n;
		rounds->lender = number;
		rounds->lent = n;
	} else if (vcpu->is_ended && vcpu->budget) {
		ring_give_end(&vcpu->ring, source, item);
		rounds->closing = number;
	}
}

void rounds_next(struct rounds *rounds, struct source *source, struct source_item *item)
{
	item->kind = SOURCE_NOTHING;
	for (; rounds->cursor < rounds->open_count; rounds->cursor++) {
		read_ring(rounds, rounds->open[rounds->cursor], source, item);
		if (item->kind != SOURCE_NOTHING)
			return;
	}
	rounds->cursor = -1;

	if (rounds->is_stopping && !rounds->has_more && !rounds->open_count) {
		source->info.tsc_end = host_tsc();
		source->info.ended_ns = host_realtime_ns();
		item->kind = SOURCE_FINISHED;
	}
}

int rounds_read_totals(const struct rounds *rounds, source_see_totals *see, void *context)
{
	struct kvm_exit_total *sum = malloc(KVM_EXIT_TOTAL_SLOTS * sizeof(*sum));

	if (!sum)
		return -ENOMEM;
	for (int i = 0; i < rounds->open_count; i++) {
		ring_sum(&rounds->vcpus[rounds->open[i]].ring, sum);
		see(context, rounds->open[i], sum);
	}
	free(sum);
	return 0;
}
