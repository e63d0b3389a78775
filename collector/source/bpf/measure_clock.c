// SPDX-License-Identifier: GPL-2.0-only
/* measure_clock.c - measures the line of clock.h: the TSC over CLOCK_MONOTONIC */
#include "collector/source/bpf/measure_clock.h"

#include <math.h>

#include "collector/host/host.h"

#define CLOCK_TRIES 8
/* The clock's line is measured over at least that long before anything is attached. */
#define CLOCK_LEAST_NS 20000000

/* The closest of some tries: an interrupt may come between two readings. */
struct bpf_clock_line measure_moment(void)
{
	struct bpf_clock_line best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = host_tsc(), ns = (uint64_t)host_monotonic_ns(),
			 after = host_tsc();

		if (after - before >= least)
			continue;
		least = after - before;
		best.ns = ns;
		best.tsc = before + (after - before) / 2;
	}
	return best;
}

void measure_clock(const struct bpf_clock_line *first, struct bpf_clock *clock)
{
	struct bpf_clock_line line = measure_moment();
	double slope = (double)(line.tsc - first->tsc) / (double)(line.ns - first->ns);

	line.mult = (uint64_t)llround(slope * (1 << BPF_CLOCK_SHIFT));
	bpf_clock_set(clock, &line);
}

uint32_t measure_khz(const struct bpf_clock_line *first)
{
	struct bpf_clock_line line;

	do {
		line = measure_moment();
	} while (line.ns - first->ns < CLOCK_LEAST_NS);
	return (uint32_t)((line.tsc - first->tsc) * 1000000 / (line.ns - first->ns));
}
