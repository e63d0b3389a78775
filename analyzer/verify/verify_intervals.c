// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify_intervals.c - the extremes of each roll-up against its rows; see verify_intervals.h
 */
#include "analyzer/verify/verify_intervals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/query/db.h"
#include "base/array.h"
#include "base/hash.h"

#define RECENT 64 /* a power of two */

/* What the rows of one vCPU, interval and reason come to; @value in the order of the equations. */
struct interval {
	int64_t vcpu;
	int64_t slot;
	int64_t reason;
	int64_t value[INTERVAL_KINDS];
};

/* A difference, as an example. @no_rows: the interval has none. */
struct example {
	int64_t slot;
	int64_t reason;
	int64_t rolled;
	int64_t of_rows;
	bool no_rows;
};

/*
 * struct compared - one vCPU
 * @known: intervals whose roll-up has this value; @equal: of these, as in the rows
 * @example: the first one that differs
 */
struct compared {
	int64_t id;
	int64_t vm;
	int64_t vcpu_id;
	int64_t known[INTERVAL_KINDS];
	int64_t equal[INTERVAL_KINDS];
	struct example example[INTERVAL_KINDS];
};

/*
 * struct intervals - of one run
 * @recent: position + 1 of the interval that the last row of a reason was in
 * @vcpu: what intervals_compare() found
 */
struct intervals {
	const struct run *run;
	struct interval *interval;
	uint32_t count;
	struct hash hash;
	uint32_t recent[RECENT];
	struct compared *vcpu;
	size_t vcpus;
};

struct intervals *intervals_new(const struct run *run)
{
	struct intervals *intervals = calloc(1, sizeof(*intervals));

	if (intervals)
		intervals->run = run;
	return intervals;
}

/*
 * The reasons of an interval are near to each other in the table: roll-ups come in that order, so
 * most look-ups are in the cache.
 */
static uint64_t hash_interval(const struct interval *key)
{
	uint64_t hash = hash_mix(0, (uint64_t)key->vcpu);

	hash = hash_mix(hash, (uint64_t)key->slot);
	return hash + hash_mix(0, (uint64_t)key->reason >> 6) + ((uint64_t)key->reason & 63);
}

static bool has_key(const void *items, uint32_t i, const void *key)
{
	const struct interval *a = (const struct interval *)items + i, *b = key;

	return a->vcpu == b->vcpu && a->slot == b->slot && a->reason == b->reason;
}

static uint32_t *find_place(const struct intervals *intervals, const struct interval *key)
{
	return hash_place(&intervals->hash, hash_interval(key), has_key, intervals->interval, key);
}

static int grow(struct intervals *intervals)
{
	struct interval *more =
		array_reserve(intervals->interval, intervals->count, 1, sizeof(*more));
	int rc;

	if (!more)
		return -ENOMEM;
	intervals->interval = more;

	rc = hash_make_room(&intervals->hash, intervals->count);
	for (uint32_t i = 0; rc > 0 && i < intervals->count; i++)
		*find_place(intervals, &more[i]) = i + 1;
	return rc < 0 ? rc : 0;
}

/* The interval of a row, made if there is none; NULL without memory. */
static struct interval *find_or_add(struct intervals *intervals, const struct interval *key)
{
	uint32_t *recent =
		&intervals->recent[((uint64_t)key->reason ^ (uint64_t)key->vcpu * 8) % RECENT];
	uint32_t found;

	/* Rows come in batches of a vCPU and in the order of time. */
	if (*recent && has_key(intervals->interval, *recent - 1, key))
		return &intervals->interval[*recent - 1];

	found = intervals->count ? *find_place(intervals, key) : 0;
	if (!found) {
		if (grow(intervals))
			return NULL;
		found = ++intervals->count;
		intervals->interval[found - 1] = *key;
		*find_place(intervals, key) = found;
	}
	*recent = found;
	return &intervals->interval[found - 1];
}

