// SPDX-License-Identifier: GPL-2.0-only
/* text_survey.c - what must be known of the whole text before its events are used */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/command_filter.h"
#include "collector/source/trace/text/text_feed.h"

/* Adds a line for the user; without memory it is left out. */
__attribute__((format(printf, 2, 3))) static void add_note(struct text_feed *f, const char *format,
							   ...)
{
	va_list args;
	size_t i = 0;

	while (f->notes[i])
		i++;
	va_start(args, format);
	if (i == TEXT_NOTES || vasprintf(&f->notes[i], format, args) < 0)
		f->notes[i] = NULL;
	va_end(args);
}

/* The number after @name, " = " or ": "; 0: it is not there. */
static uint64_t attribute(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name) + strspn(at + strlen(name), " =:}"), NULL, 10) : 0;
}

/*
 * "# event : name = kvm:kvm_exit, , id = { 84 }, type = 2, ..., { sample_period, sample_freq } =
 * 99, sample_type = IP|TID|TIME|CPU|PERIOD|RAW, ..., freq = 1": perf script --header. Whether not
 * each kvm_exit or kvm_entry was written. With a period, and not a frequency, each one was if a
 * sample has its period.
 */
static bool is_sampled(const char *text)
{
	if (strncmp(text, "# event : name = kvm:kvm_exit", 29) &&
	    strncmp(text, "# event : name = kvm:kvm_entry", 30))
		return false;
	return attribute(text, " freq") == 1 ||
	       (attribute(text, "sample_freq") > 1 && !strstr(text, "|PERIOD"));
}

int text_feed_read_first(struct text_feed *f, struct fault *fault)
{
	struct text_line line;
	char text[TEXT_LINE_BYTES];
	bool foreign = false, joined = false;

	while (text_feed_next_line(f, text)) {
		text_line_parse(text, &line);
		text_host_take(&f->host, text);
		f->sampled |= is_sampled(text);
		joined |= line.is_joined;
		foreign |= line.kind == TEXT_UNREAD && line.is_foreign;

		if (line.kind == TEXT_EVENT) {
			f->is_count = line.is_count;
			text_feed_rewind(f);
			return 0;
		}
	}

	if (foreign)
		return text_feed_refuse_foreign(f, fault);
	if (joined)
		return fault_set(
			fault, -EBADMSG,
			"%s: its lines have several events each: the ends of lines were lost (print it again; of a log or JSON take the text alone)",
			f->path);
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

/* Find out which events stand twice, and how many: read all lines for it. */
static int find_parts(struct text_feed *f)
{
	const struct trace_sink nothing = {.event = no_event, .lost = no_loss};
	struct text_line line;
	char text[TEXT_LINE_BYTES];
	int rc = 0;

	f->collecting = true;
	while (!rc && text_feed_next_line(f, text)) {
		text_line_parse(text, &line);
		rc = text_feed_take(f, &line, &nothing);
	}
	f->collecting = false;
	text_feed_rewind(f);

	if (f->parts.again)
		add_note(
			f,
			"%llu events stand twice in it, as the same buffer was printed twice: each is counted once",
			(unsigned long long)f->parts.again);
	else
		text_parts_free(&f->parts);
	return rc;
}

/* What the whole text shows of its lines: which ones are copies of others. */
static void decide(struct text_feed *f)
{
	uint64_t pairs;

	text_instances_decide(&f->instances);
	if (f->instances.hosts > 1)
		add_note(
			f,
			"it has events of %u files with the same times: each is taken as one of another host",
			f->instances.hosts);

	f->are_processes = text_threads_are_processes(&f->threads);
	text_threads_free(&f->threads);
	if (f->are_processes && !f->lacks_vcpus)
		add_note(
			f,
			"the number before the CPU is the process, as it is in two guests at once: exits have no MSR numbers, CPUID leaves and addresses by events of their own (perf script -F +tid)");
	if (!f->has_cpus)
		add_note(
			f,
			"it has no CPUs: column pcpu is 0, which stands for unknown (perf script -F +cpu)");

	f->filtered = f->host.filters_exits && (!f->has_entries || f->host.filters_entries);
	if (f->filtered)
		add_note(f, "%s", COMMAND_FILTER_NOTE);
	if (f->short_lines)
		add_note(
			f,
			"%llu lines of kvm_exit end before their last fields, cut off at a column: the number that each ends with is not used, be it the RIP or a key (print whole lines)",
			(unsigned long long)f->short_lines);

	text_twins_decide(&f->twins);
	pairs = text_twins_doubtful(&f->twins);
	if (pairs)
		add_note(
			f,
			"%llu kvm_exit are the same as the one before, and no more than 1 us apart: each is counted, though some may be one that perf printed twice, as its event was opened twice (import the perf.data itself)",
			(unsigned long long)pairs);
}

/* Whether events are others than when nothing of that was known. */
static bool has_changed(const struct text_feed *f)
{
	return f->parts.again || f->instances.count > 1 || f->instances.are_none ||
	       f->twins.twice[KVM_EVENT_EXIT] || f->twins.twice[KVM_EVENT_ENTRY] ||
	       f->are_processes;
}

int text_feed_decide(struct text_feed *f)
{
	int rc = 0;

	f->surveying = false;
	if (f->parts.has_parts)
		rc = find_parts(f);
	if (rc)
		return rc;
	decide(f);
	return has_changed(f);
}
