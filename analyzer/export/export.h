/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export.h - the formats of `analyzer export`
 *
 * Each writes the exits of app->run that pass its filter: 0, or -1 with
 * app->error.
 */
#ifndef EXITSCOPE_ANALYZER_EXPORT_EXPORT_H
#define EXITSCOPE_ANALYZER_EXPORT_EXPORT_H

#include <stdio.h>

#include "analyzer/query/app.h"
#include "analyzer/query/guest/symbols.h"

/* Single exits, in the columns of view exits. */
int export_csv(struct app *app, FILE *file);
int export_json(struct app *app, FILE *file);

/* Single exits, a short JSON object on each line, after one of the run; see ndjson.c. */
int export_ndjson(struct app *app, FILE *file);

/* Sums and histograms as metrics: OpenMetrics 1.0 text, for Prometheus. */
int export_openmetrics(struct app *app, FILE *file);

/* The same in the text format of Prometheus, for its tools that read files. */
int export_prometheus(struct app *app, FILE *file);

/**
 * export_folded - folded stacks of time in ns, for flame graph tools; see folded.c
 * @symbols: functions of the guest; NULL: without
 * @against: a run to compare with, whose time comes first on each line; NULL: none
 * @against_symbols: its functions
 */
int export_folded(struct app *app, const struct symbols *symbols, struct app *against,
		  const struct symbols *against_symbols, FILE *file);

/* A trace of slices on a track per vCPU, for ui.perfetto.dev. */
int export_perfetto(struct app *app, FILE *file);

/* An SQLite database with plain tables instead of views, for outfile_replace(); @unused: NULL. */
int export_rows(struct app *app, const char *temp, const char *path, void *unused);

#endif
