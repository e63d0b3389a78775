// SPDX-License-Identifier: GPL-2.0-only
/*
 * ingest_bench.c - how fast made-up records go into a database, what they take
 * on disk and how much memory it takes. CPU time counts the store alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"

#define BATCH	  4096U
#define PER_FLUSH (1U << 20)
#define VCPUS	  4

struct result {
	double cpu_seconds;
	uint64_t bytes;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int begin(struct store *store, int raw)
{
	const struct store_run run = {
		.source = "capture",
		.collector = "ingest_bench",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = SYNTHETIC_TSC_KHZ,
		.tsc_start = SYNTHETIC_TSC_START,
		.raw = raw,
		.split = 1,
	};
	struct store_vcpu vcpu = {.vm_id = 1};
	int number;
	int rc = store_begin(store, &run);

	for (; !rc && vcpu.vcpu_id < VCPUS; vcpu.vcpu_id++)
		rc = store_add_vcpu(store, &vcpu, &number);
	return rc;
}

static int ingest(struct store *store, uint64_t records, double *seconds)
{
	static struct kvm_exit_record batch[BATCH];
	static struct synthetic s[VCPUS];
	uint64_t done = 0;
	double start;
	int i;
	int rc = 0;

	for (i = 0; i < VCPUS; i++)
		synthetic_init(&s[i], (uint32_t)i, 1);
	while (!rc && done < records) {
		i = (int)(done / BATCH % VCPUS);
		synthetic_fill(&s[i], batch, BATCH);
		start = cpu_seconds();
		rc = store_append(store, i, batch, BATCH);
		done += BATCH;
		if (!rc && done % PER_FLUSH == 0)
			rc = store_flush(store);
		*seconds += cpu_seconds() - start;
	}
	return rc;
}

static int measure(const char *path, uint64_t records, int raw, struct result *result)
{
	struct store *store;
	struct stat st;
	double start;
	int rc = store_open(path, &store);

	*result = (struct result){0};
	if (!rc)
		rc = begin(store, raw);
	if (!rc)
		rc = ingest(store, records, &result->cpu_seconds);
	start = cpu_seconds();
	if (!rc)
		rc = store_finish(store, "complete", 0, 0);
	if (rc)
		fprintf(stderr, "ingest_bench: %s: %s\n", path, store_strerror(store, rc));
	store_close(store);
	result->cpu_seconds += cpu_seconds() - start;
	if (!rc && !stat(path, &st))
		result->bytes = (uint64_t)st.st_size;
	unlink(path);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"roll-ups only", "raw rows and roll-ups"};
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 8 * PER_FLUSH;
	const char *folder = argc > 2 ? argv[2] : "/tmp";
	struct rusage usage;
	struct result r;
	char path[4096];
	int raw;

	if (!records || argc > 3) {
		fputs("usage: ingest_bench [RECORDS [FOLDER]]\n", stderr);
		return 2;
	}
	printf("made-up records, %d vCPUs, a flush at every %u records\n", VCPUS, PER_FLUSH);
	printf("%-22s %12s %8s %18s %11s %12s\n", "mode", "records", "CPU s", "M exits per CPU s",
	       "bytes/exit", "peak RSS MiB");
	for (raw = 0; raw < 2; raw++) {
		snprintf(path, sizeof(path), "%s/ingest_bench.%d.sqlite", folder, (int)getpid());
		if (measure(path, records, raw, &r))
			return 1;
		getrusage(RUSAGE_SELF, &usage);
		printf("%-22s %12llu %8.2f %18.2f %11.2f %12.1f\n", modes[raw],
		       (unsigned long long)records, r.cpu_seconds,
		       (double)records / r.cpu_seconds / 1e6, (double)r.bytes / (double)records,
		       (double)usage.ru_maxrss / 1024);
	}
	return 0;
}