int intervals_add(struct intervals *intervals, int64_t vcpu, int64_t reason, int64_t tsc,
		  int64_t cycles)
{
	const struct run *run = intervals->run;
	const struct interval key = {
		.vcpu = vcpu,
		.slot = run_since(run, tsc) / run->rollup_cycles,
		.reason = reason,
		.value = {cycles, cycles, tsc, tsc},
	};
	struct interval *interval = find_or_add(intervals, &key);

	if (!interval)
		return -ENOMEM;
	if (cycles < interval->value[EQUATION_MIN - EQUATION_MIN])
		interval->value[EQUATION_MIN - EQUATION_MIN] = cycles;
	if (cycles > interval->value[EQUATION_MAX - EQUATION_MIN])
		interval->value[EQUATION_MAX - EQUATION_MIN] = cycles;
	if (tsc < interval->value[EQUATION_FIRST - EQUATION_MIN])
		interval->value[EQUATION_FIRST - EQUATION_MIN] = tsc;
	if (tsc > interval->value[EQUATION_LAST - EQUATION_MIN])
		interval->value[EQUATION_LAST - EQUATION_MIN] = tsc;
	return 0;
}

/* The entry of the vCPU of a roll-up, which come by vCPU; NULL without memory. */
static struct compared *find_vcpu(struct intervals *intervals, const struct rolled_interval *rolled)
{
	struct compared *more;

	if (intervals->vcpus && intervals->vcpu[intervals->vcpus - 1].id == rolled->vcpu)
		return &intervals->vcpu[intervals->vcpus - 1];

	more = array_reserve(intervals->vcpu, intervals->vcpus, 1, sizeof(*more));
	if (!more)
		return NULL;
	intervals->vcpu = more;
	more[intervals->vcpus] = (struct compared){
		.id = rolled->vcpu,
		.vm = rolled->vm,
		.vcpu_id = rolled->vcpu_id,
	};
	return &more[intervals->vcpus++];
}

int intervals_compare(struct intervals *intervals, const struct rolled_interval *rolled)
{
	const struct interval key = {
		.vcpu = rolled->vcpu,
		.slot = rolled->slot,
		.reason = rolled->reason,
	};
	uint32_t found = intervals->count ? *find_place(intervals, &key) : 0;
	const struct interval *rows = found ? &intervals->interval[found - 1] : NULL;
	struct compared *vcpu = find_vcpu(intervals, rolled);

	if (!vcpu)
		return -ENOMEM;

	for (int i = 0; i < INTERVAL_KINDS; i++) {
		if (rolled->unknown[i])
			continue;
		if (rows && rows->value[i] == rolled->value[i])
			vcpu->equal[i]++;
		else if (vcpu->known[i] == vcpu->equal[i])
			vcpu->example[i] = (struct example){
				.slot = key.slot,
				.reason = key.reason,
				.rolled = rolled->value[i],
				.of_rows = rows ? rows->value[i] : 0,
				.no_rows = !rows,
			};
		vcpu->known[i]++;
	}
	return 0;
}

/* "reason 30 in interval 12: 0, its rows 384", or "". Of the heap. */
static char *explain(const struct compared *vcpu, int kind)
{
	const struct example *example = &vcpu->example[kind];
	char text[160] = "", of_rows[32] = "none";

	if (vcpu->known[kind] != vcpu->equal[kind]) {
		if (!example->no_rows)
			snprintf(of_rows, sizeof(of_rows), "%" PRId64, example->of_rows);
		snprintf(text, sizeof(text),
			 "REASON %" PRId64 " IN INTERVAL %" PRId64 ": %" PRId64 ", ITS ROWS %s",
			 example->reason, example->slot, example->rolled, of_rows);
	}
	return strdup(text);
}

int intervals_check(struct app *app, const struct intervals *intervals, enum equation_kind kind,
		    int equation, struct checks *checks)
{
	int i = (int)kind - EQUATION_MIN;

	for (size_t v = 0; v < intervals->vcpus; v++) {
		const struct compared *vcpu = &intervals->vcpu[v];
		const struct check check = {
			.equation = equation,
			.vm = vcpu->vm,
			.vcpu = vcpu->vcpu_id,
			.reason = -1,
			.left = vcpu->known[i],
			.right = vcpu->equal[i],
			.unexplained = vcpu->known[i] - vcpu->equal[i],
			.why = explain(vcpu, i),
		};

		if (!check.why)
			return app_fail(app, "out of memory");
		if (checks_add(app, checks, &check))
			return -1;
	}
	return 0;
}

void intervals_free(struct intervals *intervals)
{
	if (!intervals)
		return;
	free(intervals->interval);
	free(intervals->vcpu);
	hash_free(&intervals->hash);
	free(intervals);
}
