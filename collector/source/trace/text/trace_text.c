// SPDX-License-Identifier: GPL-2.0-only
/* trace_text.c - events from what ftrace, trace-cmd report or perf script printed */
#include "collector/source/trace/text/trace_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "collector/source/trace/names.h"
#include "collector/source/trace/portions.h"
#include "collector/source/trace/text/text_host.h"
#include "collector/source/trace/text/text_line.h"
#include "collector/source/trace/text/text_shape.h"
#include "collector/source/trace/text/text_twins.h"
#include "collector/source/trace/trace.h"

#define LINE_BYTES 2048
#define FILL_LINES 65536
#define CPUS	   4096
#define INSTANCES  64

/* Fewer events of KVM don't show whether times go up and down. */
#define TURNS_MIN 8

/* Lines for the user, at most. */
#define NOTES 8

/*
 * @gap: events were lost since the last one of the CPU
 * @gaps_of_all: as in struct text_feed, at that one
 * @run: of events that perf may have printed twice
 */
struct text_cpu {
	uint64_t last_ts;
	uint64_t gaps_of_all;
	bool gap;
	struct text_run run;
};

/*
 * @is_count: times are whole numbers
 * @newest, @before: time of the newest event, in all and in all fills but the last
 * @overwritten: by the header of ftrace's trace; @lost: by lines between the events;
 *	@gaps: lines that don't say how many
 * @gaps_of_all: how often events were lost, of a CPU that is not known
 * @unread: lines of kvm_exit or kvm_entry that could not be read; @foreign: some of them
 *	are of another architecture
 * @sampled: an event stands for several
 * @has_entries: some event is a kvm_entry; @has_rips: and has a rip
 * @looking: this is the first look, for what must be known before
 * @exits: kvm_exit events; @rises, @falls: how often the time of an event of KVM is later
 *	or earlier than that of the one before, @last_ts
 * @instances: names that stand before the events, in the order in which they come
 * @current: number of the instance of the last line
 * @no_end: the file, of @size bytes, does not end with an end of line; @cut_at: as in losses.h;
 *	@shapes: of the last whole lines of kvm_exit and kvm_entry
 * @twins: whether perf printed each event twice, known after the first look
 * @notes: for the user, up to a NULL
 * @portions: which instance an event is taken from, if @has_instances
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
	bool foreign;
	bool gaps;
	bool sampled;
	bool has_entries;
	bool has_rips;
	bool looking;

	uint64_t exits;
	uint64_t rises;
	uint64_t falls;
	uint64_t last_ts;

	char instances[INSTANCES][TEXT_INSTANCE_BYTES];
	size_t instance_count;
	size_t current;
	bool after_loss; /* the last line said that events were lost */
	bool has_instances;
	bool uses[INSTANCES]; /* whether anything is taken from it */
	struct portions portions;

	bool no_end;
	uint64_t size;
	uint64_t cut_at;
	struct text_shape shapes[KVM_EVENT_ENTRY + 1];

	struct text_twins twins;
	char *notes[NOTES + 1];

	struct text_host host;
	struct text_cpu cpus[CPUS];
	struct names names;
};

static struct text_cpu *cpu_of(struct text_feed *f, uint32_t cpu)
{
	return &f->cpus[cpu < CPUS ? cpu : CPUS - 1];
}

