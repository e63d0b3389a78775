// SPDX-License-Identifier: GPL-2.0-only
/* dat_options.c - reads the options of a trace.dat file */
#include "collector/source/trace/dat/dat_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"

/* The text of an option, of which not all end with a 0. NULL: no memory. */
static char *text_of(const struct cursor *c)
{
	return strndup((const char *)c->at, cursor_left(c));
}

struct dat_buffer *dat_option_buffer(struct dat_file *file, const char *name)
{
	struct dat_buffer *more;

	for (size_t i = 0; i < file->buffer_count; i++) {
		if (!strncmp(file->buffers[i].name, name, sizeof(file->buffers[i].name) - 1))
			return &file->buffers[i];
	}
	more = array_reserve(file->buffers, file->buffer_count, 1, sizeof(*more));
	if (!more)
		return NULL;
	file->buffers = more;
	more += file->buffer_count++;
	*more = (struct dat_buffer){.page_bytes = file->page_bytes};
	snprintf(more->name, sizeof(more->name), "%s", name);
	return more;
}

/* "overrun: 12" or the like at the beginning of @line, for those that mean lost events. */
static uint64_t lost_in(const char *line)
{
	static const char *const keys[] = {"overrun: ", "commit overrun: ", "dropped events: "};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!strncmp(line, keys[i], strlen(keys[i])))
			return strtoull(line + strlen(keys[i]), NULL, 10);
	}
	return 0;
}

/* A CPU that has events by its statistics; they name each CPU before its numbers. */
static int add_busy(struct dat_buffer *buffer, uint32_t cpu)
{
	uint32_t *more;

	if (buffer->busy_count && buffer->busy[buffer->busy_count - 1] == cpu)
		return 0;
	more = array_reserve(buffer->busy, buffer->busy_count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	buffer->busy = more;
	more[buffer->busy_count++] = cpu;
	return 0;
}

/* Events of a CPU that were lost; what its statistics say stands together. */
static int add_lost(struct dat_buffer *buffer, uint32_t cpu, uint64_t events)
{
	struct dat_lost *more;

	if (!events)
		return 0;
	buffer->lost += events;
	if (buffer->lost_count && buffer->lost_of[buffer->lost_count - 1].cpu == cpu) {
		buffer->lost_of[buffer->lost_count - 1].events += events;
		return 0;
	}
	more = array_reserve(buffer->lost_of, buffer->lost_count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	buffer->lost_of = more;
	more[buffer->lost_count++] = (struct dat_lost){.cpu = cpu, .events = events};
	return 0;
}

uint64_t dat_lost_of(const struct dat_buffer *buffer, uint32_t cpu)
{
	for (size_t i = 0; i < buffer->lost_count; i++) {
		if (buffer->lost_of[i].cpu == cpu)
			return buffer->lost_of[i].events;
	}
	return 0;
}

/* "entries: 76" or "read events: 546": what was written to the file. */
static bool has_events(const char *line)
{
	unsigned long long count;

	return (sscanf(line, "entries: %llu", &count) == 1 ||
		sscanf(line, "read events: %llu", &count) == 1) &&
	       count;
}

/* A file per_cpu/cpuN/stats, or "Buffer: NAME" before those of an instance. */
static int take_stats(struct dat_file *f, char *text)
{
	struct dat_buffer *buffer;
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strncmp(line, "Buffer: ", 8)) {
			snprintf(f->stats_of, sizeof(f->stats_of), "%s", line + 8);
			continue;
		}
		buffer = dat_option_buffer(f, f->stats_of);
		if (!buffer)
			return -ENOMEM;
		buffer->has_stats = true;
		sscanf(line, "CPU: %u", &f->stats_cpu);
		if (add_lost(buffer, f->stats_cpu, lost_in(line)) ||
		    (has_events(line) && add_busy(buffer, f->stats_cpu)))
			return -ENOMEM;
	}
	return 0;
}

bool dat_option_clock(const char *text, size_t bytes, char *clock, size_t clock_bytes)
{
	const char *begin = memchr(text, '[', bytes);
	const char *end = begin ? memchr(begin, ']', bytes - (size_t)(begin - text)) : NULL;

	if (!end || end == begin + 1 || (size_t)(end - begin) > clock_bytes)
		return false;
	for (const char *at = begin + 1; at < end; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("-_", *at))
			return false;
	}
	snprintf(clock, clock_bytes, "%.*s", (int)(end - begin - 1), begin + 1);
	return true;
}

/* trace-cmd before 3.0 leaves it empty: the clock stands after the places of the pages. */
static void take_clock(struct dat_file *f, const char *text)
{
	if (!dat_option_clock(text, strlen(text), f->clock, sizeof(f->clock)) && !*f->clock)
		snprintf(f->clock, sizeof(f->clock), DAT_CLOCK_UNKNOWN);
}

/* "Linux HOST 6.1.0-56-amd64 x86_64" */
static void take_uname(struct dat_file *f, char *text)
{
	char *rest, *words[4];

	for (size_t i = 0; i < 4; i++) {
		words[i] = strtok_r(i ? NULL : text, " \n", &rest);
		if (!words[i])
			return;
	}
	snprintf(f->host, sizeof(f->host), "%s", words[1]);
	snprintf(f->kernel, sizeof(f->kernel), "%s", words[2]);
	snprintf(f->machine, sizeof(f->machine), "%s", words[3]);
	if (!strcmp(f->host, "(none)"))
		*f->host = '\0';
}

static int take_text(struct dat_file *f, unsigned int option, char *text)
{
	switch (option) {
	case DAT_OPTION_DATE: /* us */
		f->wall_offset_ns += (int64_t)((uint64_t)strtoll(text, NULL, 0) * 1000);
		return 0;
	case DAT_OPTION_CPUSTAT:
		return take_stats(f, text);
	case DAT_OPTION_TRACECLOCK:
		take_clock(f, text);
		return 0;
	case DAT_OPTION_UNAME:
		take_uname(f, text);
		return 0;
	}
	return 0;
}

int dat_option_take(struct dat_file *file, unsigned int option, struct cursor data)
{
	char *text;
	int rc;

	if (option == DAT_OPTION_TSC2NSEC) {
		file->tsc_mult = cursor_u32(&data);
		file->tsc_shift = cursor_u32(&data);
		return 0;
	}
	if (option == DAT_OPTION_CPUCOUNT) {
		file->cpu_count = cursor_u32(&data);
		return 0;
	}
	text = text_of(&data);
	if (!text)
		return -ENOMEM;
	rc = take_text(file, option, text);
	free(text);
	return rc;
}
