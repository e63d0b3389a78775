/* SPDX-License-Identifier: GPL-2.0-only */
/* text_feed.h - the feed of printed events, for the files of this folder */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_FEED_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/events/trace_instance.h"
#include "collector/host/fault.h"
#include "collector/source/trace/names.h"
#include "collector/source/trace/text/text_host.h"
#include "collector/source/trace/text/text_instances.h"
#include "collector/source/trace/text/text_line.h"
#include "collector/source/trace/text/text_parts.h"
#include "collector/source/trace/text/text_shape.h"
#include "collector/source/trace/text/text_threads.h"
#include "collector/source/trace/text/text_twins.h"

#define TEXT_LINE_BYTES 2048
#define TEXT_CPUS	4096
#define TEXT_NOTES	8

/*
 * A CPU in an instance.
 * @gap: events were lost since the last one of the CPU
 * @gaps_of_all: as in struct text_feed, at that one
 * @lost, @more: events that lines since then call lost, and whether one says no number
 * @run: of events that perf may have printed twice
 * @part: of the text
 * @entered: the last kvm_entry, until the exit after it; .tid 0: there is none
 */
struct text_cpu {
	uint64_t last_ts;
	uint64_t gaps_of_all;
	uint64_t lost;
	bool more;
	bool gap;
	struct text_run run;
	struct text_part part;
	struct kvm_event entered;
};

/* The CPUs of an instance, up to one that had an event. All 0: of none */
struct text_cpus {
	struct text_cpu *cpu;
	uint32_t count;
};

/*
 * What ftrace's header says of the buffer that follows it, and what follows.
 * @present, @written: events in it, and in all; @read: lines of events; @again: of them those that
 *	an earlier buffer has
 */
struct text_buffer {
	uint64_t present;
	uint64_t written;
	uint64_t read;
	uint64_t again;
};

/*
 * @is_count: times are whole numbers
 * @newest, @before: time of the newest event, in all and in all fills but the last
 * @overwritten: by the headers of ftrace's trace; @lost: by lines between the events;
 *	@gaps: lines that don't say how many
 * @buffer, @buffer_before: the last header, and the one before
 * @gaps_of_all: how often events were lost, of a CPU that is not known
 * @unread: lines of kvm_exit or kvm_entry that could not be read; @foreign: some of them
 *	are of another architecture
 * @short_lines: of kvm_exit, which end before their last fields
 * @filtered: kvm_exit has a filter, and no kvm_entry shows what it left out
 * @sampled: an event stands for several
 * @has_entries: some event is a kvm_entry; @has_rips: and has a rip
 * @has_ns, @has_cpus: some event has a time with more digits than those of us, or a CPU
 * @surveying: this is the first reading, for what must be known before; @collecting: one of its
 *	own, for which events stand twice
 * @exits: kvm_exit events; @rises, @falls: how often the time of an event of KVM is later
 *	or earlier than that of the one before, @last_ts
 * @size: bytes of the file when it was opened, of which @left were not read so far: what is written
 *	to it meanwhile would be in one reading alone
 * @no_end: it does not end with an end of line; @cut_at: as in losses.h; @shapes: of the whole
 *	lines of kvm_exit and kvm_entry
 * @instances, @parts, @twins: which events are others once more
 * @notes: for the user, up to a NULL
 * @threads: for @are_processes: the number before the CPU is a process; @lacks_vcpus: some kvm_exit
 *	does not name its vCPU
 * @host: what the text says of its CPUs
 * @cpus: of each instance
 */
struct text_feed {
	FILE *file;
	const char *path;
	bool is_count;
	uint64_t newest;
	uint64_t before;
	uint64_t others;
	uint64_t overwritten;
	uint64_t lost;
	uint64_t gaps_of_all;
	uint64_t unread;
	uint64_t short_lines;
	bool foreign;
	bool gaps;
	bool filtered;
	bool sampled;
	bool has_entries;
	bool has_rips;
	bool has_ns;
	bool has_cpus;
	bool surveying;
	bool collecting;

	struct text_buffer buffer;
	struct text_buffer buffer_before;

	uint64_t exits;
	uint64_t rises;
	uint64_t falls;
	uint64_t last_ts;

	uint64_t size;
	uint64_t left;
	bool no_end;
	uint64_t cut_at;
	struct text_shapes shapes[KVM_EVENT_ENTRY + 1];

	struct text_instances instances;
	struct text_parts parts;
	struct text_twins twins;
	struct text_threads threads;
	bool are_processes;
	bool lacks_vcpus;
	char *notes[TEXT_NOTES + 1];

	struct text_host host;
	struct text_cpus cpus[TEXT_INSTANCES];
	struct names names;
};

/* Hand over what a line says. 0, or -errno. */
int text_feed_take(struct text_feed *f, struct text_line *line, const struct trace_sink *sink);

/* Hand over lost events that no event of their CPU follows, at the end of the text. */
int text_feed_end(struct text_feed *f, const struct trace_sink *sink);

/* The next line, of which what is longer than TEXT_LINE_BYTES is cut off. False: the end. */
bool text_feed_next_line(struct text_feed *f, char *text);

/* Begin the text again; what the survey has shown stays. */
void text_feed_rewind(struct text_feed *f);

/* Its exits are not those of x86: words for it. */
int text_feed_refuse_foreign(const struct text_feed *f, struct fault *fault);

/* Read as far as the first event, which shows what kind of times the text has. 0, or -errno. */
int text_feed_read_first(struct text_feed *f, struct fault *fault);

/* After the first reading: decide what the text is. 1: its events are others now; 0; -ENOMEM. */
int text_feed_decide(struct text_feed *f);

#endif
