// SPDX-License-Identifier: GPL-2.0-only
/*
 * scrape_bench.c - what a scrape and a record cost: 1,000 vCPUs with 20 exit reasons, in VMs of
 * four vCPUs and in VMs of one
 */
#include <stdlib.h>
#include <time.h>

#include "collector/listen/metrics.h"

#define VCPUS	1000
#define REASONS 20
#define RECORDS 1024
#define ROUNDS	50

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int fill(struct metrics *m, int vcpus_of_vm, double *ns_of_record)
{
	static struct kvm_exit_record records[RECORDS];
	double start;

	for (int i = 0; i < VCPUS; i++) {
		struct store_identity identity = {0};
		struct source_item item = {.kind = SOURCE_VCPU, .vcpu = i};

		item.info.vm_id = 1 + (uint64_t)(i / vcpus_of_vm);
		if (metrics_add(m, &item))
			return -1;
		snprintf(identity.name, sizeof(identity.name), "production-web-%d",
			 i / vcpus_of_vm);
		item.kind = SOURCE_NAMES;
		item.names = &identity;
		metrics_add(m, &item);
	}

	for (uint32_t i = 0; i < RECORDS; i++)
		records[i] = (struct kvm_exit_record){.seq = i,
						      .reason = i * 7 % REASONS,
						      .cycles = 1000 + i * 37,
						      .handler_cycles = 1000 + i * 37};
	start = cpu_ms();
	for (int i = 0; i < VCPUS; i++) {
		struct source_item item = {
			.kind = SOURCE_RECORDS, .vcpu = i, .records = records, .count = RECORDS};

		metrics_add(m, &item);
	}
	*ns_of_record = (cpu_ms() - start) * 1e6 / VCPUS / RECORDS;
	return 0;
}

static int measure(int vcpus_of_vm)
{
	const struct run_info info = {.isa = KVM_EXIT_ISA_VMX, .tsc_khz = 2000000};
	struct metrics *m = metrics_new();
	double ns_of_record;
	size_t bytes = 0;
	double start;

	if (!m)
		return -1;
	metrics_begin(m, &info, false, true);
	if (fill(m, vcpus_of_vm, &ns_of_record))
		return -1;

	start = cpu_ms();
	for (int i = 0; i < ROUNDS; i++) {
		char *text = NULL;
		FILE *file = open_memstream(&text, &bytes);

		if (!file || metrics_write(m, file))
			return -1;
		fclose(file);
		free(text);
	}
	printf("%8d %6d %10.2f %12zu %16.1f\n", VCPUS, VCPUS / vcpus_of_vm,
	       (cpu_ms() - start) / ROUNDS, bytes, ns_of_record);
	metrics_free(m);
	return 0;
}

int main(void)
{
	printf("%8s %6s %10s %12s %16s\n", "vCPUs", "VMs", "CPU ms", "bytes", "ns per record");
	return measure(4) || measure(1);
}
