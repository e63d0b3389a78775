// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_capture.c - writes a capture of made-up records and prints their sums as
 * shell variables: records, dropped, cycles. It records nothing real.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/capture_file.h"
#include "sql/store/test/synthetic.h"

#define BATCH 1000

struct plan {
	uint64_t records; /* of each vCPU */
	int vcpus;
	uint64_t seed;
	uint32_t lose_one_in;
	const char *path;
};

static int parse(struct plan *plan, int argc, char **argv)
{
	static const struct option known[] = {
		{"records", required_argument, NULL, 'r'},
		{"vcpus", required_argument, NULL, 'v'},
		{"seed", required_argument, NULL, 's'},
		{"lose-one-in", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*plan = (struct plan){.records = 1000, .vcpus = 1};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (option) {
		case 'r':
			plan->records = value;
			break;
		case 'v':
			plan->vcpus = (int)value;
			break;
		case 's':
			plan->seed = value;
			break;
		case 'l':
			plan->lose_one_in = (uint32_t)value;
			break;
		default:
			return -1;
		}
	}
	plan->path = argv[optind];
	return plan->path ? 0 : -1;
}

/* Batches of the vCPUs by turns, the last of which has the end of the vCPU. */
static int write_items(struct capture *capture, const struct plan *plan, struct synthetic *s)
{
	static struct kvm_exit_record records[BATCH];
	struct source_item item = {.kind = SOURCE_VCPU};
	uint64_t done;
	int rc = 0;

	for (item.vcpu = 0; !rc && item.vcpu < plan->vcpus; item.vcpu++) {
		item.info = (struct store_vcpu){
			.comm = "synthetic",
			.vm_id = 1,
			.ring_id = (uint64_t)item.vcpu + 1,
			.tgid = 1000,
			.vcpu_id = (uint32_t)item.vcpu,
		};
		rc = capture_write(capture, &item);
	}
	item.kind = SOURCE_RECORDS;
	item.records = records;
	for (done = 0; !rc && done < plan->records; done += item.count) {
		item.count = plan->records - done < BATCH ? plan->records - done : BATCH;
		for (item.vcpu = 0; !rc && item.vcpu < plan->vcpus; item.vcpu++) {
			synthetic_fill(&s[item.vcpu], records, item.count);
			if (done + item.count == plan->records)
				synthetic_end(&s[item.vcpu], &records[item.count - 1]);
			rc = capture_write(capture, &item);
		}
	}
	item.kind = SOURCE_END_VCPU;
	for (item.vcpu = 0; !rc && item.vcpu < plan->vcpus; item.vcpu++) {
		item.end = (struct store_vcpu_end){
			.totals = s[item.vcpu].totals,
			.end_seq = s[item.vcpu].seq,
			.ended = 1,
		};
		rc = capture_write(capture, &item);
	}
	return rc;
}

static void print_sums(const struct plan *plan, const struct synthetic *s)
{
	uint64_t dropped = 0;
	uint64_t cycles = 0;
	int i;
	int slot;

	for (i = 0; i < plan->vcpus; i++) {
		dropped += s[i].lost;
		for (slot = 0; slot < (int)KVM_EXIT_TOTAL_SLOTS; slot++)
			cycles += s[i].totals[slot].cycles;
	}
	printf("records=%llu\ndropped=%llu\ncycles=%llu\n",
	       (unsigned long long)plan->records * (unsigned int)plan->vcpus,
	       (unsigned long long)dropped, (unsigned long long)cycles);
}

static int make(const struct plan *plan, struct synthetic *s)
{
	struct run_info info = {
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = SYNTHETIC_TSC_KHZ,
		.tsc_start = SYNTHETIC_TSC_START,
		.started_ns = 1000000000,
		.ended_ns = 2000000000,
	};
	struct capture *capture;
	int closed;
	int i;
	int rc = capture_create(plan->path, &capture);

	if (rc)
		return rc;
	run_info_set(&info, RUN_VMX_CAPS,
		     "0 0x480 0x00d8100000000012\n0 0x48c 0xffffffffffffffff\n"
		     "1 0x480 0x00d8100000000012\n1 0x48c unreadable\n");
	run_info_set(&info, RUN_HOST, "synthetic");
	run_info_set(&info, RUN_LABEL, "made up");
	for (i = 0; i < plan->vcpus; i++) {
		synthetic_init(&s[i], (uint32_t)i, plan->seed);
		s[i].lose_one_in = plan->lose_one_in;
	}
	rc = capture_begin(capture, &info);
	if (!rc)
		rc = write_items(capture, plan, s);
	for (i = 0; i < plan->vcpus; i++)
		if (s[i].tsc > info.tsc_end)
			info.tsc_end = s[i].tsc;
	if (!rc)
		rc = capture_finish(capture, &info);
	closed = capture_close(capture, false);
	run_info_free(&info);
	return rc ? rc : closed;
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct synthetic *s;
	int rc;

	if (parse(&plan, argc, argv)) {
		fputs("usage: make_capture [--records N] [--vcpus N] [--seed N] [--lose-one-in N] "
		      "FILE\n",
		      stderr);
		return 2;
	}
	s = calloc((size_t)plan.vcpus, sizeof(*s));
	rc = s ? make(&plan, s) : -1;
	if (rc)
		fprintf(stderr, "make_capture: %s: %s\n", plan.path, strerror(-rc));
	else
		print_sums(&plan, s);
	free(s);
	return rc != 0;
}
