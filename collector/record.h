/* SPDX-License-Identifier: GPL-2.0-only */
/* record.h - moves records from the source to the sink until it is time to stop */
#ifndef EXITSCOPE_COLLECTOR_RECORD_H
#define EXITSCOPE_COLLECTOR_RECORD_H

#include "collector/command.h"
#include "collector/sink.h"
#include "collector/xcheck/xcheck.h"

/* Told now and then how far the recording is. */
typedef void (*record_progress)(void *context, const struct sink *sink, int64_t elapsed_ns);

struct record {
	struct source *source;
	struct sink *sink;
	struct xcheck *xcheck;	 /* NULL: no cross-check */
	struct command *command; /* stops when it ends, if its pid is not 0 */
	int signal_fd;		 /* signalfd of SIGINT, SIGTERM, SIGHUP and SIGCHLD */
	int64_t duration_ns;	 /* 0: no limit */
	int64_t flush_ns;
	record_progress progress; /* NULL: nobody wants to know */
	void *context;
};

/* Returns 0 when the source has finished, else an error with words in @fault. */
int record_run(struct record *record, struct fault *fault);

#endif
