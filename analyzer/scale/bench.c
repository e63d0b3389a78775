// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - what the analyzer's commands take on large recordings
 *
 *	bazel run -c opt //analyzer/scale:bench [-- FOLDER [NAME]]
 *
 * Makes recordings in FOLDER (default: a new one in /tmp). Of made-up exits: 100 million as
 * roll-ups, 5 million rows, 20 million in chunks, and 1.1 million rows of 112 vCPUs in 37 s. Of
 * each recorded boot, repeated with noise on its times: 16 million in chunks. Prints, for each
 * command, the best of five runs: wall and CPU time, peak memory, and exits per CPU second. NAME:
 * only recordings whose file's name has it (sums, rows, chunks, many, boot).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS	  5
#define MOST_ARGS 8

struct cost {
	double wall;
	double cpu;
	double mib;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Run a program, its output thrown away. -1: it failed. */
static int measure(char *const *argv, struct cost *cost)
{
	double start = now();
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return -1;
	cost->wall = now() - start;
	cost->cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	cost->mib = (double)usage.ru_maxrss / 1024;
	return 0;
}

static int best_of(char *const *argv, struct cost *best)
{
	struct cost cost;

	*best = (struct cost){.wall = 1e9};
	for (int i = 0; i < RUNS; i++) {
		if (measure(argv, &cost))
			return -1;
		if (cost.wall < best->wall)
			*best = cost;
	}
	return 0;
}

/* A command line of words divided by blanks. */
static int bench(char *analyzer, char *db, double exits, const char *command)
{
	char words[128], *save = NULL, *argv[MOST_ARGS + 4] = {analyzer, "--db", db};
	struct cost cost;
	int n = 3;

	snprintf(words, sizeof(words), "%s", command);
	for (char *word = strtok_r(words, " ", &save); word && n < MOST_ARGS + 3;
	     word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n] = NULL;
	if (best_of(argv, &cost)) {
		fprintf(stderr, "bench: %s failed\n", command);
		return -1;
	}
	printf("%-46s %8.0f %9.1f %9.1f %9.1f %13.1f\n", command, exits / 1e6, cost.wall * 1e3,
	       cost.cpu * 1e3, cost.mib, exits / 1e6 / cost.cpu);
	return 0;
}

/*
 * struct recording - what is made, and what is run on it
 * @shape: further arguments of make_run, NULL: its defaults
 */
struct recording {
	const char *name;
	const char *records;
	const char *mode;
	const char *shape[3];
	const char *commands[40];
};

static const struct recording recordings[] = {
	{"sums.sqlite",
	 "100000000",
	 "no-raw",
	 {NULL},
	 {"top-exits", "latency", "timeline", "histogram", "states", "findings", "compare 1 1",
	  "top-exits --by vcpu", "top-exits --by vm", "top-exits --from 10s --to 20s",
	  "states --from 10s --to 20s", "timeline --from 10s --to 20s", "runs --vcpus", "explain",
	  "live --plain --count 1", "report --html -", "verify", "export --format prometheus"}},
	{"rows.sqlite",
	 "5000000",
	 "raw",
	 {NULL},
	 {"top-exits --exact", "latency --exact", "top-exits --by subkey", "top-exits --by rip",
	  "slowest", "sequences"}},
	{"chunks.sqlite",
	 "20000000",
	 "compact",
	 {NULL},
	 {"top-exits --exact", "latency --exact", "top-exits --by subkey",
	  "top-exits --by subkey --limit 0", "top-exits --by rip",
	  "latency --exact --from 10s --to 11s", "list --from 10s --to 11s", "slowest"}},
	{"many.sqlite",
	 "1100000",
	 "raw",
	 {"1", "112", "37"},
	 {"top-exits",
	  "top-exits --by vcpu",
	  "top-exits --by vm",
	  "latency",
	  "timeline",
	  "histogram",
	  "states",
	  "runs --vcpus",
	  "compare 1 1",
	  "live --plain --count 1",
	  "export --format prometheus",
	  "top-exits --from 10s --to 11s",
	  "latency --from 10s --to 11s",
	  "timeline --from 10s --to 11s",
	  "states --from 10s --to 11s",
	  "states --from 34s",
	  "report --html - --from 10s --to 11s",
	  "top-exits --by subkey",
	  "top-exits --by rip",
	  "latency --exact",
	  "slowest",
	  "sequences",
	  "ipi",
	  "list",
	  "findings",
	  "explain",
	  "export --format perfetto",
	  "export --format ndjson",
	  "verify",
	  "report --html -"}},
};

static int make(char *make_run, char *db, const struct recording *recording)
{
	char *const argv[] = {make_run,
			      db,
			      (char *)recording->records,
			      (char *)recording->mode,
			      (char *)recording->shape[0],
			      (char *)recording->shape[1],
			      (char *)recording->shape[2],
			      NULL};
	struct cost cost;
	struct stat st;

	if (measure(argv, &cost) || stat(db, &st)) {
		fprintf(stderr, "bench: %s failed\n", make_run);
		return -1;
	}
	printf("\n%s exits, %s vCPUs, %s: %.1f MiB, %.2f bytes per exit; made in %.1f CPU s\n",
	       recording->records, recording->shape[1] ? recording->shape[1] : "4", recording->mode,
	       (double)st.st_size / 1048576, (double)st.st_size / strtod(recording->records, NULL),
	       cost.cpu);
	printf("%-46s %8s %9s %9s %9s %13s\n", "command", "M exits", "wall ms", "CPU ms",
	       "peak MiB", "M exits/CPU s");
	return 0;
}

static int bench_recording(char **argv, const char *folder, const struct recording *recording)
{
	char db[4096];
	int rc;

	snprintf(db, sizeof(db), "%s/%s", folder, recording->name);
	rc = make(argv[2], db, recording);
	for (int i = 0; recording->commands[i] && !rc; i++)
		rc = bench(argv[1], db, strtod(recording->records, NULL), recording->commands[i]);
	unlink(db);
	return rc;
}

/* A recorded boot, repeated, in chunks. */
static int bench_capture(char **argv, const char *folder, const char *capture)
{
	const struct recording recording = {
		.name = "boot.sqlite",
		.records = "16777216",
		.mode = "compact",
		.shape = {capture},
		.commands = {"top-exits --exact", "latency --exact", "top-exits --by subkey",
			     "top-exits --by subkey --limit 0",
			     "top-exits --by subkey --columns exits,time,max", "top-exits --by rip",
			     "top-exits --by rip --limit 0",
			     "top-exits --by rip --columns exits,time,max", "top-exits --by pcpu",
			     "slowest"},
	};

	printf("\n%s, repeated with noise",
	       strrchr(capture, '/') ? strrchr(capture, '/') + 1 : capture);
	return bench_recording(argv, folder, &recording);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/bench.XXXXXX";
	const char *folder, *only;
	int rest = 3, rc = 0;

	while (rest < argc && strstr(argv[rest], ".cap"))
		rest++;
	folder = rest < argc ? argv[rest] : mkdtemp(made);
	only = rest + 1 < argc ? argv[rest + 1] : "";
	if (argc < 3 || !folder) {
		fputs("usage: bench ANALYZER MAKE_RUN [CAPTURE.cap[.gz]]... [FOLDER [NAME]]\n",
		      stderr);
		return 1;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]) && !rc; i++) {
		if (strstr(recordings[i].name, only))
			rc = bench_recording(argv, folder, &recordings[i]);
	}
	for (int i = 3; i < rest && !rc; i++) {
		if (strstr(argv[i], only))
			rc = bench_capture(argv, folder, argv[i]);
	}
	if (folder == made)
		rmdir(folder);
	return rc ? 1 : 0;
}
