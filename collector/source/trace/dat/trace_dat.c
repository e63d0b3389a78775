// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_dat.c - events from a file of trace-cmd record
 *
 * trace-cmd -B NAME records into instances of ftrace, each with buffers of its own.
 * An event that was enabled in several of them is there several times; portions.h has the one that
 * it is taken from.
 */
#include "collector/source/trace/dat/trace_dat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/dat/dat_file.h"
#include "collector/source/trace/dat/ftrace_clock.h"
#include "collector/source/trace/dat/ring_page.h"
#include "collector/source/trace/portions.h"
#include "collector/source/trace/trace.h"
#include "collector/source/trace/whole_file.h"

/* trace.dat begins so, then has its version. */
#define DAT_MAGIC "\x17\x08\x44tracing"

/* Events handed over at once, so that memory does not grow with the file. */
#define FILL_EVENTS 65536

/*
 * The events of one CPU of one instance.
 * @next: the next event of a kind that is taken from this instance, if @has_next
 * @first_ts, @last_ts: times of the first and the last event of any kind; 0: none so far
 * @lost: by the pages; @gaps: pages that don't say how many
 * @hides: more were lost than the pages say: before the first one, or after the last one
 */
struct reader {
	size_t buffer;
	uint32_t cpu;
	struct dat_pages pages;
	struct ring_page page;
	struct kvm_event next;
	bool has_next;
	uint64_t first_ts;
	uint64_t last_ts;
	uint64_t lost;
	uint64_t gaps;
	bool hides;
};

/*
 * Of an instance.
 * @has_kvm: it has events of KVM; @used: some of them are taken
 * @others: events without a meaning here
 * @lost: by the pages; @gaps: pages that don't say how many
 */
struct instance {
	bool has_kvm;
	bool used;
	uint64_t others;
	uint64_t lost;
	uint64_t gaps;
};

/* What a reading is for. */
enum purpose {
	TAKING,
	FINDING, /* which instances have events of KVM: as far as the first one */
	COUNTING /* what they have */
};

/*
 * @portions: if several instances have events of KVM, as @is_shared says
 * @has_entries: kvm_entry was recorded
 */
struct dat_feed {
	struct dat_file file;
	struct instance *instances; /* as file.buffers */
	struct reader *readers;
	size_t reader_count;
	struct portions portions;
	enum purpose purpose;
	bool is_shared;
	bool has_entries;
	bool begun;
	size_t cpus; /* that have events, up to 2 */
	uint32_t cpu;
	const char *clock; /* of the instances that are used */
	char no_time[64];
	char *notes[2];
};

static int damaged(const struct dat_feed *f, struct fault *fault)
{
	return fault_set(fault, -EBADMSG, "%s: damaged or cut off", f->file.path);
}

/* What another instance lost is in the one that is used. */
static int tell_lost(const struct dat_feed *f, const struct reader *r,
		     const struct trace_sink *sink, uint64_t to)
{
	if (!sink || !f->instances[r->buffer].used)
		return 0;
	return sink->lost(sink->user, r->cpu, r->last_ts, to);
}

/* The next page that has events; 0: there is none. */
static int next_page(struct dat_feed *f, struct reader *r, const struct trace_sink *sink)
{
	struct instance *instance = &f->instances[r->buffer];
	const unsigned char *page;
	size_t bytes;
	int rc = dat_pages_next(&r->pages, &page, &bytes);

	if (!rc && r->hides)
		return tell_lost(f, r, sink, UINT64_MAX);
	if (rc <= 0)
		return rc;
	if (ring_page_begin(&r->page, page, bytes, f->file.long_bytes))
		return -EBADMSG;

	if (r->page.missed) {
		instance->lost += r->page.lost;
		instance->gaps += !r->page.lost;
		r->lost += r->page.lost;
		r->gaps += !r->page.lost;
	}
	if (r->page.missed || (r->hides && !r->last_ts))
		rc = tell_lost(f, r, sink, r->page.ts);
	return rc < 0 ? rc : 1;
}

/* The next event with its time; 0: the end. */
static int next_event(struct dat_feed *f, struct reader *r, const struct trace_sink *sink,
		      const unsigned char **data, size_t *bytes)
{
	int rc;

	while (!(rc = ring_page_next(&r->page, data, bytes))) {
		rc = next_page(f, r, sink);
		if (rc <= 0)
			return rc;
	}
	return rc;
}