/* Whether events were lost since the last one of the CPU. */
static bool has_gap(const struct text_feed *f, const struct text_cpu *cpu)
{
	return cpu->gap || cpu->gaps_of_all != f->gaps_of_all;
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

/* The next line, of which what is longer than LINE_BYTES is cut off. */
static bool next_line(struct text_feed *f, char *text)
{
	if (!line_read(f->file, text, LINE_BYTES))
		return false;
	remove_colours(text);
	return true;
}

/* The number of an instance; those beyond INSTANCES share the last one. */
static size_t find_instance(struct text_feed *f, const char *name)
{
	for (size_t i = 0; i < f->instance_count; i++) {
		if (!strcmp(f->instances[i], name))
			return i;
	}
	if (f->instance_count == INSTANCES)
		return INSTANCES - 1;
	snprintf(f->instances[f->instance_count], TEXT_INSTANCE_BYTES, "%s", name);
	return f->instance_count++;
}

/* trace-cmd report prints the instance once for a line about losses and the event after it. */
static void follow_instance(struct text_feed *f, const struct text_line *line)
{
	if (!f->after_loss || *line->head.instance)
		f->current = find_instance(f, line->head.instance);
	f->after_loss = line->kind == TEXT_LOST;
}

/* Whether lines of the current instance are taken at all. */
static bool uses_current(const struct text_feed *f)
{
	return !f->has_instances || f->uses[f->current];
}

/* Counts whether time goes on. */
static void follow_time(struct text_feed *f, const struct kvm_event *event)
{
	f->exits += event->kind == KVM_EVENT_EXIT;
	f->rises += f->last_ts && event->ts > f->last_ts;
	f->falls += event->ts < f->last_ts;
	f->last_ts = event->ts;
}

/* Adds a line for the user; without memory it is left out. */
__attribute__((format(printf, 2, 3))) static void add_note(struct text_feed *f, const char *format,
							   ...)
{
	va_list args;
	size_t i = 0;

	while (f->notes[i])
		i++;
	va_start(args, format);
	if (i == NOTES || vasprintf(&f->notes[i], format, args) < 0)
		f->notes[i] = NULL;
	va_end(args);
}

/*
 * Follows which events are the same as the one before. Whether this one is its twin: the text has
 * events twice, as perf opened them twice.
 */
static bool follow_twins(struct text_feed *f, struct text_cpu *cpu, const struct text_line *line)
{
	const struct kvm_event *event = &line->event;
	struct text_twins known = {.pairs = {0}};
	struct text_twins *twins = f->looking ? &f->twins : &known;
	bool is_second;

	if (has_gap(f, cpu) || line->kind != TEXT_EVENT || event->kind > KVM_EVENT_ENTRY ||
	    !line->is_perf)
		text_twins_break(twins, &cpu->run, has_gap(f, cpu));
	if (line->kind != TEXT_EVENT || event->kind > KVM_EVENT_ENTRY || !line->is_perf)
		return false;

	is_second = text_twins_see(twins, &cpu->run, event);
	return is_second && f->twins.twice[event->kind];
}

/*
 * "info A B" of VMX: before 5.10, whose kvm_entry has no rip, B is the interruption information.
 * Later it is the IDT-vectoring information, which an external interrupt has none of.
 */
static void settle_info(struct text_feed *f, struct text_line *line)
{
	struct kvm_event *event = &line->event;
	bool is_interrupt = event->reason == 1 && event->info2 & 0x80000000U;

	f->has_entries |= event->kind == KVM_EVENT_ENTRY;
	f->has_rips |= line->has_rip;
	if (line->has_bare_info && !f->has_rips && (f->has_entries || is_interrupt))
		kvm_event_use_old_info(event);
}

/* An event that is lost. Where its CPU can't be read either, it may be of any. */
static void take_unread(struct text_feed *f, const struct text_line *line)
{
	f->unread++;
	f->foreign |= line->is_foreign;
	if (line->has_cpu)
		cpu_of(f, line->event.cpu)->gap = true;
	else
		f->gaps_of_all++;
}

static int take_event(struct text_feed *f, struct text_line *line, const struct trace_sink *sink)
{
	struct kvm_event *event = &line->event;
	struct text_cpu *cpu = cpu_of(f, event->cpu);
	bool is_twin;
	int rc = 0;

	if (line->is_count != f->is_count) {
		if (line->kind == TEXT_EVENT)
			take_unread(f, line);
		return 0;
	}
	if (f->looking && line->kind == TEXT_EVENT)
		rc = portions_count(&f->portions, f->current, event);
	if (f->has_instances && line->kind == TEXT_EVENT &&
	    !portions_has(&f->portions, f->current, event))
		return 0;
	text_host_see(&f->host, &line->head);
	is_twin = follow_twins(f, cpu, line);
	if (has_gap(f, cpu) && !rc)
		rc = sink->lost(sink->user, event->cpu, cpu->last_ts, event->ts);
	cpu->gap = false;
	cpu->gaps_of_all = f->gaps_of_all;
	cpu->last_ts = event->ts;
	if (event->ts > f->newest)
		f->newest = event->ts;

	if (rc || line->kind == TEXT_OTHER || is_twin) {
		f->others++;
		return rc;
	}
	settle_info(f, line);
	follow_time(f, event);
	f->sampled |= event->period > 1;
	event->period = 0;
	rc = *line->head.comm ? names_set(&f->names, event->tid, line->head.comm) : 0;
	return rc ? rc : sink->event(sink->user, event);
}

/* Nothing says of which CPUs: each may have had events before its first one. */
static void take_overwritten(struct text_feed *f, uint64_t lost)
{
	f->overwritten += lost;
	f->gaps_of_all += lost > 0;
}

/* Lost events that no event of their CPU follows. */
static int end_gaps(struct text_feed *f, const struct trace_sink *sink)
{
	int rc = 0;

	for (uint32_t i = 0; i < CPUS && !rc; i++) {
		if (has_gap(f, &f->cpus[i]) && f->cpus[i].last_ts)
			rc = sink->lost(sink->user, i, f->cpus[i].last_ts, UINT64_MAX);
	}
	return rc;
}

static int take_line(struct text_feed *f, struct text_line *line, const struct trace_sink *sink)
{
	follow_instance(f, line);
	if (!uses_current(f))
		return 0;

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
		take_overwritten(f, line->lost);
		return 0;
	case TEXT_STARTED:
		cpu_of(f, line->event.cpu)->gap = true;
		f->gaps |= !f->overwritten;
		return 0;
	case TEXT_UNREAD:
		take_unread(f, line);
		return 0;
	case TEXT_NOTHING:
		return 0;
	}
	return 0;
}

