/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics.h - counters of a recording, for whoever asks while it runs
 *
 * Exits, and what their time went to, are those of KVM's totals where the source has totals: all
 * exits, with a record or without. Else they are what the sink takes, stored or not, as durations
 * always are. The recording adds to them; the server's thread reads them. It holds the lock for the
 * copy of one VM at a time (4 KiB), and the recording for one batch of records.
 *
 * How many series there can be is bounded: METRICS_VMS VMs, METRICS_REASONS reasons of each. When
 * there are more VMs, a new one takes the place of the one that ended first; where none has ended
 * it is counted as vm="(others)". Further reasons are reason="(others)".
 */
#ifndef EXITSCOPE_COLLECTOR_LISTEN_METRICS_H
#define EXITSCOPE_COLLECTOR_LISTEN_METRICS_H

#include <stdio.h>

#include "collector/source/source.h"

#define METRICS_VMS	1024U
#define METRICS_REASONS 96U

struct metrics;

/* No memory: NULL. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/*
 * How long a TSC cycle is and whose exit reasons come; before the first item. @has_totals: the
 * source has them, for metrics_update(); @has_records: it gives records. Return: 0, or -ENOMEM.
 */
int metrics_begin(struct metrics *metrics, const struct run_info *info, bool has_totals,
		  bool has_records);

/* Count an item of the source. Return: 0, or -ENOMEM. */
int metrics_add(struct metrics *metrics, const struct source_item *item);

/* Read the totals of all vCPUs, if the source has any. Return: 0, or -ENOMEM. */
int metrics_update(struct metrics *metrics, struct source *source);

/* Exits of vCPUs that the source never announced, of all up to now. */
void metrics_set_unseen(struct metrics *metrics, uint64_t exits);

/* Write all counters in Prometheus' text format. Any thread. Return: 0, or -ENOMEM. */
int metrics_write(struct metrics *metrics, FILE *file);

#endif
