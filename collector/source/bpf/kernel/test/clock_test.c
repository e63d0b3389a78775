// SPDX-License-Identifier: GPL-2.0-only
/* clock_test.c - the TSC that BPF programs compute: never torn, exact at any distance */
#include "collector/source/bpf/kernel/clock.h"

#include <string.h>

#include "kvm/test/common/check.h"

#define GHZ_2_5 (5ULL << (BPF_CLOCK_SHIFT - 1)) /* cycles per ns << BPF_CLOCK_SHIFT */
#define START	1000000000ULL			/* ns */
#define SECOND	1000000000ULL

static struct bpf_clock tsc_clock;

static struct bpf_clock_line line_at(__u64 ns)
{
	return (struct bpf_clock_line){.ns = ns, .tsc = ns * 5 / 2, .mult = GHZ_2_5};
}

static bool set_at(__u64 ns)
{
	struct bpf_clock_line line = line_at(ns);

	return bpf_clock_set(&tsc_clock, &line);
}

static void begin(void)
{
	memset(&tsc_clock, 0, sizeof(tsc_clock));
	CHECK(set_at(START));
}

/* A program's CPU stands still for 4 s after it has chosen its line; the loader goes on. */
static void line_in_use_stays(__u64 every_ns)
{
	const struct bpf_clock_line *line;
	struct bpf_clock_line chosen;

	begin();
	line = bpf_clock_line(&tsc_clock);
	chosen = *line;
	for (__u64 ns = START; ns < START + 4 * SECOND; ns += every_ns) {
		set_at(ns);
		CHECK(!memcmp(line, &chosen, sizeof(chosen)));
	}

	CHECK(bpf_clock_line(&tsc_clock) != line);
	CHECK(bpf_clock_line(&tsc_clock)->ns >=
	      START + 4 * SECOND - 2 * BPF_CLOCK_LEAST_NS - every_ns);
	CHECK(BPF_CLOCK_HOLD_NS > 4 * SECOND);
}

/* A loader that comes too often changes nothing; then the next line is in force at once. */
static void young_line_stays(void)
{
	begin();
	CHECK(!set_at(START));
	CHECK(!set_at(START + BPF_CLOCK_LEAST_NS - 1));
	CHECK(bpf_clock_line(&tsc_clock)->ns == START);
	CHECK(set_at(START + BPF_CLOCK_LEAST_NS));
	CHECK(bpf_clock_line(&tsc_clock)->ns == START + BPF_CLOCK_LEAST_NS);
}

/* 2.5 cycles per ns: exact before the line, on it, and up to 100 days after it. */
static void exact_at_any_distance(void)
{
	static const __s64 distances[] = {
		0,
		2,
		-2,
		-4000,
		-2 * (__s64)SECOND / 4,
		SECOND,
		((__s64)1 << 38) - 2,
		(__s64)1 << 38,
		800 * (__s64)SECOND,
		850 * (__s64)SECOND,
		3600 * (__s64)SECOND,
		100 * 86400 * (__s64)SECOND,
	};
	struct bpf_clock_line line = line_at(START);

	for (unsigned int i = 0; i < sizeof(distances) / sizeof(*distances); i++)
		CHECK(bpf_clock_tsc(&line, START + (__u64)distances[i]) ==
		      line.tsc + (__u64)(distances[i] / 2 * 5));
}

int main(void)
{
	line_in_use_stays(10000000); /* the loader's tick */
	line_in_use_stays(100000);
	line_in_use_stays(7777);
	young_line_stays();
	exact_at_any_distance();
	return 0;
}
