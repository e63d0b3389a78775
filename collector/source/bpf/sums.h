/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sums.h - what came to a vCPU's totals and histograms since they were read last
 *
 * The vCPU counts on meanwhile. A row of the histograms is read until its counts add up to the
 * count of records in a consistent copy of the totals, so times and durations are of the same
 * exits.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_SUMS_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_SUMS_H

#include <stdint.h>

#include "collector/source/bpf/kernel/hists.h"
#include "collector/source/ring.h"
#include "sql/store/store.h"

/* What was read of a row so far. */
struct sums_row {
	struct kvm_exit_total total;
	uint64_t user, nested;
};

/*
 * struct sums_vcpu - of one vCPU
 * @hists:	as the vCPU writes them
 * @seen:	hists->n as it was read last; its pages take memory once they are used
 */
struct sums_vcpu {
	const struct bpf_hists *hists;
	struct sums_row rows[BPF_HIST_ROWS];
	uint64_t (*seen)[BPF_HIST_BUCKETS];
};

/*
 * struct sums_reading - room for one reading
 * @sums:	its result; points into the rest
 */
struct sums_reading {
	struct store_sums sums;
	uint32_t total[BPF_HIST_BUCKETS];
	uint32_t handler[BPF_HIST_BUCKETS];
	uint64_t n[BPF_HIST_BUCKETS];
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
};

/* A vCPU whose totals are 0 now. -ENOMEM. */
int sums_begin(struct sums_vcpu *vcpu, const struct bpf_hists *hists);

/* It may be called twice. */
void sums_end(struct sums_vcpu *vcpu);

/*
 * Read row @row of @vcpu, whose totals are those of @ring, into @reading; all but the times of
 * @reading->sums is filled in.
 * Return: 1, 0: no exit was added, or it has no such row; -EAGAIN: the vCPU changed it at every try
 */
int sums_read(struct sums_vcpu *vcpu, const struct ring *ring, uint32_t row,
	      struct sums_reading *reading);

#endif
