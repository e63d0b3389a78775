/* SPDX-License-Identifier: GPL-2.0-only */
/* sink.h - where records go to: the database, a capture file, or both */
#ifndef EXITSCOPE_COLLECTOR_SINK_H
#define EXITSCOPE_COLLECTOR_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/flight.h"
#include "collector/identify.h"
#include "collector/listen/metrics.h"
#include "collector/source/capture_file.h"
#include "collector/source/source.h"
#include "collector/xcheck/xcheck.h"

/*
 * struct sink_options - what is stored, and where
 * @db, @capture: paths; NULL: none
 * @label: NULL: the source's
 * @raw: each exit is stored
 * @compact: with @raw: in chunks instead of rows
 * @flight: with @raw: which exits have rows; NULL: all
 * @keep_ns: how long single exits are kept, ns; 0: all
 * @keep_rows: the last rows only; 0: all
 * @counts_only: the source gives sums in place of records
 * @rollup_ms: interval of the sums, a part of 1000 ms; 0: 100 ms
 * @has_names: the source records here, and /proc has the names of its processes and threads
 */
struct sink_options {
	const char *db;
	const char *capture;
	const char *label;
	bool raw;
	bool compact;
	bool counts_only;
	const struct flight_options *flight;
	int64_t keep_ns;
	uint64_t keep_rows;
	uint32_t rollup_ms;
	bool has_names;
};

struct sink {
	struct source *source;
	struct store *store;	     /* NULL: no --db */
	struct capture *capture;     /* NULL: no --capture */
	struct flight *flight;	     /* NULL: no --trigger */
	struct metrics *metrics;     /* NULL: no --listen */
	const struct xcheck *xcheck; /* its counts are stored at the end; NULL: none */

	struct sink_options options;
	struct identify identify; /* names of this host's VMs, where it records its own */

	/* so far */
	bool begun; /* the run is written into the files */
	int vcpus;
	uint64_t records;
	int64_t unflushed;  /* records since the last flush */
	int64_t metrics_ns; /* CLOCK_MONOTONIC when the metrics had the totals last */
};

/**
 * sink_open - open the files
 * @sink: filled in
 * @options: copied; its strings must outlive the sink
 * @source: where the records will come from
 * @fault: why not, in words
 *
 * Return: 0; all functions here else return a negative errno or an error of the store
 * (store_strerror()), with words in @fault.
 */
int sink_open(struct sink *sink, const struct sink_options *options, struct source *source,
	      struct fault *fault);

/* Stores one item; the run begins with the first. */
int sink_store(struct sink *sink, const struct source_item *item, struct fault *fault);

/* Ends the transaction: what was stored so far stays if the collector is killed. */
int sink_flush(struct sink *sink, struct fault *fault);

/**
 * sink_finish - end the run
 * @complete: false if something went wrong; what was stored stays, as an interrupted run
 */
int sink_finish(struct sink *sink, bool complete, struct fault *fault);

/* Leaves the files as they were before sink_open(). If that fails, what was flushed
 * stays as a run that the next writer of the file marks as interrupted.
 */
int sink_discard(struct sink *sink);

/* Closes the database after sink_finish(); sink_discard() does so itself. */
void sink_close(struct sink *sink);

#endif
