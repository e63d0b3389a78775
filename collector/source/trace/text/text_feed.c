// SPDX-License-Identifier: GPL-2.0-only
/* text_feed.c - what the lines of a text say, one after the other */
#include "collector/source/trace/text/text_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "collector/source/trace/text/text_clean.h"

/* That many CPUs get memory at once. */
#define CPUS_STEP 16U

/* The CPU in the current instance; NULL: no memory. */
static struct text_cpu *cpu_of(struct text_feed *f, uint32_t cpu)
{
	struct text_cpus *cpus = &f->cpus[f->instances.current];
	uint32_t last = cpu < TEXT_CPUS ? cpu : TEXT_CPUS - 1;
	uint32_t count = last / CPUS_STEP * CPUS_STEP + CPUS_STEP;

	if (last >= cpus->count) {
		struct text_cpu *more = realloc(cpus->cpu, count * sizeof(*more));

		if (!more)
			return NULL;
		memset(more + cpus->count, 0, (count - cpus->count) * sizeof(*more));
		cpus->cpu = more;
		cpus->count = count;
	}
	return &cpus->cpu[last];
}

/* Whether events were lost since the last one of the CPU. */
static bool has_gap(const struct text_feed *f, const struct text_cpu *cpu)
{
	return cpu->gap || cpu->gaps_of_all != f->gaps_of_all;
}

bool text_feed_next_line(struct text_feed *f, char *text)
{
	if (!line_read(f->file, &f->left, text, TEXT_LINE_BYTES))
		return false;
	text_clean(text);
	return true;
}

/* Whether lines of the current instance are taken at all. */
static bool uses_current(const struct text_feed *f, const struct text_line *line)
{
	const struct text_instance *instance = &f->instances.instance[f->instances.current];

	/* A line without thread or time is of no instance. */
	return !instance->is_skipped || (line->kind == TEXT_UNREAD && !instance->events);
}

/* Counts whether time goes on. */
static void follow_time(struct text_feed *f, const struct kvm_event *event)
{
	f->exits += event->kind == KVM_EVENT_EXIT;
	f->rises += f->last_ts && event->ts > f->last_ts;
	f->falls += event->ts < f->last_ts;
	f->last_ts = event->ts;
}

/*
 * Follows which events are the same as the one before. Whether this one is its twin: the text has
 * events twice, as perf opened them twice.
 */
