/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xcheck.h - counts the same exits by other means while the rings are recorded
 *
 * Sources: kvm_exit and kvm_entry from a tracefs instance, matched with the
 * records exit by exit (match.h); perf counters on both events
 * (perf.h); KVM's statistics (kvmstat.h). All counts go to table
 * crosscheck, where `analyzer verify` compares them. A source that can't be had
 * is named there, and the rest goes on.
 *
 *	xcheck_open()
 *	xcheck_start()			before the rings are armed
 *	xcheck_begin_round()		before the source is asked
 *	xcheck_item()			each item that the source gives
 *	xcheck_end_round()		when the source says SOURCE_NOTHING
 *	xcheck_run()			now and then, before the trace buffers are full
 *	xcheck_stop()			after the source has finished
 *	xcheck_store()
 *	xcheck_close()
 *
 * So tracing lasts longer than the recording on both sides, and what differs at
 * the edges is known by its time.
 *
 * RETURN VALUES: 0 or -errno, unless said otherwise.
 */
#ifndef EXITSCOPE_COLLECTOR_XCHECK_XCHECK_H
#define EXITSCOPE_COLLECTOR_XCHECK_XCHECK_H

#include <stddef.h>

struct xcheck;
struct source;
struct source_item;
struct store;

/*
 * @trace_buffer_kb: trace buffer per CPU in KiB, 0: 16 MiB. Fails with -ENOMEM only: what can't be
 * had is a note.
 */
int xcheck_open(struct xcheck **xcheck, size_t trace_buffer_kb);

/* What can't be had and why, one line each; NULL after the last. */
const char *xcheck_note(const struct xcheck *xcheck, size_t at);

/* Starts tracing and the perf counters. -errno: tracing could not be started. */
int xcheck_start(struct xcheck *xcheck);

/* Notes the time: all records of exits before it are given to xcheck_item() in this round. */
void xcheck_begin_round(struct xcheck *xcheck);

/* Takes a new vCPU, records, or the end of a vCPU. 0 or -ENOMEM. */
int xcheck_item(struct xcheck *xcheck, const struct source *source, const struct source_item *item);

/* From now on xcheck_run() may match all up to the beginning of this round. */
void xcheck_end_round(struct xcheck *xcheck);

/*
 * Reads the trace buffers, matches what is complete, and reads the statistics of VMs whose process
 * is gone. -ENOMEM, or -errno: the trace buffers could not be read.
 */
int xcheck_run(struct xcheck *xcheck);

/*
 * Stops the counters and tracing, reads them and all statistics, and matches the rest. -ENOMEM, or
 * -errno: the trace buffers could not be read.
 */
int xcheck_stop(struct xcheck *xcheck);

/* Writes all counts to the run that is open; returns what the store returns. */
int xcheck_store(const struct xcheck *xcheck, struct store *store);

void xcheck_close(struct xcheck *xcheck);

#endif
