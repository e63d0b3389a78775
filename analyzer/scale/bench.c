// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - what the analyzer's commands take on large recordings
 *
 *	bazel run -c opt //analyzer/scale:bench [-- FOLDER]
 *
 * Makes three recordings of made-up exits in FOLDER (default: a new one in /tmp)
 * and prints, for each command, the best of five runs: wall and CPU time, peak
 * memory, and exits per CPU second.
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
	printf("%-28s %10.0f %9.1f %9.1f %9.1f %12.1f\n", command, exits / 1e6, cost.wall * 1e3,
	       cost.cpu * 1e3, cost.mib, exits / 1e6 / cost.cpu);
	return 0;
}

static int make(char *make_run, char *db, char *exits, char *mode)
{
	struct cost cost;
	struct stat st;

	if (measure((char *[]){make_run, db, exits, mode, NULL}, &cost) || stat(db, &st)) {
		fprintf(stderr, "bench: %s failed\n", make_run);
		return -1;
	}
	printf("%s exits, %s: %.1f MiB, %.2f bytes per exit; made in %.1f CPU s\n", exits, mode,
	       (double)st.st_size / 1048576, (double)st.st_size / strtod(exits, NULL), cost.cpu);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const sums[] = {"top-exits",
					   "latency",
					   "timeline",
					   "histogram",
					   "top-exits --by vcpu",
					   "top-exits --from 10s --to 20s"};
	static const char *const rows[] = {
		"top-exits --exact",  "latency --exact", "top-exits --by subkey",
		"top-exits --by rip", "slowest",	 "sequences"};
	static const char *const chunks[] = {"top-exits --exact",
					     "latency --exact",
					     "top-exits --by subkey",
					     "top-exits --by rip",
					     "latency --exact --from 10s --to 11s",
					     "list --from 10s --to 11s",
					     "slowest"};
	char folder[] = "/tmp/bench.XXXXXX", big[4096], raw[4096], compact[4096];
	const char *in = argc > 3 ? argv[3] : mkdtemp(folder);
	int rc;

	if (argc < 3 || !in) {
		fputs("usage: bench ANALYZER MAKE_RUN [FOLDER]\n", stderr);
		return 1;
	}

	snprintf(big, sizeof(big), "%s/sums.sqlite", in);
	snprintf(raw, sizeof(raw), "%s/rows.sqlite", in);
	snprintf(compact, sizeof(compact), "%s/chunks.sqlite", in);
	setvbuf(stdout, NULL, _IOLBF, 0);

	rc = make(argv[2], big, "100000000", "no-raw") || make(argv[2], raw, "5000000", "raw") ||
	     make(argv[2], compact, "20000000", "compact");
	if (!rc)
		printf("\n%-28s %10s %9s %9s %9s %12s\n", "command", "M exits", "wall ms", "CPU ms",
		       "peak MiB", "M exits/CPU s");

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]) && !rc; i++)
		rc = bench(argv[1], big, 1e8, sums[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !rc; i++)
		rc = bench(argv[1], raw, 5e6, rows[i]);
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]) && !rc; i++)
		rc = bench(argv[1], compact, 2e7, chunks[i]);

	unlink(big);
	unlink(raw);
	unlink(compact);
	if (in == folder)
		rmdir(folder);
	return rc ? 1 : 0;
}
