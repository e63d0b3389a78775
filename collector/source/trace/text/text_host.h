/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_host.h - how many CPUs the host has, which of them were recorded, and for how long
 *
 *	cpus=4							trace-cmd report
 *	# entries-in-buffer/entries-written: 414/612   #P:4	ftrace
 *	# nrcpus online : 4					perf script --header
 *	# cmdline : /usr/bin/perf record -C 0 -e kvm:*
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_HOST_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/trace/command_cpus.h"
#include "collector/source/trace/text/text_head.h"
#include "collector/source/trace/trace.h"

/*
 * Zeroed at first.
 * @cpus: of the host; 0: not said
 * @recorded: how many of them perf recorded, 0: not said; @first: the first of these
 * @filters_exits, @filters_entries: by perf's command
 * @seen: CPUs that have events, up to 2; @cpu: one of them
 * @from, @to: times of the first and the last of these events
 */
struct text_host {
	uint32_t cpus;
	uint32_t recorded;
	uint32_t first;
	bool filters_exits;
	bool filters_entries;
	uint32_t seen;
	uint32_t cpu;
	uint64_t from;
	uint64_t to;
	char no_time[CPUS_MISSING_BYTES];
};

/* Learn from a line before the events. */
void text_host_take(struct text_host *host, const char *line);

/* Learn from an event of any kind. Without CPUs they may be of all. */
void text_host_see(struct text_host *host, const struct text_head *head, uint64_t ts);

/* The times of all events. False: there was none. */
bool text_host_span(const struct text_host *host, uint64_t *from, uint64_t *to);

/* Some of the CPUs were recorded: no durations. It refers to @host. */
void text_host_set_time(struct text_host *host, struct trace_feed *feed);

/* Whether events of other CPUs may be missing, after all events. */
void text_host_report(const struct text_host *host, struct losses_reported *reported);

#endif
