// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_run - append a run of made-up exits to a database, for tests and benches
 *
 *	make_run DATABASE RECORDS raw|no-raw|compact [SEED [VCPUS SECONDS]]
 *	make_run DATABASE RECORDS raw|no-raw|compact CAPTURE.cap[.gz]
 *
 * Of 4 vCPUs, without a pause between their exits, or of VCPUS (1 to 1024) in about SECONDS; or of
 * 4 vCPUs that repeat a recording with noise on its times (sql/store/test/recorded.h).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/store.h"
#include "sql/store/test/recorded.h"
#include "sql/store/test/synthetic.h"

#define BATCH	   4096U
#define PER_FLUSH  (1U << 20)
#define VCPUS_MOST 1024

/*
 * struct shape - what is made
 * @capture: what is repeated; NULL: records are made up
 * @batch: records of a vCPU that are stored at once
 * @guest_cycles: between its exits
 */
struct shape {
	const char *capture;
	uint64_t records;
	uint64_t seed;
	uint64_t guest_cycles;
	uint32_t vcpus;
	uint32_t batch;
	bool raw;
	bool compact;
};

static struct synthetic synthetic[VCPUS_MOST];

static struct recording recording = {
	.isa = KVM_EXIT_ISA_VMX,
	.tsc_khz = SYNTHETIC_TSC_KHZ,
	.tsc_start = SYNTHETIC_TSC_START,
};
static struct repeat repeat[VCPUS_MOST];

static int begin(struct store *store, const struct shape *shape)
{
	const struct store_run run = {
		.label = "made-up",
		.source = "capture",
		.collector = "make_run",
		.isa = recording.isa,
		.tsc_khz = recording.tsc_khz,
		.tsc_start = recording.tsc_start,
		.raw = shape->raw,
		.compact = shape->compact,
		.split = 1,
	};
	struct store_vcpu vcpu = {.vm_id = 1};
	int number, rc = store_begin(store, &run);

	for (; !rc && vcpu.vcpu_id < shape->vcpus; vcpu.vcpu_id++) {
		vcpu.ring_id = vcpu.vcpu_id + 1;
		rc = store_add_vcpu(store, &vcpu, &number);
	}
	return rc;
}

static void prepare(const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->vcpus; i++) {
		if (shape->capture) {
			repeat_init(&repeat[i], &recording, i + 1);
			continue;
		}
		synthetic_init(&synthetic[i], i, shape->seed);
		synthetic[i].lose_one_in = 1000;
		synthetic[i].guest_cycles = shape->guest_cycles;
	}
}

static int fill(struct store *store, const struct shape *shape)
{
	static struct kvm_exit_record batch[BATCH];
	uint64_t done = 0, flushed = 0;
	int rc = 0;

	while (!rc && done < shape->records) {
		int vcpu = (int)(done / shape->batch % shape->vcpus);
		uint64_t n = shape->records - done;

		n = n < shape->batch ? n : shape->batch;
		if (shape->capture)
			repeat_fill(&repeat[vcpu], batch, n);
		else
			synthetic_fill(&synthetic[vcpu], batch, n);
		rc = store_append(store, vcpu, batch, n);
		done += n;
		if (!rc && done - flushed >= PER_FLUSH) {
			rc = store_flush(store);
			flushed = done;
		}
	}
	return rc;
}

static int finish(struct store *store, const struct shape *shape)
{
	uint64_t end = 0;
	int rc = 0;

	for (uint32_t i = 0; i < shape->vcpus && !rc; i++) {
		bool is_made_up = !shape->capture;
		uint64_t tsc = is_made_up ? synthetic[i].tsc : repeat[i].tsc;
		const struct store_vcpu_end last = {
			.end_seq = is_made_up ? synthetic[i].seq : repeat[i].seq,
		};

		if (tsc > end)
			end = tsc;
		rc = store_end_vcpu(store, (int)i, &last);
	}
	return rc ? rc : store_finish(store, "complete", end + 1, 0);
}

/* -1: not a shape. */
static int parse(int argc, char **argv, struct shape *shape)
{
	double seconds;

	if (argc < 4 || argc == 6 || argc > 7)
		return -1;
	*shape = (struct shape){
		.records = strtoull(argv[2], NULL, 10),
		.seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1,
		.vcpus = 4,
		.batch = BATCH,
		.raw = strcmp(argv[3], "no-raw") != 0,
		.compact = !strcmp(argv[3], "compact"),
	};
	if (argc == 5 && strstr(argv[4], ".cap"))
		shape->capture = argv[4];
	if (argc < 6)
		return 0;

	/* As a collector finds them: a few of each ring. */
	shape->batch = 64;
	shape->vcpus = (uint32_t)strtoul(argv[5], NULL, 10);
	seconds = strtod(argv[6], NULL);
	if (!shape->records || shape->vcpus < 1 || shape->vcpus > VCPUS_MOST || !(seconds > 0) ||
	    seconds > 1e6)
		return -1;
	shape->guest_cycles = (uint64_t)(seconds * SYNTHETIC_TSC_KHZ * 1e3 * shape->vcpus /
					 (double)shape->records);
	return 0;
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	struct shape shape;
	int rc;

	if (parse(argc, argv, &shape)) {
		fputs("usage: make_run DATABASE RECORDS raw|no-raw|compact [SEED [VCPUS SECONDS] | CAPTURE]\n",
		      stderr);
		return 1;
	}
	if (shape.capture && recording_load(shape.capture, &recording))
		return 1;
	prepare(&shape);
	rc = store_open(argv[1], &store);
	if (!rc)
		rc = begin(store, &shape);
	if (!rc)
		rc = fill(store, &shape);
	if (!rc)
		rc = finish(store, &shape);
	if (rc)
		fprintf(stderr, "make_run: %s: %s\n", argv[1], store_strerror(store, rc));
	store_close(store);
	return rc ? 1 : 0;
}