/* What becomes of an event of KVM. 1: it is what is looked for; 0; -errno. */
static int see_event(struct dat_feed *f, struct reader *r, const unsigned char *data, size_t bytes)
{
	uint64_t print;

	f->instances[r->buffer].has_kvm = true;
	if (f->purpose == FINDING)
		return 1;
	f->has_entries |= r->next.kind == KVM_EVENT_ENTRY;
	if (!f->is_shared)
		return f->purpose == TAKING;

	print = portions_print(&f->portions, &r->next, data, bytes);
	if (f->purpose == COUNTING)
		return portions_count(&f->portions, r->buffer, &r->next, print);
	return portions_has(&f->portions, r->buffer, &r->next, print);
}

/* Go on to the next event that is looked for, or taken from this instance. */
static int advance(struct dat_feed *f, struct reader *r, const struct trace_sink *sink)
{
	struct instance *instance = &f->instances[r->buffer];
	const unsigned char *data;
	size_t bytes;
	int rc;

	r->has_next = false;
	while ((rc = next_event(f, r, sink, &data, &bytes)) > 0) {
		if (!r->first_ts)
			r->first_ts = r->page.ts;
		r->last_ts = r->page.ts;
		if (!kvm_event_parse(&f->file.formats, data, bytes, &r->next)) {
			instance->others++;
			continue;
		}
		r->next.ts = r->page.ts;
		r->next.cpu = r->cpu;

		rc = see_event(f, r, data, bytes);
		if (rc) {
			r->has_next = rc > 0;
			return rc > 0 ? 0 : rc;
		}
	}
	return rc;
}

/* All readers at their beginnings. */
static int begin(struct dat_feed *f)
{
	int rc = 0;

	for (size_t i = 0; i < f->reader_count && !rc; i++) {
		struct reader *r = &f->readers[i];
		const struct dat_buffer *buffer = &f->file.buffers[r->buffer];

		r->page = (struct ring_page){.at = NULL};
		r->has_next = false;
		r->first_ts = r->last_ts = 0;
		r->lost = r->gaps = 0;
		rc = dat_pages_begin(&r->pages, &f->file, buffer, r->pages.cpu);
	}
	for (size_t i = 0; i < f->file.buffer_count; i++) {
		struct instance *instance = &f->instances[i];

		instance->others = instance->lost = instance->gaps = 0;
	}
	f->begun = false;
	return rc;
}

/* The reader whose next event is the oldest; NULL: all are at their ends. */
static struct reader *oldest(struct dat_feed *f)
{
	struct reader *best = NULL;

	for (size_t i = 0; i < f->reader_count; i++) {
		struct reader *r = &f->readers[i];

		if (r->has_next && (!best || r->next.ts < best->next.ts))
			best = r;
	}
	return best;
}

static int first_events(struct dat_feed *f, const struct trace_sink *sink)
{
	int rc = 0;

	for (size_t i = 0; i < f->reader_count && !rc; i++)
		rc = advance(f, &f->readers[i], sink);
	f->begun = true;
	return rc;
}

static int dat_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		    struct fault *fault)
{
	struct dat_feed *f = self;
	int rc = f->begun ? 0 : first_events(f, sink);

	for (int i = 0; i < FILL_EVENTS && !rc; i++) {
		struct reader *r = oldest(f);

		if (!r) {
			*end = true;
			break;
		}
		*horizon = r->next.ts;
		rc = sink->event(sink->user, &r->next);
		if (!rc)
			rc = advance(f, r, sink);
	}
	return rc == -EBADMSG ? damaged(f, fault) : rc;
}

/* begin() has succeeded once, so it does again. */
static void dat_rewind(void *self)
{
	begin(self);
}

/* Whether some instance has events of KVM. */
static bool has_kvm(const struct dat_feed *f)
{
	bool has = false;

	for (size_t i = 0; i < f->file.buffer_count; i++)
		has |= f->instances[i].has_kvm;
	return has;
}

/* Exits that no filter let through are missing, unless each kvm_entry shows the one before it. */
static bool hides_exits(const struct dat_feed *f)
{
	const bool *filtered = f->portions.filtered;

	return filtered[KVM_EVENT_EXIT] && (!f->has_entries || filtered[KVM_EVENT_ENTRY]);
}

/*
 * Losses by the statistics of the buffers, or by the pages: these don't see what was
 * lost after the last page, the statistics may be missing.
 */
