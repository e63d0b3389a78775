/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hists.h - histograms of durations that the programs count, with --counts-only
 *
 * After the records of a ring, one row per reason that the vCPU has had. The buckets are those of
 * sql/hist.h, so that the database's histograms are of one kind. A bucket has two counts in one
 * number: exits by their whole time (low 32 bits) and by the handler's time (high 32 bits). Most
 * exits have nothing but the handler's time, and one addition counts both.
 *
 * The counts wrap. The difference between two readings, as a number of 64 bits, has both counts in
 * its halves as long as neither has grown by 2^32 in between: a carry of the low half is in both.
 */
#ifndef EXITSCOPE_BPF_HISTS_H
#define EXITSCOPE_BPF_HISTS_H

#include "kvm/uapi/kvm_exit_ring.h"

#define BPF_HIST_ROWS 24U /* reasons of one vCPU; few have more than 15 */

/* Up to 2^48 cycles, a day at 3 GHz. What takes longer is in the last bucket. */
#define BPF_HIST_BUCKETS 2752U

#define BPF_HIST_TOTAL	 1ULL
#define BPF_HIST_HANDLER (1ULL << 32)

/* Written by the thread of the vCPU, before the totals of the same exit. */
struct bpf_hists {
	__u8 row_of[KVM_EXIT_TOTAL_SLOTS]; /* 1 + row of a slot of the totals; 0: none yet */
	__u8 slot_of[BPF_HIST_ROWS];
	__u64 used;		     /* rows */
	__u64 user[BPF_HIST_ROWS];   /* exits that returned to user space */
	__u64 nested[BPF_HIST_ROWS]; /* exits of a nested guest */
	__u64 n[BPF_HIST_ROWS][BPF_HIST_BUCKETS];
};

/*
 * By how much hist_bucket() of sql/hist.h shifts a value below 2^48: its highest bit - 6, or 0. BPF
 * has no bit scan, so comparisons find it, five or six of them for most exits.
 */
#define BPF_BELOW(bit)	 (cycles < 1ULL << (bit))
#define BPF_TWO(bit)	 (BPF_BELOW((bit) + 1) ? (bit)-6 : (bit)-5)
#define BPF_FOUR(bit)	 (BPF_BELOW((bit) + 2) ? BPF_TWO(bit) : BPF_TWO((bit) + 2))
#define BPF_EIGHT(bit)	 (BPF_BELOW((bit) + 4) ? BPF_FOUR(bit) : BPF_FOUR((bit) + 4))
#define BPF_SIXTEEN(bit) (BPF_BELOW((bit) + 8) ? BPF_EIGHT(bit) : BPF_EIGHT((bit) + 8))

static inline __attribute__((always_inline)) __u32 bpf_hist_shift(__u64 cycles)
{
	if (BPF_BELOW(22))
		return BPF_SIXTEEN(6);
	return BPF_BELOW(38) ? BPF_SIXTEEN(22) : BPF_SIXTEEN(38);
}

/* hist_bucket() of sql/hist.h, at most the last bucket. */
static inline __attribute__((always_inline)) __u32 bpf_hist_bucket(__u64 cycles)
{
	__u32 shift = bpf_hist_shift(cycles);
	__u64 bucket = ((__u64)shift << 6) + (cycles >> shift);

	return bucket < BPF_HIST_BUCKETS ? bucket : BPF_HIST_BUCKETS - 1;
}

#endif
