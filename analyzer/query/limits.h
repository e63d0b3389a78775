/* SPDX-License-Identifier: GPL-2.0-only */
/* limits.h - what a run has not: one made of tracepoints, with collector --trigger or --counts-only
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_LIMITS_H
#define EXITSCOPE_ANALYZER_QUERY_LIMITS_H

#include "analyzer/query/app.h"

/*
 * limits_read - fill in run->no_durations, dropped_estimated, is_counted, events and kept_rows of
 * run->id
 *
 * From table crosscheck, sources trace, trigger and bpf (sql/schema.sql). Return 0, or -1 with
 * app->error.
 */
int limits_read(struct app *app, struct run *run);

#endif