static void dat_losses(void *self, struct losses_reported *reported)
{
	struct dat_feed *f = self;

	*reported = (struct losses_reported){
		.cut_at = f->file.cut_at,
		.more = f->file.cut_others,
	};
	if (f->cpus == 1 && f->file.cpu_count > 1 && !f->file.cut_at) {
		reported->partial = true;
		reported->one_cpu_of = f->file.cpu_count;
		reported->one_cpu = f->cpu;
	}
	for (size_t i = 0; i < f->file.buffer_count; i++) {
		const struct dat_buffer *buffer = &f->file.buffers[i];
		const struct instance *instance = &f->instances[i];

		/* Without an event of KVM none is used, and any may have lost some. */
		if (!instance->used && has_kvm(f))
			continue;
		reported->events += buffer->lost > instance->lost ? buffer->lost : instance->lost;
		reported->others += instance->others;
		reported->more |= instance->gaps && !buffer->has_stats;
	}
	reported->more |= f->portions.mixed && reported->events;
	reported->more |= hides_exits(f);
}

/* Of the instances that have the clock of those that are used. */
static bool dat_span(void *self, uint64_t *from, uint64_t *to)
{
	const struct dat_feed *f = self;
	bool found = false;

	for (size_t i = 0; i < f->reader_count; i++) {
		const struct reader *r = &f->readers[i];

		if (!r->last_ts || strcmp(f->file.buffers[r->buffer].clock, f->clock) != 0)
			continue;
		if (!found || r->first_ts < *from)
			*from = r->first_ts;
		if (!found || r->last_ts > *to)
			*to = r->last_ts;
		found = true;
	}
	return found;
}

static void dat_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	names_get(&((struct dat_feed *)self)->file.names, tgid, tid, comm, bytes);
}

static void dat_close(void *self)
{
	struct dat_feed *f = self;

	for (size_t i = 0; i < f->reader_count; i++)
		dat_pages_end(&f->readers[i].pages);
	free(f->readers);
	free(f->instances);
	portions_free(&f->portions);
	dat_file_close(&f->file);
	free(f);
}

static int make_readers(struct dat_feed *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->file.buffer_count; i++)
		count += f->file.buffers[i].cpu_count;
	f->instances = calloc(f->file.buffer_count + 1, sizeof(*f->instances));
	f->readers = calloc(count + 1, sizeof(*f->readers));
	if (!f->instances || !f->readers)
		return -ENOMEM;

	for (size_t i = 0; i < f->file.buffer_count; i++) {
		const struct dat_buffer *buffer = &f->file.buffers[i];

		for (size_t cpu = 0; cpu < buffer->cpu_count; cpu++) {
			struct reader *r = &f->readers[f->reader_count++];

			r->buffer = i;
			r->cpu = buffer->cpus[cpu].cpu;
			r->pages.cpu = &buffer->cpus[cpu];
		}
	}
	return 0;
}

/* Whether more than one CPU has events, of any kind and instance. */
static void note_cpu(struct dat_feed *f, const struct reader *r)
{
	if (!r->page.end || (f->cpus && f->cpu == r->cpu))
		return;
	f->cpus += f->cpus < 2;
	f->cpu = r->cpu;
}

/* Whether several instances have events of KVM. */
static int find_shared(struct dat_feed *f)
{
	size_t count = 0;
	int rc = begin(f);

	f->purpose = FINDING;
	for (size_t i = 0; i < f->reader_count && !rc; i++) {
		if (!f->instances[f->readers[i].buffer].has_kvm)
			rc = advance(f, &f->readers[i], NULL);
	}
	for (size_t i = 0; i < f->file.buffer_count; i++)
		count += f->instances[i].has_kvm;
	f->is_shared = count > 1;
	return rc;
}

/* Count what the instances have. */
static int count_events(struct dat_feed *f)
{
	int rc = begin(f);

	f->purpose = COUNTING;
	for (size_t i = 0; i < f->reader_count && !rc; i++) {
		struct reader *r = &f->readers[i];

		rc = advance(f, r, NULL);
		note_cpu(f, r);
		r->hides = !r->gaps && dat_lost_of(&f->file.buffers[r->buffer], r->cpu) > r->lost;
	}
	return rc;
}

/* Choose from which instance each event is taken. */
static int choose_instances(struct dat_feed *f)
{
	int rc = find_shared(f);

	if (!rc)
		rc = count_events(f);
	if (rc == -E2BIG) {
		portions_restart_by_reason(&f->portions);
		rc = count_events(f);
	}
	if (rc)
		return rc;

	portions_choose(&f->portions);
	for (size_t i = 0; i < f->file.buffer_count; i++) {
		struct instance *instance = &f->instances[i];

		instance->used = f->is_shared ? portions_uses(&f->portions, i) : instance->has_kvm;
	}
	if (hides_exits(f))
		f->notes[0] =
			"instances have exits that another one of the same thread lacks (a filter: trace-cmd -f): exits that none of them let through are missing, and how many is not known";
	f->purpose = TAKING;
	return begin(f);
}

