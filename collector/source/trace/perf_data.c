// SPDX-License-Identifier: GPL-2.0-only
/* import_perf_data.c - events from a file of perf record or perf kvm stat record */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/perf_file.h"
#include "collector/source/trace/trace.h"

/*
 * @newest: of the rounds so far; @before: of all but the last. perf promises that
 *	after a round nothing comes that is older than the round before it.
 * @tgids: the process of each thread seen
 */
struct perf_feed {
	struct perf_file file;
	struct kvm_event_format format;
	uint64_t newest;
	uint64_t before;
	uint64_t lost;
	uint64_t last_ts[1024]; /* by CPU; those beyond share the last */
	struct {
		uint32_t tid;
		uint32_t tgid;
	} * tgids;
	size_t tgid_count;
};

static uint64_t *last_of(struct perf_feed *f, uint32_t cpu)
{
	size_t most = sizeof(f->last_ts) / sizeof(*f->last_ts) - 1;

	return &f->last_ts[cpu < most ? cpu : most];
}

static uint32_t perf_tgid(void *self, uint32_t tid)
{
	struct perf_feed *f = self;

	for (size_t i = f->tgid_count; i-- > 0;) {
		if (f->tgids[i].tid == tid)
			return f->tgids[i].tgid;
	}
	return 0;
}

static int remember(struct perf_feed *f, uint32_t tid, uint32_t tgid)
{
	void *more;

	if (perf_tgid(f, tid) == tgid)
		return 0;
	more = reallocarray(f->tgids, f->tgid_count + 1, sizeof(*f->tgids));
	if (!more)
		return -ENOMEM;
	f->tgids = more;
	f->tgids[f->tgid_count].tid = tid;
	f->tgids[f->tgid_count++].tgid = tgid;
	return 0;
}

static int take_sample(struct perf_feed *f, const struct perf_record *r,
		       const struct trace_sink *sink)
{
	struct kvm_event event;

	*last_of(f, r->cpu) = r->time;
	if (r->time > f->newest)
		f->newest = r->time;
	if (!kvm_event_parse(&f->format, (void *)r->raw, (int)r->raw_size, &event))
		return 0;
	event.ts = r->time;
	event.cpu = r->cpu;
	event.tid = r->tid;
	if (remember(f, r->tid, r->pid))
		return -ENOMEM;
	return sink->event(sink->user, &event);
}

static int take_lost(struct perf_feed *f, const struct perf_record *r,
		     const struct trace_sink *sink)
{
	uint64_t from = *last_of(f, r->cpu);

	f->lost += r->lost;
	return sink->lost(sink->user, r->cpu, from, r->time ? r->time : UINT64_MAX);
}

static int perf_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		     struct fault *fault)
{
	struct perf_feed *f = self;
	struct perf_record record;
	int rc;

	while ((rc = perf_file_next(&f->file, &record)) > 0) {
		if (record.kind == PERF_FILE_ROUND)
			break;
		rc = 0;
		if (record.kind == PERF_FILE_SAMPLE)
			rc = take_sample(f, &record, sink);
		else if (record.kind == PERF_FILE_LOST)
			rc = take_lost(f, &record, sink);
		if (rc)
			return rc;
	}
	if (rc < 0)
		return fault_set(fault, rc,
				 rc == -ENOTSUP ? "perf.data: compressed (record without -z)"
						: "perf.data: damaged or cut off");
	*end = !rc;
	*horizon = f->before;
	f->before = f->newest;
	return 0;
}

static uint64_t perf_lost(void *self)
{
	return ((struct perf_feed *)self)->lost;
}

static void perf_close(void *self)
{
	struct perf_feed *f = self;

	perf_file_close(&f->file);
	free(f->tgids);
	free(f);
}

static int open_file(struct perf_feed *f, const char *path, struct fault *fault)
{
	int rc = perf_file_open(&f->file, path);

	if (!rc)
		rc = kvm_event_format_init(&f->format, f->file.tep);
	switch (rc) {
	case 0:
		return 0;
	case -ENOENT:
		return fault_set(fault, rc,
				 "%s: has no kvm_exit and kvm_entry (perf kvm stat record)", path);
	case -ENOTSUP:
		return fault_set(fault, rc,
				 "%s: recorded with options that can't be read here, or never "
				 "finished (perf kvm stat record -o FILE)",
				 path);
	case -EBADMSG:
		return fault_set(fault, rc, "%s: damaged or cut off", path);
	}
	return fault_set(fault, rc, "%s: %s", path, strerror(-rc));
}

int source_perf_data_open(const char *path, struct source **source, struct fault *fault)
{
	struct perf_feed *f = calloc(1, sizeof(*f));
	const struct trace_feed feed = {
		.self = f,
		.fill = perf_fill,
		.lost = perf_lost,
		.tgid = perf_tgid,
		.close = perf_close,
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (rc) {
		perf_close(f);
		return rc;
	}
	run_info_set(&info, RUN_LABEL, path);
	return source_trace_open(&feed, "perf.data", &info, source, fault);
}
