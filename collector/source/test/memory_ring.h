/* SPDX-License-Identifier: GPL-2.0-only */
/* memory_ring.h - a ring in a file in memory, as the device maps it; the test is its producer */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TEST_MEMORY_RING_H
#define EXITSCOPE_COLLECTOR_SOURCE_TEST_MEMORY_RING_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/ring/exit_ring_core.h"

struct memory_ring {
	struct exit_ring_producer producer;
	struct kvm_exit_ring_meta *meta;
	struct kvm_exit_total *totals;
	int fd; /* for ring_open() */
};

/* Makes an empty ring of @records records, a power of two. It stays mapped. */
static inline struct memory_ring memory_ring_make(uint32_t records)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t totals = KVM_EXIT_TOTAL_SLOTS * sizeof(struct kvm_exit_total);
	size_t bytes = 2 * page + totals + records * sizeof(struct kvm_exit_record);
	struct memory_ring ring = {.fd = memfd_create("ring", MFD_CLOEXEC)};
	char *area;

	if (ring.fd < 0 || ftruncate(ring.fd, (off_t)bytes))
		exit(1);
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, 0);
	if (area == MAP_FAILED)
		exit(1);

	ring.meta = (void *)area;
	ring.totals = (void *)(area + 2 * page);
	*ring.meta = (struct kvm_exit_ring_meta){
		.magic = KVM_EXIT_RING_MAGIC,
		.abi = KVM_EXIT_RING_ABI,
		.record_bytes = sizeof(struct kvm_exit_record),
		.record_count = records,
		.totals_offset = (__u32)(2 * page),
		.records_offset = (__u32)(2 * page + totals),
		.total_bytes = sizeof(struct kvm_exit_total),
		.total_slots = KVM_EXIT_TOTAL_SLOTS,
	};
	ring.producer = (struct exit_ring_producer){
		.meta = ring.meta,
		.tail = (void *)(area + page),
		.records = (void *)(area + 2 * page + totals),
		.mask = records - 1,
	};
	return ring;
}

#endif
