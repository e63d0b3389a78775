// SPDX-License-Identifier: GPL-2.0-only
/* lost_windows.c - a sorted list of windows per CPU */
#include "collector/events/lost_windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static uint32_t place_of(uint32_t cpu)
{
	return cpu < LOST_WINDOWS_CPUS ? cpu : LOST_WINDOWS_CPUS;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Two that only touch stay apart: there is an event between them. */
static void append(struct lost_windows_cpu *cpu, struct lost_window window)
{
	struct lost_window *last = cpu->count ? &cpu->window[cpu->count - 1] : NULL;

	if (last && window.from >= last->from && window.from < last->to)
		last->to = later(last->to, window.to);
	else
		cpu->window[cpu->count++] = window;
}

int lost_windows_add(struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	struct lost_windows_cpu *windows = &lost->cpu[place_of(cpu)];
	struct lost_window window = {.from = from, .to = to};
	struct lost_window *more;

	/* A text may be printed from the last event to the first. */
	if (from > to)
		window = (struct lost_window){.from = to, .to = from};
	more = array_reserve(windows->window, windows->count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	windows->window = more;

	if (windows->count && window.from < more[windows->count - 1].from)
		lost->unsorted = windows->unsorted = true;
	append(windows, window);
	lost->any = true;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct lost_window *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static void sort(struct lost_windows_cpu *cpu)
{
	size_t count = cpu->count;

	array_sort(cpu->window, count, sizeof(*cpu->window), by_time);
	cpu->count = 0;
	for (size_t i = 0; i < count; i++)
		append(cpu, cpu->window[i]);
	cpu->unsorted = false;
}

void lost_windows_sort(struct lost_windows *lost)
{
	for (uint32_t i = 0; i <= LOST_WINDOWS_CPUS && lost->unsorted; i++) {
		if (lost->cpu[i].unsorted)
			sort(&lost->cpu[i]);
	}
	lost->unsorted = false;
}

/* The first window that ends after @ts; the end of the list: there is none. */
static const struct lost_window *first_after(const struct lost_windows_cpu *cpu, uint64_t ts)
{
	size_t low = 0, high = cpu->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cpu->window[middle].to > ts)
			high = middle;
		else
			low = middle + 1;
	}
	return cpu->window + low;
}

bool lost_windows_hit(const struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	const struct lost_windows_cpu *windows = &lost->cpu[place_of(cpu)];
	const struct lost_window *w;

	if (!windows->count)
		return false;
	w = first_after(windows, from);
	return w < windows->window + windows->count && w->from < to;
}

void lost_windows_cpus_add(struct lost_windows_cpus *cpus, uint32_t cpu)
{
	cpus->bits[place_of(cpu) / 64] |= UINT64_C(1) << place_of(cpu) % 64;
}

/* The same for the CPUs of one list. */
static bool hits_for(const struct lost_windows_cpu *windows, uint64_t from, uint64_t to,
		     uint64_t least)
{
	const struct lost_window *end, *w;

	if (!windows->count)
		return false;
	end = windows->window + windows->count;
	for (w = first_after(windows, from); w < end && w->from < to; w++) {
		uint64_t begin = later(w->from, from);
		uint64_t until = w->to < to ? w->to : to;

		if (begin < until && until - begin >= least)
			return true;
	}
	return false;
}

bool lost_windows_hit_any(const struct lost_windows *lost, const struct lost_windows_cpus *cpus,
			  uint64_t from, uint64_t to, uint64_t least)
{
	if (!lost->any || from > to || to - from < least)
		return false;

	for (uint32_t i = 0; i < sizeof(cpus->bits) / sizeof(*cpus->bits); i++) {
		for (uint64_t left = cpus->bits[i]; left; left &= left - 1) {
			uint32_t place = 64 * i + (uint32_t)__builtin_ctzll(left);

			if (hits_for(&lost->cpu[place], from, to, least))
				return true;
		}
	}
	return false;
}

void lost_windows_free(struct lost_windows *lost)
{
	for (uint32_t i = 0; i <= LOST_WINDOWS_CPUS; i++)
		free(lost->cpu[i].window);
	memset(lost, 0, sizeof(*lost));
}
