// SPDX-License-Identifier: GPL-2.0-only
/* perf_data.c - events from a file of perf record or perf kvm stat record */
#include "collector/source/trace/perf/perf_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "collector/source/trace/command_cpus.h"
#include "collector/source/trace/command_filter.h"
#include "collector/source/trace/names.h"
#include "collector/source/trace/perf/perf_file.h"
#include "collector/source/trace/trace.h"

/* CPUs whose last event is known by itself; those beyond share the last place. */
#define CPUS 4096

/* Records between two rounds are handed over in pieces of this size at most. */
#define FILL_RECORDS 262144

/* More than a kvm_exit has in any kernel. */
#define RAW_BYTES 256

#define PERF_NOTES 2

/* The last sample of a CPU. @throttled: since then events of KVM are stopped; 0: they are not */
struct last_sample {
	uint64_t time;
	uint64_t throttled;
	const struct perf_attr *attr;
	uint32_t raw_size;
	unsigned char raw[RAW_BYTES];
};

/*
 * @exits: the event kvm_exit
 * @overwrites: samples before the first one of each CPU may have been overwritten
 * @oldest, @newest: times of the oldest and the newest sample so far; 0: none
 * @before: that of the newest one of all rounds but the last. perf promises that after a round
 *	nothing comes that is older than the round before.
 * @lost: by PERF_RECORD_LOST; @lost_samples: by PERF_RECORD_LOST_SAMPLES, @lost_of: of which event
 * @has_twice: kvm_exit was opened twice, and some exits are there twice
 * @partial: some CPUs were not recorded, as @no_time says
 * @filtered: kvm_exit has a filter, and no kvm_entry shows what it left out
 * @throttled: events of KVM were stopped for a while
 * @notes: for the user, up to a NULL
 * @others: samples that are not kvm events with a meaning here, or are repeated
 */
struct perf_feed {
	struct perf_file file;
	const struct perf_attr *exits;
	bool sampled;
	bool hides_period; /* how many exits a sample stands for is not known */
	bool overwrites;
	uint64_t newest;
	uint64_t oldest;
	uint64_t before;
	uint64_t lost;
	uint64_t lost_samples;
	uint64_t *lost_of; /* as file.attrs */
	bool has_twice;
	bool partial;
	char no_time[CPUS_MISSING_BYTES];
	bool filtered;
	bool throttled;
	char *notes[PERF_NOTES + 1];
	uint64_t others;
	struct last_sample last[CPUS];
	struct names names;
};

static struct last_sample *last_of(struct perf_feed *f, uint32_t cpu)
{
	return &f->last[cpu < CPUS ? cpu : CPUS - 1];
}

/*
 * A tracepoint that was opened twice (-e kvm:kvm_exit -e 'kvm:*') writes two samples with the same
 * data, one right after the other; opened with two filters it does so where both let it through.
 */
static bool is_repeated(const struct last_sample *last, const struct perf_record *r)
{
	return last->attr && last->attr != r->attr && last->attr->type == r->attr->type &&
	       last->attr->config == r->attr->config && last->raw_size == r->raw_size &&
	       !memcmp(last->raw, r->raw, r->raw_size);
}

static void remember(struct last_sample *last, const struct perf_record *r)
{
	last->time = r->time;
	last->attr = r->raw && r->raw_size <= RAW_BYTES ? r->attr : NULL;
	last->raw_size = r->raw_size;
	if (last->attr)
		memcpy(last->raw, r->raw, r->raw_size);
}

/* A process or thread has no number if it is outside of perf's namespace (0) or dying (-1). */
static uint32_t known(uint32_t pid)
{
	return pid == UINT32_MAX ? 0 : pid;
}

/* How many exits a sample stands for; 0: not known. With perf record -c N it is in the header. */
static uint64_t period_of(const struct perf_record *r)
{
	if (r->attr->sample_type & PERF_SAMPLE_PERIOD)
		return r->period;
	return r->attr->is_frequency ? 0 : r->attr->period;
}

/* The same tracepoint; it may have been opened several times. */
static bool is_same_event(const struct perf_attr *one, const struct perf_attr *other)
{
	return one->type == other->type && one->config == other->config;
}

static bool is_exits(const struct perf_feed *f, const struct perf_attr *attr)
{
	return is_same_event(attr, f->exits);
}