/* The clock of the instances that are used, which must have the same one. */
static const char *clock_name(const struct dat_feed *f, struct fault *fault)
{
	const char *name = NULL;

	for (size_t i = 0; i < f->file.buffer_count; i++) {
		const struct dat_buffer *buffer = &f->file.buffers[i];

		if (!f->instances[i].used)
			continue;
		if (name && strcmp(name, buffer->clock)) {
			fault_set(
				fault, -ENOTSUP,
				"%s: kvm events in instances with the clocks %s and %s, whose times can't be compared (trace-cmd record all of them into one -B NAME)",
				f->file.path, name, buffer->clock);
			return NULL;
		}
		name = buffer->clock;
	}
	return name ? name : "";
}

/* What a tick of the clock is. */
static int set_clock(struct dat_feed *f, uint32_t tsc_khz, struct trace_feed *feed,
		     struct run_info *info, struct fault *fault)
{
	const char *name = clock_name(f, fault);
	double khz = 0;
	bool is_known;

	if (!name)
		return -ENOTSUP;
	f->clock = name;
	info->tsc_khz = 1000000;
	is_known = strcmp(name, DAT_CLOCK_UNKNOWN) != 0;
	if (tsc_khz && *name && is_known && clock_kind(name) != CLOCK_TSC)
		return fault_set(
			fault, -EINVAL,
			"%s: its times are not TSC cycles but those of the clock %s (leave --tsc-khz out)",
			f->file.path, name);
	switch (tsc_khz ? CLOCK_TSC : clock_kind(name)) {
	case CLOCK_NS:
		feed->wall_offset_ns = f->file.wall_offset_ns;
		return 0;
	case CLOCK_COUNTS:
		if (!is_known) {
			feed->no_time = "the file does not say of which clock its times are";
			feed->no_time_way = "--tsc-khz N if they are TSC cycles";
			return 0;
		}
		snprintf(f->no_time, sizeof(f->no_time), "the clock %s does not measure time",
			 name);
		feed->no_time = f->no_time;
		feed->no_time_way = "trace-cmd record -C local, or -C x86-tsc";
		return 0;
	case CLOCK_TSC:
		break;
	}

	if (f->file.tsc_mult && f->file.tsc_shift < 64)
		khz = 1e6 * (double)(1ULL << f->file.tsc_shift) / f->file.tsc_mult;
	if (tsc_khz)
		khz = tsc_khz;
	if (khz < 1 || khz > INT32_MAX)
		return fault_set(
			fault, -EINVAL,
			"%s: its times are TSC cycles (clock x86-tsc), and it does not say how long a cycle is (give --tsc-khz N; dmesg of the recorded host has it in MHz)",
			f->file.path);
	info->tsc_khz = (uint32_t)(khz + 0.5);
	return 0;
}

/* An exit that a vCPU took before it went to another CPU seems to go on until it came back. */
static void set_cut(const struct dat_feed *f, struct trace_feed *feed)
{
	if (!f->file.cut_others || feed->no_time)
		return;
	feed->no_time = "the recording is cut off, and events of other CPUs stood after the cut";
	feed->no_time_way = "import the whole file";
}

static int open_file(struct dat_feed *f, const char *path, struct fault *fault)
{
	int rc = dat_file_open(&f->file, path, fault);

	if (rc)
		return rc;
	rc = make_readers(f);
	if (!rc)
		rc = choose_instances(f);
	if (rc == -EBADMSG)
		return damaged(f, fault);
	return rc ? fault_set(fault, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int source_trace_dat_open(const char *path, uint32_t tsc_khz, struct source **source,
			  struct fault *fault)
{
	struct dat_feed *f = calloc(1, sizeof(*f));
	struct trace_feed feed = {
		.self = f,
		.fill = dat_fill,
		.rewind = dat_rewind,
		.losses = dat_losses,
		.span = dat_span,
		.comm = dat_comm,
		.close = dat_close,
		.may_lack_exits = true,
		.no_entry_way = "trace-cmd record -e kvm:kvm_exit -e kvm:kvm_entry",
		.notes = f->notes,
	};
	struct run_info info = {0};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (!rc)
		rc = set_clock(f, tsc_khz, &feed, &info, fault);
	if (rc) {
		dat_close(f);
		return rc;
	}

	set_cut(f, &feed);
	feed.next_at = whole_file_next(f->file.data, f->file.size, DAT_MAGIC, strlen(DAT_MAGIC));
	run_info_set(&info, RUN_LABEL, path);
	if (*f->file.host)
		run_info_set(&info, RUN_HOST, f->file.host);
	if (*f->file.kernel)
		run_info_set(&info, RUN_KERNEL, f->file.kernel);
	return source_trace_open(&feed, "trace.dat", &info, source, fault);
}
