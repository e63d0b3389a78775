// SPDX-License-Identifier: GPL-2.0-only
/*
 * tracefs.c - the tracepoints of this kernel, live
 *
 * The events with a key (kvm_msr, kvm_cpuid, ...) have buffers of their own: when these are
 * full, exits are without their keys, and how many exits are lost remains exact.
 */
#include "collector/source/trace/tracefs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/source/trace/trace.h"

#define POLL_NS 50000000 /* between two reads of the buffers */

/* Not kvm_pio: kvm_exit has the port, in the exit qualification or in EXITINFO1. */
#define KEYS (TRACE_KEYS & ~(1U << KVM_EVENT_PIO))

/* @keys: NULL if this kernel has no memory for a second instance */
struct tracefs_feed {
	struct trace_instance *instance;
	struct trace_instance *keys;
	int timer;
};

/* A key that is lost leaves no gap between exits. */
static int ignore_lost(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	(void)user;
	(void)cpu;
	(void)from;
	(void)to;
	return 0;
}

static int tracefs_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
			struct fault *fault)
{
	struct tracefs_feed *f = self;
	struct trace_sink keys = *sink;
	uint64_t ticks;
	int rc;

	(void)fault;
	(void)end;
	if (read(f->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return -errno;
	*horizon = host_tsc();
	rc = trace_instance_drain(f->instance, sink);
	if (rc || !f->keys)
		return rc;

	keys.lost = ignore_lost;
	return trace_instance_drain(f->keys, &keys);
}

/* The keys last: each exit that is read has had its time. */
static void tracefs_stop(void *self)
{
	struct tracefs_feed *f = self;

	trace_instance_stop(f->instance);
	if (f->keys)
		trace_instance_stop(f->keys);
}

static void tracefs_losses(void *self, struct losses_reported *reported)
{
	struct tracefs_feed *f = self;

	*reported = (struct losses_reported){.keys_apart = true, .no_keys = !f->keys};
	if (trace_instance_lost(f->instance, &reported->events))
		reported->more = true;
	if (f->keys && trace_instance_lost(f->keys, &reported->keys))
		reported->no_keys = true;
}

static uint32_t tracefs_tgid(void *self, uint32_t tid)
{
	return trace_instance_tgid(((struct tracefs_feed *)self)->instance, tid);
}

/* The process lives on this machine. */
static void tracefs_comm(void *self, uint32_t tgid, uint32_t tid, char *comm, size_t bytes)
{
	(void)self;
	host_comm(tgid ? tgid : tid, comm, (int)bytes);
}

static void tracefs_close(void *self)
{
	struct tracefs_feed *f = self;

	if (f->instance)
		trace_instance_close(f->instance);
	if (f->keys)
		trace_instance_close(f->keys);
	if (f->timer >= 0)
		close(f->timer);
	free(f);
}

static int start(struct tracefs_feed *f, size_t buffer_kb)
{
	const struct itimerspec period = {{0, POLL_NS}, {0, POLL_NS}};
	int rc = trace_instance_open(&f->instance, buffer_kb, TRACE_EXITS);

	if (rc)
		return rc;
	if (trace_instance_open(&f->keys, buffer_kb, KEYS))
		f->keys = NULL;

	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->timer < 0 || timerfd_settime(f->timer, 0, &period, NULL))
		return -errno;
	if (f->keys && trace_instance_start(f->keys)) {
		trace_instance_close(f->keys);
		f->keys = NULL;
	}
	return trace_instance_start(f->instance);
}

int source_tracefs_open(size_t buffer_kb, struct source **source, struct fault *fault)
{
	struct tracefs_feed *f = calloc(1, sizeof(*f));
	const struct trace_feed feed = {
		.self = f,
		.fill = tracefs_fill,
		.stop = tracefs_stop,
		.losses = tracefs_losses,
		.tgid = tracefs_tgid,
		.comm = tracefs_comm,
		.close = tracefs_close,
	};
	struct run_info info = {0};
	int rc;

	if (!f)
		return fault_set(fault, -ENOMEM, "out of memory");

	f->timer = -1;
	rc = start(f, buffer_kb);
	if (rc) {
		tracefs_close(f);
		return fault_set(fault, rc, "tracefs: %s", trace_instance_strerror(rc));
	}

	host_describe(&info);
	info.tsc_khz = host_measure_tsc_khz();
	rc = source_trace_open(&feed, "tracefs", &info, source, fault);
	if (!rc)
		(*source)->fd = f->timer;
	return rc;
}