static int take_sample(struct perf_feed *f, const struct perf_record *r,
		       const struct trace_sink *sink)
{
	struct last_sample *last = last_of(f, r->cpu);
	bool repeated = r->raw && is_repeated(last, r);
	struct kvm_event event;
	int rc = 0;

	if (f->overwrites && !last->time)
		rc = sink->lost(sink->user, r->cpu, 0, r->time);
	if (rc)
		return rc;
	f->has_twice |= repeated && is_exits(f, r->attr);
	remember(last, r);
	if (r->time > f->newest)
		f->newest = r->time;
	if (r->time && (!f->oldest || r->time < f->oldest))
		f->oldest = r->time;
	if (repeated || !r->raw ||
	    !kvm_event_parse(&f->file.formats, r->raw, r->raw_size, &event)) {
		f->others++;
		return 0;
	}

	event.ts = r->time;
	event.cpu = r->cpu;
	/* The event itself has the thread's number on the host. */
	if (known(r->tid))
		event.tid = r->tid;
	event.tgid = known(r->pid);
	event.period = f->sampled ? period_of(r) : 0;
	return sink->event(sink->user, &event);
}

static int take_lost(struct perf_feed *f, const struct perf_record *r,
		     const struct trace_sink *sink)
{
	uint64_t from = last_of(f, r->cpu)->time;

	f->lost += r->lost;
	return sink->lost(sink->user, r->cpu, from, r->time ? r->time : UINT64_MAX);
}

/* Whether it is kvm_exit or kvm_entry. */
static bool makes_records(const struct perf_feed *f, const struct perf_attr *attr)
{
	const struct perf_attr *entries = perf_file_find(&f->file, KVM_EVENT_ENTRY);

	return attr && (is_exits(f, attr) || (entries && is_same_event(attr, entries)));
}

/*
 * The kernel stops an event that comes too often until the next tick, from 6.16 on with the others
 * of its group (perf record -e '{cycles,kvm:kvm_exit}'). What it missed is not counted as lost.
 */
static int take_throttling(struct perf_feed *f, const struct perf_record *r,
			   const struct trace_sink *sink)
{
	struct last_sample *last = last_of(f, r->cpu);
	uint64_t from = last->throttled;

	if (!makes_records(f, r->attr))
		return 0;
	f->throttled = true;
	last->throttled = r->kind == PERF_FILE_THROTTLED ? r->time : 0;
	if (r->kind == PERF_FILE_THROTTLED || !from)
		return 0;
	return sink->lost(sink->user, r->cpu, from, r->time);
}

/* Events that are stopped until the end. */
static int end_throttling(struct perf_feed *f, const struct trace_sink *sink)
{
	int rc = 0;

	for (uint32_t cpu = 0; cpu < CPUS && f->throttled && !rc; cpu++) {
		if (f->last[cpu].throttled)
			rc = sink->lost(sink->user, cpu, f->last[cpu].throttled, UINT64_MAX);
	}
	return rc;
}

static void take_lost_samples(struct perf_feed *f, const struct perf_record *r)
{
	if (!r->attr)
		return;
	f->lost_samples += r->lost;
	f->lost_of[r->attr - f->file.attrs] += r->lost;
}

/*
 * Lost kvm_exit. Opened with several filters each has lost its own. Without filters a loss of one
 * is there from another one, unless all have lost it: at most as many as the one with the least.
 */
static uint64_t lost_exits(const struct perf_feed *f)
{
	uint64_t sum = 0, least = UINT64_MAX;

	for (size_t i = 0; i < f->file.attr_count; i++) {
		if (!is_exits(f, &f->file.attrs[i]))
			continue;
		sum = sum + f->lost_of[i] < sum ? UINT64_MAX : sum + f->lost_of[i];
		least = f->lost_of[i] < least ? f->lost_of[i] : least;
	}
	return f->has_twice ? least : sum;
}

static int take(struct perf_feed *f, const struct perf_record *r, const struct trace_sink *sink)
{
	switch (r->kind) {
	case PERF_FILE_SAMPLE:
		return take_sample(f, r, sink);
	case PERF_FILE_LOST:
		return take_lost(f, r, sink);
	case PERF_FILE_LOST_SAMPLES:
		take_lost_samples(f, r);
		return 0;
	case PERF_FILE_THROTTLED:
	case PERF_FILE_UNTHROTTLED:
		return take_throttling(f, r, sink);
	case PERF_FILE_COMM:
		return names_set(&f->names, r->tid, r->comm);
	default:
		return 0;
	}
}

