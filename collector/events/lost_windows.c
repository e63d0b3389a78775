// SPDX-License-Identifier: GPL-2.0-only
/* lost_windows.c - a chain of windows per CPU */
#include "collector/events/lost_windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static uint32_t chain_of(uint32_t cpu)
{
	return cpu < LOST_WINDOWS_CPUS ? cpu : LOST_WINDOWS_CPUS;
}

int lost_windows_add(struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	uint32_t *last = &lost->last[chain_of(cpu)];
	struct lost_window *more;

	if (lost->count == UINT32_MAX)
		return -ENOMEM;
	more = array_reserve(lost->window, lost->count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	lost->window = more;

	more[lost->count++] =
		(struct lost_window){.from = from, .to = to, .cpu = cpu, .before = *last};
	*last = (uint32_t)lost->count;
	return 0;
}

bool lost_windows_hit(const struct lost_windows *lost, uint32_t cpu, uint64_t from, uint64_t to)
{
	const struct lost_window *w;

	for (uint32_t n = lost->last[chain_of(cpu)]; n; n = w->before) {
		w = &lost->window[n - 1];
		if (w->cpu != cpu)
			continue;
		if (w->to <= from)
			return false;
		if (w->from < to)
			return true;
	}
	return false;
}

void lost_windows_cpus_add(struct lost_windows_cpus *cpus, uint32_t cpu)
{
	cpus->bits[chain_of(cpu) / 64] |= UINT64_C(1) << chain_of(cpu) % 64;
}

/* The same for the CPUs of one chain. */
static bool hits_chain(const struct lost_windows *lost, uint32_t chain, uint64_t from, uint64_t to,
		       uint64_t least)
{
	const struct lost_window *w;

	for (uint32_t n = lost->last[chain]; n; n = w->before) {
		w = &lost->window[n - 1];
		if (w->to <= from && chain < LOST_WINDOWS_CPUS)
			return false;

		uint64_t begin = w->from > from ? w->from : from;
		uint64_t end = w->to < to ? w->to : to;

		if (begin < end && end - begin >= least)
			return true;
	}
	return false;
}

bool lost_windows_hit_any(const struct lost_windows *lost, const struct lost_windows_cpus *cpus,
			  uint64_t from, uint64_t to, uint64_t least)
{
	if (!lost->count || from > to || to - from < least)
		return false;

	for (uint32_t i = 0; i < sizeof(cpus->bits) / sizeof(*cpus->bits); i++) {
		for (uint64_t left = cpus->bits[i]; left; left &= left - 1) {
			uint32_t chain = 64 * i + (uint32_t)__builtin_ctzll(left);

			if (hits_chain(lost, chain, from, to, least))
				return true;
		}
	}
	return false;
}

void lost_windows_free(struct lost_windows *lost)
{
	free(lost->window);
	memset(lost, 0, sizeof(*lost));
}
