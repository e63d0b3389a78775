/* SPDX-License-Identifier: GPL-2.0-only */
/* sink.h - where records go to: the database, a capture file, or both */
#ifndef EXITSCOPE_COLLECTOR_SINK_H
#define EXITSCOPE_COLLECTOR_SINK_H

#include "collector/options.h"
#include "collector/source/capture_file.h"
#include "collector/source/source.h"
#include "collector/xcheck/xcheck.h"

struct sink {
	struct store *store;	 /* NULL: no --db */
	struct capture *capture; /* NULL: no --capture */
	struct source *source;
	const struct xcheck *xcheck; /* its counts are stored at the end; NULL: none */
	const char *db_path;
	const char *capture_path;
	const char *label; /* NULL: the source's */
	int raw;
	int64_t keep_ns;
	int begun;
	int vcpus; /* seen so far */
	uint64_t records;
	int64_t unflushed;
};

/* Opens the files. All calls return 0 or an error with words in @fault. */
int sink_open(struct sink *sink, const struct options *options, struct source *source,
	      struct fault *fault);

int sink_take(struct sink *sink, const struct source_item *item, struct fault *fault);

int sink_flush(struct sink *sink, struct fault *fault);

/* Ends the run; @complete 0: something went wrong, what is there stays. */
int sink_finish(struct sink *sink, int complete, struct fault *fault);

/* Leaves things as they were before sink_open(). If that fails, what was flushed
 * stays as a run that the next writer of the file marks as interrupted.
 */
int sink_discard(struct sink *sink);

#endif