/* Its exits are not those of x86. */
static int refuse_foreign(const struct text_feed *f, struct fault *fault)
{
	return fault_set(
		fault, -ENOEXEC,
		"%s: no x86 kvm_exit: it was recorded on an arm64 host or the like, whose exit reasons are others",
		f->path);
}

/* What the whole text has shown to be no recording, though single lines could be one. */
static int check_whole(const struct text_feed *f, struct fault *fault)
{
	uint64_t turns = f->rises + f->falls;

	if (f->foreign && !f->exits)
		return refuse_foreign(f, fault);
	if (f->unread && !f->exits)
		return fault_set(
			fault, -EBADMSG,
			"%s: its kvm_exit can't be read: the exit reason is missing, or in a form that is not known (print all fields of the event, or import the recording itself)",
			f->path);
	if (f->sampled)
		return fault_set(
			fault, -ENOTSUP,
			"%s: is the text of a sampled recording (import the perf.data itself)",
			f->path);
	if (turns >= TURNS_MIN && f->rises > turns / 4 && f->falls > turns / 4)
		return fault_set(
			fault, -EBADMSG,
			"%s: its times go up and down: they are not times, or those since the event before (perf script without --deltatime)",
			f->path);
	return 0;
}

/* Whether the line is the last one and was cut off; notes how whole ones look. */
static bool is_cut(struct text_feed *f, const char *text, const struct text_line *line)
{
	bool is_event = line->kind == TEXT_EVENT && line->event.kind <= KVM_EVENT_ENTRY;
	struct text_shape shape = text_shape_of(text);
	bool is_last = ftello(f->file) == (off_t)f->size;

	if (is_event && !is_last)
		f->shapes[line->event.kind] = shape;
	if (is_event)
		return is_last && text_shape_is_cut(&shape, &f->shapes[line->event.kind]);
	if (line->kind != TEXT_NOTHING && line->kind != TEXT_UNREAD && line->kind != TEXT_OTHER)
		return false;
	return is_last && text_shape_is_begun(text, line->kind == TEXT_OTHER);
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
			if (f->no_end && is_cut(f, text, &line))
				f->cut_at = f->size;
			else
				rc = take_line(f, &line, sink);
		} else {
			*end = true;
			rc = end_gaps(f, sink);
		}
	}
	f->before = f->newest;
	if (ferror(f->file))
		return fault_set(fault, -EIO, "%s: can't be read to its end", f->path);
	return !rc && *end ? check_whole(f, fault) : rc;
}

static void text_rewind(void *self)
{
	struct text_feed *f = self;

	rewind(f->file);
	f->newest = f->before = f->others = f->overwritten = f->lost = f->unread = 0;
	f->gaps_of_all = f->cut_at = 0;
	f->exits = f->rises = f->falls = f->last_ts = 0;
	f->gaps = f->after_loss = false;
	memset(f->cpus, 0, sizeof(f->cpus));
}

