/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * synthetic.h - made-up records with known sums
 *
 * Not a recording of anything: for tests and benchmarks only. The same seed
 * gives the same records on every machine.
 */
#ifndef EXITSCOPE_SQL_STORE_TEST_SYNTHETIC_H
#define EXITSCOPE_SQL_STORE_TEST_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"

#define SYNTHETIC_TSC_KHZ   1000000U
#define SYNTHETIC_TSC_START UINT64_C(1000000000000)

struct synthetic {
	uint64_t random;
	uint64_t tsc;
	uint64_t seq;
	uint32_t vcpu_id;
	uint32_t lose_one_in;  /* lose 1 to 3 records at every n-th on average; 0: none */
	uint64_t guest_cycles; /* in the guest before each exit, in addition to a few thousand */
	uint64_t lost;
	struct kvm_exit_total totals[KVM_EXIT_TOTAL_SLOTS];
};

void synthetic_init(struct synthetic *s, uint32_t vcpu_id, uint64_t seed);

/* The next @count records; sums them up in totals and lost. */
void synthetic_fill(struct synthetic *s, struct kvm_exit_record *records, size_t count);

/* The vCPU is destroyed: makes @last, which synthetic_fill() made last, its end. */
void synthetic_end(struct synthetic *s, struct kvm_exit_record *last);

#endif