static int perf_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		     struct fault *fault)
{
	struct perf_feed *f = self;
	struct perf_record record = {0};
	int rc = 1;

	*horizon = f->before;
	for (int i = 0; i < FILL_RECORDS && rc > 0; i++) {
		rc = perf_file_next(&f->file, &record, fault);
		if (rc <= 0)
			break;
		if (record.kind == PERF_FILE_ROUND) {
			f->before = f->newest;
			break;
		}
		rc = take(f, &record, sink);
		if (rc < 0)
			return rc;
		rc = 1;
	}
	*end = !rc;
	if (*end)
		return end_throttling(f, sink);
	return rc < 0 ? rc : 0;
}

static void perf_rewind(void *self)
{
	struct perf_feed *f = self;

	perf_file_rewind(&f->file);
	f->newest = f->oldest = f->before = 0;
	f->lost = f->lost_samples = f->others = 0;
	f->has_twice = f->throttled = false;
	memset(f->lost_of, 0, f->file.attr_count * sizeof(*f->lost_of));
	memset(f->last, 0, sizeof(f->last));
}

/* The events of a CPU share a buffer, and lose records of any kind in it. */
static bool has_sideband(const struct perf_feed *f)
{
	bool has = false;

	for (size_t i = 0; i < f->file.attr_count; i++)
		has |= f->file.attrs[i].has_sideband;
	return has;
}

/* LOST_SAMPLES are there from Linux 6.1 on, and say which event. */
static void perf_losses(void *self, struct losses_reported *reported)
{
	struct perf_feed *f = self;

	*reported = (struct losses_reported){
		.events = f->lost > f->lost_samples ? f->lost : f->lost_samples,
		.exits = lost_exits(f),
		.exits_known = f->lost_samples && (f->lost_samples >= f->lost || has_sideband(f)),
		.others = f->others,
		.may_be_others = has_sideband(f),
		.more = f->overwrites || f->hides_period || f->filtered || f->throttled ||
			(f->has_twice && f->lost_samples),
		.partial = f->partial,
		.cut_at = f->file.cut_at,
	};
}

/* perf notes the times of the first and the last sample at the end of a recording. */
static bool perf_span(void *self, uint64_t *from, uint64_t *to)
{
	const struct perf_feed *f = self;
	const struct perf_features *features = &f->file.features;

	*from = f->oldest;
	*to = f->newest;
	if (features->first_ns && features->first_ns < *from)
		*from = features->first_ns;
	if (features->last_ns <= INT64_MAX && features->last_ns > *to)
		*to = features->last_ns;
	return f->oldest;
}

static void perf_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	names_get(&((struct perf_feed *)self)->names, tgid, tid, comm, bytes);
}

static void perf_close(void *self)
{
	struct perf_feed *f = self;

	perf_file_close(&f->file);
	names_free(&f->names);
	free(f->lost_of);
	free(f);
}

/*
 * perf_swevent_event() of the kernel: where samples have their period, perf record -c N makes it
 * write each event as a sample of its own.
 */
static bool may_be_each(const struct perf_attr *attr)
{
	return attr->sample_type & PERF_SAMPLE_PERIOD && !attr->is_frequency;
}

/* Whether any sample of the tracepoint of @attr stands for several. 1, 0, or -errno. */
static int has_periods(struct perf_feed *f, const struct perf_attr *attr, struct fault *fault)
{
	struct perf_record r;
	int rc;

	while ((rc = perf_file_next(&f->file, &r, fault)) > 0) {
		if (r.kind == PERF_FILE_SAMPLE && is_same_event(r.attr, attr) && r.period > 1)
			break;
	}
	perf_file_rewind(&f->file);
	return rc;
}

/* Whether samples of an event stand for several events; NULL: it was not recorded. */
static int read_periods(struct perf_feed *f, const struct perf_attr *attr, bool *sampled,
			struct fault *fault)
{
	int rc = 0;

	*sampled = attr && (attr->is_frequency || attr->period > 1);
	if (*sampled && may_be_each(attr)) {
		rc = has_periods(f, attr, fault);
		*sampled = rc > 0;
	}
	return rc < 0 ? rc : 0;
}

