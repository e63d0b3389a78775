/* SPDX-License-Identifier: GPL-2.0-only */
/* random_records.h - records of many kinds, most of which no KVM writes */
#ifndef EXITSCOPE_SQL_CHUNK_TEST_RANDOM_RECORDS_H
#define EXITSCOPE_SQL_CHUNK_TEST_RANDOM_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi/kvm_exit_ring.h"

enum records_kind {
	RECORDS_ZERO,	/* every byte 0 */
	RECORDS_ONES,	/* every bit 1 */
	RECORDS_RANDOM, /* every byte random: no two tuples or RIPs are equal */
	RECORDS_SPARSE, /* most words 0, the others of any width: every stream begins late */
	RECORDS_LIKELY, /* as a vCPU makes them, with losses, all fields in use */
	RECORDS_BROKEN, /* the same, but seq and TSC jump both ways and cycles are not the sum */
	RECORDS_KINDS,
};

void random_records(enum records_kind kind, uint64_t *random, struct kvm_exit_record *records,
		    size_t count);

#endif
