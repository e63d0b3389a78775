// SPDX-License-Identifier: GPL-2.0-only
/* leaf_bounds_test.c - bounds of CPUID leaves against their definition, and what many of them cost
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analyzer/verify/leaf_bounds.h"
#include "base/random.h"
#include "sql/test/check.h"

#define VCPUS	 4
#define REASONS	 3
#define ROWS	 400
#define MANY	 20000
#define CPU_SECS 5

/* vCPUs 0 and 1 are of VM 0, the others of VM 1. */
static int64_t vm_of(int64_t vcpu)
{
	return vcpu / 2;
}

/* The next exit of @vcpu, which may begin where the one before ended, and take no time. */
static struct leaf_row make_row(int64_t vcpu, int64_t *now, uint64_t *seed)
{
	struct leaf_row row = {
		.vcpu = vcpu,
		.vm = vm_of(vcpu),
		.reason = (int64_t)(random_next(seed) % REASONS),
		.tsc = *now + (int64_t)(random_next(seed) % 50),
		.cycles = 1 + (int64_t)(random_next(seed) % 40),
	};

	row.time_cycles = row.cycles / 2;
	*now = row.tsc + row.cycles;
	return row;
}

static struct leaf_exit exit_of(const struct leaf_row *row, int64_t reason)
{
	return (struct leaf_exit){
		.vcpu = row->vcpu,
		.vm = row->vm,
		.tsc = row->tsc,
		.end = row->tsc + row->cycles,
		.reason = reason,
	};
}

/* What verify_leaf.h says of @row and @e. */
static void add_by_definition(struct leaf_exit *e, const struct leaf_row *row, bool host)
{
	bool own = row->vcpu == e->vcpu;
	int64_t end = row->tsc + row->cycles;

	if ((!host && row->vm != e->vm) || (e->reason != LEAF_EVERY && e->reason != row->reason))
		return;

	e->exits_low += row->tsc <= e->tsc;
	e->exits_high += row->tsc <= (own ? e->tsc : e->end);
	if (own ? row->tsc < e->tsc : end <= e->tsc)
		e->cycles_low += row->time_cycles;
	if (own ? row->tsc < e->tsc : end <= e->end)
		e->cycles_high += row->time_cycles;
}

static void test_definition(uint64_t seed, bool host)
{
	static struct leaf_row rows[ROWS];
	struct leaf_bounds bounds = {.exits = calloc(ROWS, sizeof(struct leaf_exit)), .host = host};
	int64_t now[VCPUS] = {0};
	int wrong = 0;

	for (int i = 0; i < ROWS; i++) {
		int64_t vcpu = (int64_t)(random_next(&seed) % VCPUS);
		int64_t reason = (int64_t)(random_next(&seed) % (REASONS + 1)) - 1;

		rows[i] = make_row(vcpu, &now[vcpu], &seed);
		if (random_next(&seed) % 5 == 0)
			bounds.exits[bounds.exit_count++] = exit_of(&rows[i], reason);
	}

	CHECK_EQ(leaf_bounds_open(&bounds), 0);
	for (int i = ROWS - 1; i >= 0; i--)
		leaf_bounds_add(&bounds, &rows[i]);
	leaf_bounds_sum(&bounds);

	for (int i = 0; i < bounds.exit_count; i++) {
		const struct leaf_exit *got = &bounds.exits[i];
		struct leaf_exit right = *got;

		right.exits_low = right.exits_high = right.cycles_low = right.cycles_high = 0;
		for (int r = 0; r < ROWS; r++)
			add_by_definition(&right, &rows[r], host);
		wrong += got->exits_low != right.exits_low || got->exits_high != right.exits_high ||
			 got->cycles_low != right.cycles_low ||
			 got->cycles_high != right.cycles_high;
	}
	CHECK_EQ(wrong, 0);
	leaf_bounds_free(&bounds);
}

/* A guest that reads its leaves again and again: a row does not cost one step per reading. */
static void test_cost(void)
{
	struct leaf_bounds bounds = {.exits = calloc(MANY, sizeof(struct leaf_exit))};
	clock_t begin;

	for (int i = 0; i < MANY; i++) {
		struct leaf_row row = {.vcpu = i % 100, .tsc = 1000 * i, .cycles = 100};

		bounds.exits[bounds.exit_count++] = exit_of(&row, i % 64);
	}

	begin = clock();
	CHECK_EQ(leaf_bounds_open(&bounds), 0);
	for (int i = 0; i < 25 * MANY; i++) {
		struct leaf_row row = {
			.vcpu = i % 100, .reason = i % 64, .tsc = 40 * i, .cycles = 9};

		leaf_bounds_add(&bounds, &row);
	}
	leaf_bounds_sum(&bounds);
	CHECK((clock() - begin) / CLOCKS_PER_SEC < CPU_SECS);
	leaf_bounds_free(&bounds);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		test_definition(seed, false);
		test_definition(seed, true);
	}
	test_cost();
	return check_result();
}
