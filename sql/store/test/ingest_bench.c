// SPDX-License-Identifier: GPL-2.0-only
/*
 * ingest_bench.c - how fast records go into a database, what they take on disk and how much
 * memory it takes: made-up ones, and recordings that are repeated with noise
 *
 * CPU time counts the store alone. Each measurement has a process of its own, so that its peak
 * memory is its own; that of recordings includes the recording (15 to 40 MiB).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sql/store/store.h"
#include "sql/store/test/recorded.h"
#include "sql/store/test/synthetic.h"

#define BATCH	4096U
#define RECORDS (8U << 20)
#define VCPUS	4

/* How records are stored. */
struct mode {
	const char *name;
	bool raw;
	bool compact;
	uint32_t rollup_ms;
	uint32_t batch;	    /* records of a vCPU at a time, at most BATCH */
	uint32_t per_flush; /* records between two flushes */
};

/* A collector flushes every 200 ms: at the rate of the SVM boot these are some 6,000 records. */
static const struct mode modes[] = {
	{"roll-ups only", false, false, 100, BATCH, 1U << 20},
	{"roll-ups of 500 ms", false, false, 500, BATCH, 1U << 20},
	{"roll-ups, flush 8192", false, false, 100, 1024, 8192},
	{"rows and roll-ups", true, false, 100, BATCH, 1U << 20},
	{"chunks and roll-ups", true, true, 100, BATCH, 1U << 20},
	{"chunks, flush 8192", true, true, 100, 1024, 8192},
};
#define MODES (sizeof(modes) / sizeof(*modes))

/* What is measured: the records of a capture, or made-up ones (NULL). */
struct bench {
	const char *capture;
	uint64_t records;
	const char *path; /* of the database */
	const struct mode *mode;

	struct recording recording;
	struct synthetic synthetic[VCPUS];
	struct repeat repeat[VCPUS];

	double cpu_seconds;
	uint64_t bytes;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int prepare(struct bench *bench)
{
	if (!bench->capture) {
		bench->recording = (struct recording){
			.isa = KVM_EXIT_ISA_VMX,
			.tsc_khz = SYNTHETIC_TSC_KHZ,
			.tsc_start = SYNTHETIC_TSC_START,
		};
		for (uint32_t i = 0; i < VCPUS; i++)
			synthetic_init(&bench->synthetic[i], i, 1);
		return 0;
	}

	if (recording_load(bench->capture, &bench->recording))
		return -1;
	for (uint32_t i = 0; i < VCPUS; i++)
		repeat_init(&bench->repeat[i], &bench->recording, i + 1);
	return 0;
}

static int begin(struct bench *bench, struct store *store)
{
	const struct store_run run = {
		.source = "capture",
		.collector = "ingest_bench",
		.isa = bench->recording.isa,
		.tsc_khz = bench->recording.tsc_khz,
		.tsc_start = bench->recording.tsc_start,
		.raw = bench->mode->raw,
		.compact = bench->mode->compact,
		.rollup_ms = bench->mode->rollup_ms,
		.split = 1,
	};
	struct store_vcpu vcpu = {.vm_id = 1};
	int number;
	int rc = store_begin(store, &run);

	for (; !rc && vcpu.vcpu_id < VCPUS; vcpu.vcpu_id++)
		rc = store_add_vcpu(store, &vcpu, &number);
	return rc;
}

static int ingest(struct bench *bench, struct store *store)
{
	static struct kvm_exit_record batch[BATCH];
	const struct mode *mode = bench->mode;
	uint64_t done = 0;
	int rc = 0;

	while (!rc && done < bench->records) {
		int vcpu = (int)(done / mode->batch % VCPUS);
		double start;

		if (bench->capture)
			repeat_fill(&bench->repeat[vcpu], batch, mode->batch);
		else
			synthetic_fill(&bench->synthetic[vcpu], batch, mode->batch);

		start = cpu_seconds();
		rc = store_append(store, vcpu, batch, mode->batch);
		done += mode->batch;
		if (!rc && done % mode->per_flush == 0)
			rc = store_flush(store);
		bench->cpu_seconds += cpu_seconds() - start;
	}
	return rc;
}

static int measure(struct bench *bench)
{
	struct store *store;
	struct stat st;
	double start;
	int rc = store_open(bench->path, &store);

	if (!rc)
		rc = begin(bench, store);
	if (!rc)
		rc = ingest(bench, store);

	start = cpu_seconds();
	if (!rc)
		rc = store_finish(store, "complete", 0, 0);
	if (rc)
		fprintf(stderr, "ingest_bench: %s: %s\n", bench->path, store_strerror(store, rc));
	store_close(store);
	bench->cpu_seconds += cpu_seconds() - start;

	if (!rc && !stat(bench->path, &st))
		bench->bytes = (uint64_t)st.st_size;
	return rc ? -1 : 0;
}

/* The name of a file, without its folder and from the first dot on. */
static void put_name(char *name, size_t size, const char *path)
{
	const char *base = strrchr(path, '/');

	snprintf(name, size, "%s", base ? base + 1 : path);
	name[strcspn(name, ".")] = '\0';
}

/* In a process of its own. Returns its exit status. */
static int run(struct bench *bench)
{
	char name[64] = "made-up";
	struct rusage usage;
	double records = (double)bench->records;

	if (prepare(bench) || measure(bench))
		return 1;
	if (bench->capture)
		put_name(name, sizeof(name), bench->capture);

	getrusage(RUSAGE_SELF, &usage);
	printf("%-18s %-20s %12.0f %8.2f %18.2f %11.2f %12.1f\n", name, bench->mode->name, records,
	       bench->cpu_seconds, records / bench->cpu_seconds / 1e6,
	       (double)bench->bytes / records, (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	return 0;
}

/* Measures in a child, and removes the database. */
static int run_apart(const char *capture, uint64_t records, const char *folder,
		     const struct mode *mode)
{
	struct bench bench = {.capture = capture, .records = records, .mode = mode};
	char path[4096];
	int status = -1;
	pid_t child;

	snprintf(path, sizeof(path), "%s/ingest_bench.%d.sqlite", folder, (int)getpid());
	bench.path = path;

	child = fork();
	if (!child)
		_exit(run(&bench));
	if (child < 0 || waitpid(child, &status, 0) != child)
		perror("ingest_bench");
	unlink(path);
	return status;
}

int main(int argc, char **argv)
{
	const char *folder = "/tmp";
	uint64_t records = RECORDS;
	int captures = 0;
	int status = 0;

	while (captures + 1 < argc && strstr(argv[captures + 1], ".cap"))
		captures++;
	if (argc > captures + 1)
		records = strtoull(argv[captures + 1], NULL, 10);
	if (argc > captures + 2)
		folder = argv[captures + 2];
	if (!records || argc > captures + 3) {
		fputs("usage: ingest_bench [CAPTURE.cap[.gz]]... [RECORDS [FOLDER]]\n", stderr);
		return 2;
	}
	records = (records + BATCH - 1) / BATCH * BATCH;

	printf("%d vCPUs, a flush at every %u records where no other number is named\n", VCPUS,
	       modes[0].per_flush);
	printf("%-18s %-20s %12s %8s %18s %11s %12s\n", "records of", "mode", "records", "CPU s",
	       "M exits per CPU s", "bytes/exit", "peak RSS MiB");
	fflush(stdout);

	for (const struct mode *mode = modes; mode < modes + MODES && !status; mode++) {
		for (int i = 0; i <= captures && !status; i++)
			status = run_apart(i ? argv[i] : NULL, records, folder, mode);
	}
	return !!status;
}
