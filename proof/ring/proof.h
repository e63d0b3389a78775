/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proof.h - kvm/ring/exit_ring_core.h under CBMC: what the proofs of both ends share
 *
 * HOW IT WORKS
 *	A proof begins in any state that the invariant allows, with any numbers of 64 bits, makes
 *	one call and shows that the invariant holds again. Whatever number of calls came before, it
 *	held: the proof is by induction, so it has no bound on the number of calls.
 *
 *	The header is compiled as it is. Only the two compiler builtins that it reads and writes
 *	shared memory with are replaced: a load gives any value at all, another one each time, as if
 *	the other side wrote in between; a store is compared with those that are allowed at that
 *	point. For the producer the shared pages lie where there is no object, so a plain access of
 *	them fails; the reader takes its geometry from the meta page, once, and finds no head there.
 *
 * BOUNDS
 *	Rings of 1, 2, 4, 8, ... 2^22 records (PROOF_COUNT_BITS; the device allows 32 to 2^22), of
 *	PROOF_RECORD_BYTES from one to the next. No loop has to be unwound: there is none.
 */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define CHECK(claim, condition) __CPROVER_assert(condition, claim)
#define ASSUME(condition)	__CPROVER_assume(condition)

uint64_t nondet_u64(void);
uint32_t nondet_u32(void);

static uint64_t proof_load(const void *address, size_t bytes, int order);
static void proof_store(const void *address, uint64_t value, int order);

#define __atomic_load_n(p, order)     ((__typeof__(*(p)))proof_load(p, sizeof(*(p)), order))
#define __atomic_store_n(p, v, order) proof_store(p, v, order)

#include "kvm/ring/exit_ring_core.h"

/* The address of a page that only the two builtins may touch: there is no object. */
#define UNREADABLE(type, number) ((type *)(uintptr_t)(0x1000u * (number)))

/* Any number of records that a ring can have. */
static uint64_t any_count(void)
{
	uint32_t bits = nondet_u32();

	ASSUME(bits <= PROOF_COUNT_BITS);
	return 1ull << bits;
}

#endif
