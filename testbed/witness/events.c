// SPDX-License-Identifier: GPL-2.0-only
/* events.c - reads the witness's file: maps it, checks it, sorts the exits by CPU */
#include "testbed/witness/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(char *why, size_t why_bytes, const char *path, const char *text)
{
	snprintf(why, why_bytes, "%s: %s", path, text);
	return -1;
}

static int map_file(struct events *events, const char *path, char *why, size_t why_bytes)
{
	struct stat status;
	void *mapped;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return refuse(why, why_bytes, path, strerror(errno));
	if (fstat(fd, &status) || status.st_size < (off_t)sizeof(struct witness_file)) {
		close(fd);
		return refuse(why, why_bytes, path, "not a file of the witness: too short");
	}

	mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		return refuse(why, why_bytes, path, strerror(errno));

	events->file = mapped;
	events->mapped_bytes = (size_t)status.st_size;
	return 0;
}

/* Returns what is wrong with the head of the file, or NULL. */
static const char *check_head(const struct events *events)
{
	const struct witness_file *file = events->file;
	uint64_t room = (events->mapped_bytes - sizeof(*file)) / sizeof(struct witness_exit);

	if (file->magic != WITNESS_MAGIC)
		return "not a file of the witness";
	if (file->version != WITNESS_VERSION || file->exit_bytes != sizeof(struct witness_exit))
		return "of another version of the witness";
	if (file->isa != WITNESS_VMX && file->isa != WITNESS_SVM)
		return "neither of VMX nor of SVM";
	if (file->count > room || file->count >= EVENTS_NONE)
		return "shorter than its head says";
	return NULL;
}

/* Returns what is wrong with the exits, or NULL; counts them by CPU. */
static const char *count_by_cpu(struct events *events)
{
	for (uint32_t i = 0; i < events->count; i++) {
		const struct witness_exit *exit = &events->exits[i];

		if (exit->cpu >= WITNESS_MAX_CPUS)
			return "an exit on a CPU that can't be";
		events->cpus[exit->cpu].count++;
	}
	return NULL;
}

static const char *index_exits(struct events *events)
{
	uint32_t filled[WITNESS_MAX_CPUS] = {0};
	const char *wrong = count_by_cpu(events);

	if (wrong)
		return wrong;

	for (uint32_t cpu = 0; cpu < WITNESS_MAX_CPUS; cpu++) {
		struct cpu_exits *exits = &events->cpus[cpu];

		exits->positions = malloc((exits->count + 1UL) * sizeof(uint32_t));
		if (!exits->positions)
			return "out of memory";
	}
	events->guest_cycles = malloc((events->count + 1UL) * sizeof(uint64_t));
	if (!events->guest_cycles)
		return "out of memory";

	events->guest_cycles[0] = 0;
	for (uint32_t i = 0; i < events->count; i++) {
		const struct witness_exit *exit = &events->exits[i];

		events->cpus[exit->cpu].positions[filled[exit->cpu]++] = i;
		events->guest_cycles[i + 1] =
			events->guest_cycles[i] + exit->exit_tsc - events_start(exit);
	}
	return NULL;
}

/* The part of @exits from the first to the last that is in @window. */
static void limit_cpu(const struct events *events, struct cpu_exits *exits, struct window window)
{
	exits->first = 0;
	exits->end = exits->count;

	while (exits->first < exits->end &&
	       events->exits[exits->positions[exits->first]].exit_tsc < window.begin)
		exits->first++;
	while (exits->end > exits->first &&
	       events->exits[exits->positions[exits->end - 1]].exit_tsc > window.end)
		exits->end--;
}

void events_limit(struct events *events, struct window window)
{
	events->backwards = 0;
	for (uint32_t cpu = 0; cpu < WITNESS_MAX_CPUS; cpu++) {
		struct cpu_exits *exits = &events->cpus[cpu];
		uint64_t last = 0;

		limit_cpu(events, exits, window);
		for (uint32_t i = exits->first; i < exits->end; i++) {
			const struct witness_exit *exit = &events->exits[exits->positions[i]];
			uint64_t start = events_start(exit);

			events->backwards += start < last || exit->exit_tsc < start;
			last = exit->exit_tsc;
		}
	}
}

int events_open(struct events *events, const char *path, char *why, size_t why_bytes)
{
	const char *wrong;

	memset(events, 0, sizeof(*events));
	if (map_file(events, path, why, why_bytes))
		return -1;

	wrong = check_head(events);
	if (!wrong) {
		events->exits = events->file->exits;
		events->count = (uint32_t)events->file->count;
		wrong = index_exits(events);
	}
	if (wrong) {
		events_close(events);
		return refuse(why, why_bytes, path, wrong);
	}
	events_limit(events, (struct window){0, UINT64_MAX});
	return 0;
}

void events_close(struct events *events)
{
	for (uint32_t cpu = 0; cpu < WITNESS_MAX_CPUS; cpu++)
		free(events->cpus[cpu].positions);
	free(events->guest_cycles);
	if (events->file)
		munmap((void *)events->file, events->mapped_bytes);
	memset(events, 0, sizeof(*events));
}

uint32_t events_find(const struct events *events, uint64_t cpu, uint64_t tsc)
{
	const struct cpu_exits *exits;
	uint32_t low;
	uint32_t high;

	if (cpu >= WITNESS_MAX_CPUS)
		return EVENTS_NONE;

	/* Up to before @low: the exits at @tsc or earlier. */
	exits = &events->cpus[cpu];
	low = exits->first;
	high = exits->end;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (events->exits[exits->positions[middle]].exit_tsc <= tsc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == exits->first)
		return EVENTS_NONE;

	/* The next stay in guest mode has begun already. */
	if (low < exits->count && events_start(&events->exits[exits->positions[low]]) <= tsc)
		return EVENTS_NONE;
	return exits->positions[low - 1];
}
