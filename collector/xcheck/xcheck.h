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

int xcheck_start(struct xcheck *xcheck);
void xcheck_begin_round(struct xcheck *xcheck);
int xcheck_item(struct xcheck *xcheck, const struct source *source, const struct source_item *item);
void xcheck_end_round(struct xcheck *xcheck);
int xcheck_run(struct xcheck *xcheck);
int xcheck_stop(struct xcheck *xcheck);

/* Writes all counts to the run that is open; returns what the store returns. */
int xcheck_store(const struct xcheck *xcheck, struct store *store);

void xcheck_close(struct xcheck *xcheck);

#endif