static bool follow_twins(struct text_feed *f, struct text_cpu *cpu, const struct text_line *line)
{
	const struct kvm_event *event = &line->event;
	struct text_twins known = {.pairs = {0}};
	struct text_twins *twins = f->surveying ? &f->twins : &known;
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
static void decide_info(struct text_feed *f, struct text_line *line)
{
	struct kvm_event *event = &line->event;
	bool is_interrupt = event->reason == 1 && event->info2 & 0x80000000U;

	f->has_entries |= event->kind == KVM_EVENT_ENTRY;
	f->has_rips |= line->has_rip;
	if (line->has_bare_info && !f->has_rips && (f->has_entries || is_interrupt))
		kvm_event_use_old_info(event);
}

/*
 * Whether an earlier part of the text has the event. Then the lines before it that speak of lost
 * events are there once more too.
 */
static int follow_parts(struct text_feed *f, struct text_cpu *cpu, const struct text_line *line,
			bool *is_again)
{
	size_t instance = f->instances.current;

	f->buffer.read++;
	*is_again = false;
	if (!line->words)
		return 0;
	text_parts_follow(&f->parts, &cpu->part, line);
	if (f->collecting)
		return text_parts_collect(&f->parts, &cpu->part, instance, line);
	*is_again = text_parts_have(&f->parts, &cpu->part, instance, line);

	f->buffer.again += *is_again;
	if (!*is_again) {
		f->lost += cpu->lost;
		f->gaps |= cpu->more;
	}
	cpu->lost = 0;
	cpu->more = false;
	if (*is_again) {
		cpu->gap = false;
		cpu->gaps_of_all = f->gaps_of_all;
	}
	return 0;
}

/* An event that is lost. Where its CPU can't be read either, it may be of any. */
static void take_unread(struct text_feed *f, struct text_cpu *cpu, const struct text_line *line)
{
	f->unread++;
	f->foreign |= line->is_foreign;
	if (line->has_cpu)
		cpu->gap = true;
	else
		f->gaps_of_all++;
}

/* Learn whether the number before the CPU is a thread. */
static int follow_threads(struct text_feed *f, const struct text_cpu *cpu,
			  const struct text_line *line)
{
	if (!f->surveying || line->kind != TEXT_EVENT || line->event.kind > KVM_EVENT_ENTRY)
		return 0;
	f->lacks_vcpus |=
		line->event.kind == KVM_EVENT_EXIT && line->event.vcpu_id == KVM_EVENT_NO_VCPU;
	return text_threads_see(&f->threads, f->instances.current, line, has_gap(f, cpu));
}

/*
 * The number before the CPU is a process. Whether the event is of use: one with a key does not say
 * of which vCPU it is. A kvm_exit is that of the vCPU that entered the guest on its CPU.
 */
static bool decide_process(const struct text_feed *f, struct text_cpu *cpu, struct text_line *line)
{
	struct kvm_event *event = &line->event;
	const struct kvm_event *entered = &cpu->entered;

	if (!f->are_processes)
		return true;
	event->tgid = event->tid;
	if (event->kind == KVM_EVENT_EXIT && event->vcpu_id == KVM_EVENT_NO_VCPU &&
	    line->head.has_cpu && entered->tid == event->tid)
		event->vcpu_id = entered->vcpu_id;
	if (event->kind == KVM_EVENT_ENTRY)
		cpu->entered = *event;
	else if (event->kind == KVM_EVENT_EXIT)
		cpu->entered.tid = 0;
	return event->kind <= KVM_EVENT_ENTRY;
}

/* Events of the CPU were lost before this one. */
static int take_gap(struct text_feed *f, struct text_cpu *cpu, const struct kvm_event *event,
		    const struct trace_sink *sink)
{
	int rc = 0;

	if (has_gap(f, cpu)) {
		cpu->entered.tid = 0;
		rc = sink->lost(sink->user, event->cpu, cpu->last_ts, event->ts);
	}
	cpu->gap = false;
	cpu->gaps_of_all = f->gaps_of_all;
	cpu->last_ts = event->ts;
	if (event->ts > f->newest)
		f->newest = event->ts;
	return rc;
}

static int take_event(struct text_feed *f, struct text_cpu *cpu, struct text_line *line,
		      const struct trace_sink *sink)
{
	struct kvm_event *event = &line->event;
	bool is_copy = false, is_twin;
	int rc = 0;

	text_host_see(&f->host, &line->head, event->ts);
	f->has_ns |= line->has_ns;
	f->has_cpus |= line->head.has_cpu;
	is_twin = follow_twins(f, cpu, line);
	rc = follow_threads(f, cpu, line);
	if (!rc && line->kind == TEXT_EVENT) {
		rc = text_instances_see(&f->instances, line, &is_copy);
		if (!is_copy)
			follow_time(f, event);
	}
	text_instances_set_host(&f->instances, event);
	if (!rc)
		rc = take_gap(f, cpu, event, sink);
	if (rc || is_copy)
		return rc;

	if (line->kind == TEXT_OTHER || is_twin || !decide_process(f, cpu, line)) {
		f->others++;
		return 0;
	}
	decide_info(f, line);
	f->sampled |= event->period > 1;
	event->period = 0;
	rc = *line->head.comm ? names_set(&f->names, event->tid, line->head.comm) : 0;
	return rc ? rc : sink->event(sink->user, event);
}

/* A line of an event. */
static int take_event_line(struct text_feed *f, struct text_line *line,
			   const struct trace_sink *sink)
{
	struct text_cpu *cpu = cpu_of(f, line->event.cpu);
	bool is_again;
	int rc;

	if (!cpu)
		return -ENOMEM;
	if (line->kind != TEXT_UNREAD && line->is_count != f->is_count) {
		if (line->kind == TEXT_EVENT)
			take_unread(f, cpu, line);
		return 0;
	}

	rc = follow_parts(f, cpu, line, &is_again);
	if (rc || f->collecting)
		return rc;
	if (is_again) {
		if (line->kind == TEXT_EVENT)
			follow_time(f, &line->event);
		return 0;
	}
	if (line->kind != TEXT_UNREAD)
		return take_event(f, cpu, line, sink);
	take_unread(f, cpu, line);
	return 0;
}

/*
 * What the last header says. Where its buffer is the one before, printed again, what was written
 * since then and is not there is lost. What the header counts and the text has not is of any kind:
 * somebody took it out.
 */
static void end_buffer(struct text_feed *f)
{
	const struct text_buffer *buffer = &f->buffer, *before = &f->buffer_before;
	uint64_t present = buffer->present > buffer->read ? buffer->present : buffer->read;
	uint64_t written = buffer->written, known = buffer->present;

	if (buffer->again && before->written) {
		written -= before->written < written ? before->written : written;
		known = present - buffer->again;
	}
	f->overwritten += written > known ? written - known : 0;
	if (buffer->written)
		f->others += present - buffer->read;
	f->buffer_before = *buffer;
	f->buffer = (struct text_buffer){0};
}

/* Nothing says of which CPUs: each may have had events before its first one. */
static void take_header(struct text_feed *f, const struct text_line *line)
{
	end_buffer(f);
	f->buffer.present = line->present;
	f->buffer.written = line->written;
	f->gaps_of_all += line->written > line->present;
}

/* A line about lost events of a CPU. */
static int take_loss(struct text_feed *f, const struct text_line *line)
{
	struct text_cpu *cpu = cpu_of(f, line->event.cpu);

	if (!cpu)
		return -ENOMEM;
	cpu->gap = true;
	if (line->kind == TEXT_STARTED) {
		cpu->more |= !f->overwritten && f->buffer.written <= f->buffer.present;
	} else {
		cpu->lost += line->lost;
		cpu->more |= !line->lost;
	}
	return 0;
}

int text_feed_take(struct text_feed *f, struct text_line *line, const struct trace_sink *sink)
{
	text_instances_follow(&f->instances, line->head.instance, line->kind == TEXT_LOST);
	if (!uses_current(f, line))
		return 0;

	switch (line->kind) {
	case TEXT_EVENT:
	case TEXT_OTHER:
	case TEXT_UNREAD:
		return take_event_line(f, line, sink);
	case TEXT_LOST:
	case TEXT_SAMPLES_LOST:
	case TEXT_STARTED:
		return take_loss(f, line);
	case TEXT_OVERWRITTEN:
		take_header(f, line);
		return 0;
	case TEXT_NOTHING:
		return 0;
	}
	return 0;
}

/* The same of a CPU of the current instance. */
static int end_cpu(struct text_feed *f, uint32_t number, const struct trace_sink *sink)
{
	const struct text_cpu *cpu = cpu_of(f, number);
	struct kvm_event last = {.cpu = number};

	f->lost += cpu->lost;
	f->gaps |= cpu->more;
	if (!has_gap(f, cpu) || !cpu->last_ts)
		return 0;
	text_instances_set_host(&f->instances, &last);
	return sink->lost(sink->user, last.cpu, cpu->last_ts, UINT64_MAX);
}

int text_feed_end(struct text_feed *f, const struct trace_sink *sink)
{
	int rc = 0;

	end_buffer(f);
	for (size_t i = 0; i < f->instances.count; i++) {
		f->instances.current = i;
		for (uint32_t cpu = 0; cpu < f->cpus[i].count && !rc; cpu++)
			rc = end_cpu(f, cpu, sink);
	}
	return rc;
}

void text_feed_rewind(struct text_feed *f)
{
	rewind(f->file);
	f->left = f->size;
	f->newest = f->before = f->others = f->overwritten = f->lost = f->unread = 0;
	f->gaps_of_all = f->cut_at = 0;
	f->exits = f->rises = f->falls = f->last_ts = 0;
	f->gaps = false;
	f->buffer = f->buffer_before = (struct text_buffer){0};
	memset(f->shapes, 0, sizeof(f->shapes));
	text_instances_restart(&f->instances);
	for (size_t i = 0; i < TEXT_INSTANCES; i++) {
		free(f->cpus[i].cpu);
		f->cpus[i] = (struct text_cpus){0};
	}
}
