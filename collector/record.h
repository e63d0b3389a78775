/* SPDX-License-Identifier: GPL-2.0-only */
/* record.h - moves records from the source to the sink until it is time to stop */
#ifndef EXITSCOPE_COLLECTOR_RECORD_H
#define EXITSCOPE_COLLECTOR_RECORD_H

#include "collector/command.h"
#include "collector/sink.h"
#include "collector/xcheck/xcheck.h"

/* Called after each flush. @elapsed_ns: since the recording began. */
typedef void (*record_progress)(void *context, const struct sink *sink, int64_t elapsed_ns);

struct record {
	struct source *source;
	struct sink *sink;
	struct xcheck *xcheck;	 /* NULL: no cross-check */
	struct command *command; /* stops when it ends, if its pid is not 0 */
	int signal_fd;		 /* non-blocking signalfd: SIGINT, SIGTERM, SIGHUP, SIGCHLD */
	int64_t duration_ns;	 /* 0: no limit */
	int64_t flush_ns;
	record_progress progress; /* NULL: not to be called */
	void *context;
};

/**
 * record_run - record until the source has finished
 * @record: what to record; it stops at a signal, at the end of the command or of the duration
 * @fault: why not, in words
 *
 * Return: 0, or a negative errno or error of the store.
 */
int record_run(struct record *record, struct fault *fault);

#endif
