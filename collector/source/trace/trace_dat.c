// SPDX-License-Identifier: GPL-2.0-only
/* import_trace_dat.c - events from a file of trace-cmd record, by libtracecmd */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <trace-cmd.h>

#include "collector/source/trace/trace.h"

/* Events handed over at once, so that memory does not grow with the file. */
#define FILL_EVENTS 65536

struct dat_cpu {
	struct tep_record *next; /* NULL: at its end */
	uint64_t last_ts;
};

struct dat_feed {
	struct tracecmd_input *input;
	struct kvm_event_format format;
	struct dat_cpu *cpus;
	int cpu_count;
	uint64_t lost;
};

/* The CPU whose next record is the oldest; -1: all are at their ends. */
static int oldest(const struct dat_feed *f)
{
	int best = -1;

	for (int i = 0; i < f->cpu_count; i++) {
		if (f->cpus[i].next && (best < 0 || f->cpus[i].next->ts < f->cpus[best].next->ts))
			best = i;
	}
	return best;
}

static int hand_over(struct dat_feed *f, int cpu, const struct trace_sink *sink)
{
	struct tep_record *record = f->cpus[cpu].next;
	struct kvm_event event;
	int rc = 0;

	if (record->missed_events) {
		/* -1: how many is not known */
		f->lost += record->missed_events > 0 ? (uint64_t)record->missed_events : 1;
		rc = sink->lost(sink->user, (uint32_t)cpu, f->cpus[cpu].last_ts, record->ts);
	}
	f->cpus[cpu].last_ts = record->ts;
	if (!rc && kvm_event_parse(&f->format, record->data, record->size, &event)) {
		event.ts = record->ts;
		event.cpu = (uint32_t)cpu;
		rc = sink->event(sink->user, &event);
	}
	tracecmd_free_record(record);
	f->cpus[cpu].next = tracecmd_read_data(f->input, cpu);
	return rc;
}

static int dat_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
		    struct fault *fault)
{
	struct dat_feed *f = self;
	int cpu, rc = 0;

	(void)fault;
	for (int i = 0; i < FILL_EVENTS && !rc; i++) {
		cpu = oldest(f);
		if (cpu < 0) {
			*end = true;
			break;
		}
		*horizon = f->cpus[cpu].next->ts;
		rc = hand_over(f, cpu, sink);
	}
	return rc;
}

static uint64_t dat_lost(void *self)
{
	return ((struct dat_feed *)self)->lost;
}

/* trace-cmd doesn't record which process a thread belongs to. */
static uint32_t dat_tgid(void *self, uint32_t tid)
{
	(void)self;
	(void)tid;
	return 0;
}

static void dat_close(void *self)
{
	struct dat_feed *f = self;

	for (int i = 0; i < f->cpu_count; i++) {
		if (f->cpus[i].next)
			tracecmd_free_record(f->cpus[i].next);
	}
	free(f->cpus);
	if (f->input)
		tracecmd_close(f->input);
	free(f);
}

static int open_file(struct dat_feed *f, const char *path, struct fault *fault)
{
	int rc;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	errno = 0;
	f->input = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!f->input)
		return fault_set(fault, errno ? -errno : -EBADMSG, "%s: no whole file of trace-cmd",
				 path);
	rc = kvm_event_format_init(&f->format, tracecmd_get_tep(f->input));
	if (rc)
		return fault_set(fault, rc,
				 "%s: has no kvm_exit and kvm_entry with a vCPU (trace-cmd record "
				 "-e kvm:kvm_exit -e kvm:kvm_entry)",
				 path);
	f->cpu_count = tep_get_cpus(tracecmd_get_tep(f->input));
	f->cpus = calloc((size_t)f->cpu_count + 1, sizeof(*f->cpus));
	if (!f->cpus)
		return fault_set(fault, -ENOMEM, "out of memory");
	for (int i = 0; i < f->cpu_count; i++)
		f->cpus[i].next = tracecmd_read_data(f->input, i);
	return 0;
}

int source_trace_dat_open(const char *path, struct source **source, struct fault *fault)
{
	struct dat_feed *f = calloc(1, sizeof(*f));
	const struct trace_feed feed = {
		.self = f,
		.fill = dat_fill,
		.lost = dat_lost,
		.tgid = dat_tgid,
		.close = dat_close,
	};
	struct run_info info = {.tsc_khz = 1000000};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");
	rc = open_file(f, path, fault);
	if (rc) {
		dat_close(f);
		return rc;
	}
	run_info_set(&info, RUN_LABEL, path);
	return source_trace_open(&feed, "trace.dat", &info, source, fault);
}
