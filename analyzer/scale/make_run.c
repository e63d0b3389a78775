// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_run - append a run of made-up exits to a database, for tests and benches
 *
 *	make_run DATABASE RECORDS raw|no-raw|compact [SEED]
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"

#define BATCH	  4096U
#define PER_FLUSH (1U << 20)
#define VCPUS	  4

static struct synthetic synthetic[VCPUS];

static int begin(struct store *store, const char *mode)
{
	const struct store_run run = {
		.label = "made-up",
		.source = "capture",
		.collector = "make_run",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = SYNTHETIC_TSC_KHZ,
		.tsc_start = SYNTHETIC_TSC_START,
		.raw = strcmp(mode, "no-raw"),
		.compact = !strcmp(mode, "compact"),
		.split = 1,
	};
	struct store_vcpu vcpu = {.vm_id = 1};
	int number, rc = store_begin(store, &run);

	for (; !rc && vcpu.vcpu_id < VCPUS; vcpu.vcpu_id++) {
		vcpu.ring_id = vcpu.vcpu_id + 1;
		rc = store_add_vcpu(store, &vcpu, &number);
	}
	return rc;
}

static int fill(struct store *store, uint64_t records, uint64_t seed)
{
	static struct kvm_exit_record batch[BATCH];
	uint64_t done = 0;
	int rc = 0;

	for (unsigned int i = 0; i < VCPUS; i++) {
		synthetic_init(&synthetic[i], i, seed);
		synthetic[i].lose_one_in = 1000;
	}
	while (!rc && done < records) {
		int vcpu = (int)(done / BATCH % VCPUS);
		uint64_t n = records - done < BATCH ? records - done : BATCH;

		synthetic_fill(&synthetic[vcpu], batch, n);
		rc = store_append(store, vcpu, batch, n);
		done += n;
		if (!rc && done % PER_FLUSH == 0)
			rc = store_flush(store);
	}
	return rc;
}

static int finish(struct store *store)
{
	uint64_t end = 0;
	int rc = 0;

	for (int i = 0; i < VCPUS && !rc; i++) {
		const struct store_vcpu_end last = {.end_seq = synthetic[i].seq};

		if (synthetic[i].tsc > end)
			end = synthetic[i].tsc;
		rc = store_end_vcpu(store, i, &last);
	}
	return rc ? rc : store_finish(store, "complete", end + 1, 0);
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	int rc;

	if (argc < 4 || argc > 5) {
		fputs("usage: make_run DATABASE RECORDS raw|no-raw|compact [SEED]\n", stderr);
		return 1;
	}
	rc = store_open(argv[1], &store);
	if (!rc)
		rc = begin(store, argv[3]);
	if (!rc)
		rc = fill(store, strtoull(argv[2], NULL, 10),
			  argc > 4 ? strtoull(argv[4], NULL, 10) : 1);
	if (!rc)
		rc = finish(store);
	if (rc)
		fprintf(stderr, "make_run: %s: %s\n", argv[1], store_strerror(store, rc));
	store_close(store);
	return rc ? 1 : 0;
}
