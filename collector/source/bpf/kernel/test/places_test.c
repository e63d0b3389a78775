// SPDX-License-Identifier: GPL-2.0-only
/* places_test.c - every vCPU and every thread has a place in a table that is far from full */
#include "collector/source/bpf/kernel/places.h"

#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "collector/source/bpf/kernel/shared.h"
#include "kvm/test/common/check.h"

#define KVM_MAX_VCPUS 1024U
#define RUNS	      300U
/* struct vcpu_svm: as many as fit are in a slab of 32 KiB. */
#define VCPU_BYTES     10624U
#define SLAB_BYTES     32768U
#define VCPUS_PER_SLAB (SLAB_BYTES / VCPU_BYTES)

static __u64 table[BPF_THREADS];

static bool takes_place(__u64 key, __u32 size)
{
	for (__u32 n = 0; n < BPF_PROBES; n++) {
		__u32 place = place_in(key, n, size);

		CHECK(place < size);
		if (table[place])
			continue;
		table[place] = key;
		return true;
	}
	return false;
}

/* A VM with as many vCPUs as KVM allows, in slabs all over the memory. */
static __u32 vcpus_without_place(uint64_t *state)
{
	__u64 slab = 0;
	__u32 without = 0;

	memset(table, 0, sizeof(table));
	for (__u32 i = 0; i < KVM_MAX_VCPUS; i++) {
		if (i % VCPUS_PER_SLAB == 0)
			slab = random_next(state) % (1U << 22) * SLAB_BYTES;
		without += !takes_place(0xffff888000000000ULL + slab +
						(__u64)(i % VCPUS_PER_SLAB) * VCPU_BYTES,
					BPF_VCPUS);
	}
	return without;
}

static void test_vcpus(void)
{
	uint64_t state = 1;
	__u32 without = 0;

	for (__u32 run = 0; run < RUNS; run++)
		without += vcpus_without_place(&state);
	CHECK(without == 0);
}

/* VMs that began when the process ids had gone round the table once, twice, ... */
static void test_threads(void)
{
	memset(table, 0, sizeof(table));
	for (__u32 vm = 0; vm < 16; vm++)
		for (__u32 i = 0; i < 128; i++)
			CHECK(takes_place(5000 + vm * BPF_THREADS + i, BPF_THREADS));
}

int main(void)
{
	test_vcpus();
	test_threads();
	return 0;
}
