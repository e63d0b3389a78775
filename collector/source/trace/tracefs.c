// SPDX-License-Identifier: GPL-2.0-only
/* source_tracefs.c - the tracepoints of this kernel, live */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/source/trace/trace.h"

#define POLL_NS 50000000 /* between two reads of the buffers */

struct tracefs_feed {
	struct trace_instance *instance;
	int timer;
};

static int tracefs_fill(void *self, const struct trace_sink *sink, uint64_t *horizon, bool *end,
			struct fault *fault)
{
	struct tracefs_feed *f = self;
	uint64_t ticks;

	(void)fault;
	(void)end;
	if (read(f->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return -errno;
	*horizon = host_tsc();
	return trace_instance_drain(f->instance, sink);
}

static void tracefs_stop(void *self)
{
	trace_instance_stop(((struct tracefs_feed *)self)->instance);
}

static void tracefs_losses(void *self, struct losses_reported *reported)
{
	*reported = (struct losses_reported){0};
	if (trace_instance_lost(((struct tracefs_feed *)self)->instance, &reported->events))
		reported->more = true;
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
	if (f->timer >= 0)
		close(f->timer);
	free(f);
}

static int start(struct tracefs_feed *f, size_t buffer_kb)
{
	const struct itimerspec period = {{0, POLL_NS}, {0, POLL_NS}};
	int rc = trace_instance_open(&f->instance, buffer_kb);

	if (rc)
		return rc;

	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->timer < 0 || timerfd_settime(f->timer, 0, &period, NULL))
		return -errno;
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