/* What the samples of kvm_exit and kvm_entry stand for. */
static int set_sampled(struct perf_feed *f, struct trace_feed *feed, struct fault *fault)
{
	bool entries_sampled;
	int rc = read_periods(f, f->exits, &f->sampled, fault);

	if (!rc)
		rc = read_periods(f, perf_file_find(&f->file, KVM_EVENT_ENTRY), &entries_sampled,
				  fault);
	if (rc)
		return rc;

	feed->sampled = f->sampled;
	f->hides_period = f->exits->is_frequency && !(f->exits->sample_type & PERF_SAMPLE_PERIOD);
	feed->hides_period = f->hides_period;
	if (!f->sampled && entries_sampled) {
		feed->no_time = "kvm_entry was sampled";
		feed->no_time_way = "perf record -c 1, or perf kvm stat record, writes each one";
	}
	return 0;
}

/*
 * What was recorded of the host's CPUs: by the index of the ids, which stands before the samples;
 * without one by perf's command.
 */
static int set_cpus(struct perf_feed *f, struct trace_feed *feed, struct fault *fault)
{
	const struct perf_features *features = &f->file.features;
	struct perf_record r = {0};
	uint32_t count, first;
	int rc = 1;

	while (rc > 0 && r.kind != PERF_FILE_SAMPLE)
		rc = perf_file_next(&f->file, &r, fault);
	perf_file_rewind(&f->file);
	if (rc < 0)
		return rc;

	count = f->file.cpus.count;
	first = f->file.cpus.first;
	if (!count && features->command)
		count = command_cpus(features->command, &first);
	if (f->file.cpus.any || !count || count >= features->cpus_online)
		return 0;

	f->partial = true;
	if (feed->no_time)
		return 0;
	feed->no_time = cpus_missing(count, first, features->cpus_online, f->no_time);
	feed->no_time_way = CPUS_MISSING_WAY;
	return 0;
}

/* What the user must know of how it was recorded. */
static void set_notes(struct perf_feed *f)
{
	const struct perf_attr *entries = perf_file_find(&f->file, KVM_EVENT_ENTRY);
	const char *command = f->file.features.command;
	int count = 0;

	f->filtered = command && command_filters(command, "kvm_exit") &&
		      (!entries || command_filters(command, "kvm_entry"));
	if (f->filtered)
		f->notes[count++] = COMMAND_FILTER_NOTE;
	if (!(f->exits->sample_type & PERF_SAMPLE_CPU))
		f->notes[count++] =
			"it has no CPUs: column pcpu is 0, which stands for unknown (perf record --sample-cpu)";
}

/* What the headers know of the run. */
static void describe(const struct perf_file *file, const char *path, struct run_info *info)
{
	const struct perf_features *features = &file->features;

	run_info_set(info, RUN_LABEL, path);
	run_info_set(info, RUN_HOST, features->hostname);
	run_info_set(info, RUN_KERNEL, features->kernel);
	run_info_set(info, RUN_CPU_MODEL, features->cpu);
	run_info_set(info, RUN_COMMAND, features->command);
}

int source_perf_data_open(const char *path, struct source **source, struct fault *fault)
{
	struct perf_feed *f = calloc(1, sizeof(*f));
	struct trace_feed feed = {
		.self = f,
		.fill = perf_fill,
		.rewind = perf_rewind,
		.losses = perf_losses,
		.span = perf_span,
		.comm = perf_comm,
		.close = perf_close,
		.no_entry_way =
			"perf kvm stat record -a, or perf record -a -e kvm:kvm_exit -e kvm:kvm_entry",
		.notes = f->notes,
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = perf_file_open(&f->file, path, fault);
	if (!rc) {
		f->exits = perf_file_find(&f->file, KVM_EVENT_EXIT);
		rc = set_sampled(f, &feed, fault);
	}
	if (!rc)
		rc = set_cpus(f, &feed, fault);
	if (!rc) {
		f->lost_of = calloc(f->file.attr_count, sizeof(*f->lost_of));
		rc = f->lost_of ? 0 : fault_set(fault, -ENOMEM, "out of memory");
	}
	if (rc) {
		perf_close(f);
		return rc;
	}

	set_notes(f);
	feed.next_at = f->file.next_at;
	f->overwrites = f->exits->overwrites;
	feed.overwrites = f->overwrites;
	describe(&f->file, path, &info);
	if (f->file.features.wall_clock_ns)
		feed.wall_offset_ns = (int64_t)((uint64_t)f->file.features.wall_clock_ns -
						f->file.features.clock_ns);
	return source_trace_open(&feed, "perf.data", &info, source, fault);
}
