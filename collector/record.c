// SPDX-License-Identifier: GPL-2.0-only
/* record.c - the recording loop */
#include "collector/record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "collector/host/host.h"

/* A transaction is closed early when it has grown to this many records. */
#define FLUSH_RECORDS (1 << 20)

/* Items between two readings of the clock. */
#define ITEMS_AT_ONCE 64

static int xcheck_fault(int rc, struct fault *fault)
{
	return rc ? fault_set(fault, rc, "cross-check: %s", strerror(-rc)) : 0;
}

/*
 * Moves what the source has into the sink, up to the time @until: guests that exit faster
 * than records are stored would keep it here for ever. *@more: the source may have more.
 */
static int drain(struct record *r, int64_t until, bool *more, bool *finished, struct fault *fault)
{
	struct source_item item;
	int rc;

	if (r->xcheck && !*more)
		xcheck_begin_round(r->xcheck);
	*more = true;

	for (int i = 0; i < ITEMS_AT_ONCE; i++) {
		rc = source_next(r->source, &item, fault);
		if (rc)
			return rc;
		if (item.kind == SOURCE_NOTHING || item.kind == SOURCE_FINISHED) {
			*finished = item.kind == SOURCE_FINISHED;
			*more = false;
			if (r->xcheck)
				xcheck_end_round(r->xcheck);
			return 0;
		}

		rc = sink_store(r->sink, &item, fault);
		if (!rc && r->xcheck)
			rc = xcheck_fault(xcheck_item(r->xcheck, r->source, &item), fault);
		if (rc || host_monotonic_ns() >= until)
			return rc;
	}
	return 0;
}

/* Whether a signal asks to stop. */
static bool stop_signal(int signal_fd)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop = true;
	return stop;
}

/* Waits for a signal, for the source or for the time @until. */
static int wait_until(struct record *r, int64_t until, bool more, struct fault *fault)
{
	struct pollfd fds[] = {
		{.fd = r->signal_fd, .events = POLLIN},
		{.fd = r->source->fd, .events = POLLIN}, /* -1 is left out */
	};
	int64_t wait = until - host_monotonic_ns();
	struct timespec timeout = {0};

	if (!more && wait > 0)
		timeout = (struct timespec){wait / 1000000000, wait % 1000000000};
	if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR)
		return fault_set(fault, -errno, "poll: %s", strerror(errno));
	return 0;
}

/* Ends the transaction, and lets the cross-check do its part of the work. */
static int flush_all(struct record *r, int64_t start, struct fault *fault)
{
	int rc = sink_flush(r->sink, fault);

	if (!rc && r->xcheck)
		rc = xcheck_fault(xcheck_run(r->xcheck), fault);
	if (r->progress)
		r->progress(r->context, r->sink, host_monotonic_ns() - start);
	return rc;
}

/*
 * Ends the recording with this instant. The cross-check holds VMs for their statistics: those whose
 * processes are gone it lets go of first, so that their vCPUs have ended, too.
 */
static int stop(struct record *r, struct fault *fault)
{
	int rc = r->xcheck ? xcheck_fault(xcheck_run(r->xcheck), fault) : 0;

	source_stop(r->source);
	return rc;
}

int record_run(struct record *r, struct fault *fault)
{
	bool has_command = r->command->pid != 0;
	int64_t start = host_monotonic_ns();
	int64_t deadline = r->duration_ns ? start + r->duration_ns : INT64_MAX;
	int64_t flush = start + r->flush_ns;
	bool finished = false;
	bool stopped = false;
	bool more = false;

	while (!finished) {
		int rc = wait_until(r, flush < deadline ? flush : deadline,
				    more || stopped || r->source->fd < 0, fault);

		if (rc)
			return rc;

		if (!stopped && (stop_signal(r->signal_fd) || host_monotonic_ns() >= deadline ||
				 (has_command && command_ended(r->command)))) {
			stopped = true;
			rc = stop(r, fault);
			if (rc)
				return rc;
		}

		rc = drain(r, flush, &more, &finished, fault);
		if (rc)
			return rc;

		if (finished || host_monotonic_ns() >= flush ||
		    r->sink->unflushed >= FLUSH_RECORDS) {
			rc = flush_all(r, start, fault);
			if (rc)
				return rc;
			flush = host_monotonic_ns() + r->flush_ns;
		}
	}
	return r->xcheck ? xcheck_fault(xcheck_stop(r->xcheck), fault) : 0;
}
