// SPDX-License-Identifier: GPL-2.0-only
/*
 * pairs.c - how often analyzer compare is right about two recordings; see pairs.h
 */
#include "analyzer/scale/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/query/compare/compare.h"
#include "analyzer/query/db.h"

/*
 * 60 s hold 12 phases of 5 s: their number differs by a third from one recording to the
 * next, so that no statistics can find 20 %. An hour of them shows it.
 */
const struct process pairs_processes[] = {
	{"constant", 60, 1000, .regular = true, .dwell_s = 1, .latency_cycles = 1500},
	{"Poisson", 60, 1000, .dwell_s = 1, .latency_cycles = 1500},
	{"phases of 50 ms", 60, 1000, .dwell_s = 0.05, .swing = 0.8, .latency_cycles = 1500},
	{"phases of 5 s", 60, 1000, .dwell_s = 5, .swing = 0.5, .latency_cycles = 1500},
	{"phases of 5 s", 3600, 50, .dwell_s = 5, .swing = 0.5, .latency_cycles = 1500},
	{"two latencies", 60, 1000, .dwell_s = 2, .swing = 0.2, .latency_cycles = 1500,
	 .slow_cycles = 1500},
	{"two latencies", 3600, 50, .dwell_s = 2, .swing = 0.2, .latency_cycles = 1500,
	 .slow_cycles = 1500},
	{0},
};

/* Runs of one database. */
enum { RUN_A = 1, RUN_SAME, RUN_MORE, RUN_LONGER };

/* Record each of @process, the n-th one as run n + 1 of a new database. */
static int record(const char *path, const struct process *process, int n, uint64_t seed,
		  char *error)
{
	struct store *store = NULL;
	int rc;

	unlink(path);
	rc = store_open(path, &store);
	for (int i = 0; i < n && !rc; i++)
		rc = process_record(store, &process[i], seed + (uint64_t)i);
	if (rc)
		snprintf(error, 512, "%s: %s", path, store_strerror(store, rc));
	store_close(store);
	return rc ? -1 : 0;
}

static int make(const char *path, const struct process *process, uint64_t seed, char *error)
{
	struct process all[] = {*process, *process, *process, *process};

	all[RUN_MORE - 1].per_s *= 1.2;
	all[RUN_LONGER - 1].latency_cycles *= 1.1;
	all[RUN_LONGER - 1].slow_cycles *= 1.1;
	return record(path, all, RUN_LONGER, RUN_LONGER * seed, error);
}

static int open_side(const char *path, int run, struct side *side)
{
	char name[16];

	*side = (struct side){.app = {.path = path}};
	side->app.filter.from_ns = side->app.filter.to_ns = -1;
	snprintf(name, sizeof(name), "%d", run);
	if (db_open(&side->app, path, &side->app.db) || run_open(&side->app, name, &side->app.run))
		return -1;
	return side_read(side);
}

static void close_side(struct side *side)
{
	side_free(side);
	run_close(&side->app.run);
	sqlite3_close(side->app.db);
}

/* What compare says of the only reason of runs RUN_A and @run. */
static int compare(const char *path, int run, struct change *change, char *error)
{
	struct side a, b = {0};
	struct change *all = NULL;
	struct app app = {0};
	uint32_t n;
	int rc = -1;

	if (open_side(path, RUN_A, &a))
		memcpy(error, a.app.error, sizeof(a.app.error));
	else if (open_side(path, run, &b))
		memcpy(error, b.app.error, sizeof(b.app.error));
	else if (changes_make(&app, &a, &b, false, &all, &n))
		memcpy(error, app.error, sizeof(app.error));
	else
		rc = 0;

	/* The groups that it points to are gone below. */
	if (!rc) {
		*change = all[0];
		change->a = change->b = NULL;
	}
	free(all);
	close_side(&a);
	close_side(&b);
	return rc;
}

static bool is_found(const struct difference *d)
{
	return d->verdict == CHANGE_FOUND;
}

int pairs_count(const char *path, const struct process *process, unsigned int pairs,
		struct pairs *result, char *error)
{
	*result = (struct pairs){.pairs = pairs};
	for (unsigned int i = 0; i < pairs; i++) {
		struct change same, more, longer;

		if (make(path, process, i, error) || compare(path, RUN_SAME, &same, error) ||
		    compare(path, RUN_MORE, &more, error) ||
		    compare(path, RUN_LONGER, &longer, error))
			return -1;

		result->false_rate += is_found(&same.rate);
		result->false_p50 += is_found(&same.p50);
		result->false_p99 += is_found(&same.p99);
		result->false_any +=
			is_found(&same.rate) || is_found(&same.p50) || is_found(&same.p99);
		result->found_rate += is_found(&more.rate) && more.rate.change > 0;
		result->found_p50 += is_found(&longer.p50) && longer.p50.change > 0;
	}
	unlink(path);
	return 0;
}

int pairs_compare(const char *path, const struct process *a, const struct process *b,
		  struct change *change, char *error)
{
	const struct process both[] = {*a, *b};
	int rc = record(path, both, 2, 0, error);

	if (!rc)
		rc = compare(path, 2, change, error);
	unlink(path);
	return rc;
}