static void text_losses(void *self, struct losses_reported *reported)
{
	const struct text_feed *f = self;

	*reported = (struct losses_reported){
		.events = f->overwritten + f->lost,
		.others = f->others,
		.more = f->gaps || (f->portions.mixed && f->lost),
		.unread = f->unread,
		.cut_at = f->cut_at,
	};
	text_host_report(&f->host, reported);
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
	for (size_t i = 0; f->notes[i]; i++)
		free(f->notes[i]);
	names_free(&f->names);
	portions_free(&f->portions);
	free(f);
}

/* The first event shows what kind of times the text has. */
static int look_at_first(struct text_feed *f, struct fault *fault)
{
	struct text_line line;
	char text[LINE_BYTES];
	bool foreign = false;

	while (next_line(f, text)) {
		text_line_parse(text, &line);
		text_host_take(&f->host, text);
		foreign |= line.kind == TEXT_UNREAD && line.is_foreign;
		if (line.kind == TEXT_EVENT) {
			f->is_count = line.is_count;
			text_rewind(f);
			return 0;
		}
	}
	if (foreign)
		return refuse_foreign(f, fault);
	return fault_set(
		fault, -EBADMSG,
		"%s: no line of it is an event of KVM in the form of ftrace's trace, trace-cmd report or perf script (perf script needs the fields tid,time,event,trace)",
		f->path);
}

static int no_event(void *user, const struct kvm_event *event)
{
	(void)user;
	(void)event;
	return 0;
}

static int no_loss(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	(void)user;
	(void)cpu;
	(void)from;
	(void)to;
	return 0;
}

/* What the whole text shows of its lines: which ones are copies of others. */
static void decide(struct text_feed *f)
{
	uint64_t pairs;

	portions_choose(&f->portions);
	for (size_t i = 0; i < f->instance_count; i++)
		f->uses[i] = portions_uses(&f->portions, i);
	f->has_instances = f->instance_count > 1;

	text_twins_decide(&f->twins);
	pairs = text_twins_doubtful(&f->twins);
	if (pairs)
		add_note(
			f,
			"%llu kvm_exit are the same as the one before, and no more than 1 us apart: each is counted, though some may be one that perf printed twice, as its event was opened twice (import the perf.data itself)",
			(unsigned long long)pairs);
}

/* Read the text for what must be known before its events are used. */
static int look_through(struct text_feed *f, struct fault *fault)
{
	const struct trace_sink nothing = {.event = no_event, .lost = no_loss};
	struct text_line line;
	char text[LINE_BYTES];
	int rc = look_at_first(f, fault);

	f->looking = true;
	while (!rc && next_line(f, text)) {
		text_line_parse(text, &line);
		rc = take_line(f, &line, &nothing);
	}
	f->looking = false;
	if (!rc)
		decide(f);
	text_rewind(f);
	return rc;
}

/* Notes whether the text ends within a line. */
static void look_at_end(struct text_feed *f)
{
	int last = EOF;

	if (!fseeko(f->file, -1, SEEK_END))
		last = getc(f->file);
	f->no_end = last != '\n' && last != '\r';
	f->size = (uint64_t)ftello(f->file);
	rewind(f->file);
}

static int open_file(struct text_feed *f, const char *path, struct fault *fault)
{
	int rc;

	f->path = path;
	f->file = fopen(path, "re");
	if (!f->file)
		return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
	look_at_end(f);
	rc = look_through(f, fault);
	return rc == -ENOMEM ? fault_set(fault, rc, "out of memory") : rc;
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
		.no_entry_way = "print kvm_exit and kvm_entry",
		.quiet_loss = ", or perf script without --show-lost-events",
		.notes = f->notes,
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (!rc && tsc_khz && !f->is_count)
		rc = fault_set(fault, -EINVAL,
			       "%s: its times are seconds, not TSC cycles (leave --tsc-khz out)",
			       path);
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
			"of TSC cycles give --tsc-khz N, of ns --tsc-khz 1000000; else record with the clock local";
	}
	text_host_set_time(&f->host, &feed);
	run_info_set(&info, RUN_LABEL, path);
	return source_trace_open(&feed, "text", &info, source, fault);
}
