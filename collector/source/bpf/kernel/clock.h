/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - the TSC for BPF programs, which have no RDTSC: a line over CLOCK_MONOTONIC
 *
 * The loader measures the line again many times a second. A program takes one step to choose a
 * line and others to read it, and its CPU may stand still between them: a host that is a VM
 * itself loses its CPU for tenths of a second, interrupts take their time. So a line is written
 * again only after BPF_CLOCK_LINES - 1 others, which takes BPF_CLOCK_HOLD_NS at least, however
 * often the loader comes.
 *
 *	loader				program
 *	lines[now + 1] = line		line = lines[now]
 *	release: now = now + 1		reads *line (address dependency)
 */
#ifndef EXITSCOPE_BPF_CLOCK_H
#define EXITSCOPE_BPF_CLOCK_H

#include <linux/types.h>
#include <stdbool.h>

#define BPF_CLOCK_SHIFT	   22
#define BPF_CLOCK_LINES	   1024U      /* a power of two */
#define BPF_CLOCK_LEAST_NS 5000000ULL /* from line to line */
#define BPF_CLOCK_HOLD_NS  ((BPF_CLOCK_LINES - 1) * BPF_CLOCK_LEAST_NS)

/* TSC = tsc + ((CLOCK_MONOTONIC - ns) * mult >> BPF_CLOCK_SHIFT) */
struct bpf_clock_line {
	__u64 ns;   /* CLOCK_MONOTONIC */
	__u64 tsc;  /* cycles, at that moment */
	__u64 mult; /* cycles per ns << BPF_CLOCK_SHIFT */
};

/* All zero: no line yet. */
struct bpf_clock {
	struct bpf_clock_line lines[BPF_CLOCK_LINES];
	__u32 now; /* index of the line in force, modulo BPF_CLOCK_LINES */
};

/* The line in force. */
static inline __attribute__((always_inline)) const struct bpf_clock_line *
bpf_clock_line(const struct bpf_clock *clock)
{
	return &clock->lines[*(const volatile __u32 *)&clock->now & (BPF_CLOCK_LINES - 1)];
}

/* @ns in TSC cycles, exact to a cycle: a vCPU may be halted for an hour. Negative: before. */
static inline __attribute__((always_inline)) __u64
bpf_clock_cycles(const struct bpf_clock_line *line, __u64 ns)
{
	__u64 part = ns & ((1ULL << BPF_CLOCK_SHIFT) - 1);

	/* 4 minutes; up to 2^26, which is 16 GHz, a mult leaves room for the product. */
	if (__builtin_expect(!(ns >> 38), 1))
		return ns * line->mult >> BPF_CLOCK_SHIFT;
	return (__u64)((__s64)ns >> BPF_CLOCK_SHIFT) * line->mult +
	       (part * line->mult >> BPF_CLOCK_SHIFT);
}

/*
 * The TSC at CLOCK_MONOTONIC @ns, however far that is from the line: the loader may have stood
 * still for an hour, and the clock of BPF programs, which takes no lock, may be a little older
 * than the line.
 */
static inline __attribute__((always_inline)) __u64 bpf_clock_tsc(const struct bpf_clock_line *line,
								 __u64 ns)
{
	return line->tsc + bpf_clock_cycles(line, ns - line->ns);
}

/* The loader's alone. Puts @line in force, unless the one in force is too young: false. */
static inline bool bpf_clock_set(struct bpf_clock *clock, const struct bpf_clock_line *line)
{
	const struct bpf_clock_line *old = bpf_clock_line(clock);
	__u32 next = clock->now + 1;

	if (old->mult && line->ns - old->ns < BPF_CLOCK_LEAST_NS)
		return false;

	clock->lines[next & (BPF_CLOCK_LINES - 1)] = *line;
	__atomic_store_n(&clock->now, next, __ATOMIC_RELEASE);
	return true;
}

#endif
