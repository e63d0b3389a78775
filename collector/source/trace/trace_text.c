// SPDX-License-Identifier: GPL-2.0-only
/* trace_text.c - events from what ftrace, trace-cmd report or perf script printed */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/names.h"
#include "collector/source/trace/text_line.h"
#include "collector/source/trace/trace.h"

#define LINE_BYTES 2048
#define FILL_LINES 65536
#define CPUS	   4096

/* @gap: events were lost since the last one of the CPU. */
struct text_cpu {
	uint64_t last_ts;
	bool gap;
};

/*
 * @is_count: times are whole numbers
 * @newest, @before: time of the newest event, in all and in all fills but the last
 * @overwritten: by the header of ftrace's trace; @lost: by lines between the events;
 *	@gaps: lines that don't say how many
 * @unread: lines of kvm_exit or kvm_entry that could not be read
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
	uint64_t unread;
	bool gaps;
	struct text_cpu cpus[CPUS];
	struct names names;
};

static struct text_cpu *cpu_of(struct text_feed *f, uint32_t cpu)
{
	return &f->cpus[cpu < CPUS ? cpu : CPUS - 1];
}

/* Removes a terminal's colours (ECMA-48: CSI ... m or K), which `grep --color` leaves in a text. */
static void remove_colours(char *text)
{
	char *to = text;

	while (*text) {
		size_t length = strncmp(text, "\033[", 2) ? 0 : 2 + strspn(text + 2, "0123456789;");

		if (length && (text[length] == 'm' || text[length] == 'K'))
			text += length + 1;
		else
			*to++ = *text++;
	}
	*to = '\0';
}

/*
 * The next line without its end; what is longer than LINE_BYTES is cut off. Its blanks are all ' ':
 * tabs of a copy, the '\r' of another system, and the zeros that a crash leaves in a file.
 */
static bool next_line(struct text_feed *f, char *text)
{
	size_t length = 0;
	int c;

	while ((c = getc_unlocked(f->file)) != EOF && c != '\n') {
		if (length < LINE_BYTES - 1)
			text[length++] = c && !isspace(c) ? (char)c : ' ';
	}
	text[length] = '\0';
	remove_colours(text);
	return c != EOF || length;
}

static int take_event(struct text_feed *f, const struct text_line *line,
		      const struct trace_sink *sink)
{
	const struct kvm_event *event = &line->event;
	struct text_cpu *cpu = cpu_of(f, event->cpu);
	int rc = 0;

	if (line->is_count != f->is_count)
		return 0;
	if (cpu->gap)
		rc = sink->lost(sink->user, event->cpu, cpu->last_ts, event->ts);
	cpu->gap = false;
	cpu->last_ts = event->ts;
	if (event->ts > f->newest)
		f->newest = event->ts;

	if (rc || line->kind == TEXT_OTHER) {
		f->others++;
		return rc;
	}
	rc = names_set(&f->names, event->tid, line->comm);
	return rc ? rc : sink->event(sink->user, event);
}

static int take_line(struct text_feed *f, const struct text_line *line,
		     const struct trace_sink *sink)
{
	switch (line->kind) {
	case TEXT_EVENT:
	case TEXT_OTHER:
		return take_event(f, line, sink);
	case TEXT_LOST:
	case TEXT_SAMPLES_LOST:
		f->lost += line->lost;
		f->gaps |= !line->lost;
		cpu_of(f, line->event.cpu)->gap = true;
		return 0;
	case TEXT_OVERWRITTEN:
		f->overwritten += line->lost;
		return 0;
	case TEXT_UNREAD:
		f->unread++;
		return 0;
	case TEXT_NOTHING:
		return 0;
	}
	return 0;
}

static int text_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		     struct fault *fault)
{
	struct text_feed *f = self;
	struct text_line line;
	char text[LINE_BYTES];
	int rc = 0;

	*horizon = f->before;
	for (int i = 0; i < FILL_LINES && !rc && !*end; i++) {
		if (next_line(f, text)) {
			text_line_parse(text, &line);
			rc = take_line(f, &line, sink);
		} else {
			*end = true;
		}
	}
	f->before = f->newest;
	if (ferror(f->file))
		return fault_set(fault, -EIO, "%s: can't be read to its end", f->path);
	return rc;
}

static void text_rewind(void *self)
{
	struct text_feed *f = self;

	rewind(f->file);
	f->newest = f->before = f->others = f->overwritten = f->lost = f->unread = 0;
	f->gaps = false;
	memset(f->cpus, 0, sizeof(f->cpus));
}

static void text_losses(void *self, struct losses_reported *reported)
{
	const struct text_feed *f = self;

	*reported = (struct losses_reported){
		.events = f->overwritten + f->lost,
		.others = f->others,
		.more = f->gaps,
		.unread = f->unread,
	};
}

static void text_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	names_get(&((struct text_feed *)self)->names, tgid, tid, comm, bytes);
}

static void text_close(void *self)
{
	struct text_feed *f = self;

	if (f->file)
		fclose(f->file);
	names_free(&f->names);
	free(f);
}

/* The first event shows what kind of times the text has. */
static int look_at_times(struct text_feed *f, struct fault *fault)
{
	struct text_line line;
	char text[LINE_BYTES];

	while (next_line(f, text)) {
		text_line_parse(text, &line);
		if (line.kind == TEXT_EVENT) {
			f->is_count = line.is_count;
			rewind(f->file);
			return 0;
		}
	}
	return fault_set(
		fault, -EBADMSG,
		"%s: no line of it is an event of KVM in the form of ftrace's trace, trace-cmd report or perf script (perf script needs the fields comm,tid,cpu,time,event,trace)",
		f->path);
}

static int open_file(struct text_feed *f, const char *path, struct fault *fault)
{
	f->path = path;
	f->file = fopen(path, "re");
	if (!f->file)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	return look_at_times(f, fault);
}

int source_trace_text_open(const char *path, uint32_t tsc_khz, struct source **source,
			   struct fault *fault)
{
	struct text_feed *f = calloc(1, sizeof(*f));
	struct trace_feed feed = {
		.self = f,
		.fill = text_fill,
		.rewind = text_rewind,
		.losses = text_losses,
		.comm = text_comm,
		.close = text_close,
		.no_entry_way = "print kvm_entry too",
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (rc) {
		text_close(f);
		return rc;
	}

	if (f->is_count && tsc_khz) {
		info.tsc_khz = tsc_khz;
	} else if (f->is_count) {
		feed.no_time =
			"its times are whole numbers: cycles of the TSC, or the order of events";
		feed.no_time_way =
			"of TSC cycles give --tsc-khz N; else record with the clock local";
	}
	run_info_set(&info, RUN_LABEL, path);
	return source_trace_open(&feed, "text", &info, source, fault);
}
