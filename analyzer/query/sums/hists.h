/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hists.h - reads histograms of intervals, packed or a row per bucket
 *
 *	hists_open(app, &hists);
 *	for each vCPU: hists_read(&hists, vcpu, first, last, HISTS_CYCLES, add, context);
 *	hists_close(&hists);
 *
 * Texts are decoded here: as a table of SQL (hist_buckets()) a bucket costs several times more.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_HISTS_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_HISTS_H

#include <sqlite3.h>
#include <stdint.h>

#include "analyzer/query/app.h"
#include "sql/hist.h"

/* Which parts: of whole durations, and of the handler's. */
#define HISTS_CYCLES  1U
#define HISTS_HANDLER 2U

/* @n exits of a bucket of sql/hist.h; only of packed histograms is it surely below HIST_BUCKETS. */
struct hist_bucket {
	int64_t bucket;
	uint64_t n;
};

/*
 * struct hist_buckets - buckets of an interval that are taken at once
 * @slot: of run.hist_cycles; @reason: in full; @part: 0: cycles, 1: handler cycles
 */
struct hist_buckets {
	int64_t slot;
	int64_t reason;
	int part;
	uint32_t count;
	const struct hist_bucket *bucket;
};

/* Takes some; -1 with the reason in the app ends the reading. */
typedef int hists_add(void *context, const struct hist_buckets *buckets);

struct hists {
	struct app *app;
	sqlite3_stmt *packed;
	sqlite3_stmt *rows;
	struct hist_bucket *bucket; /* of a text, HIST_BUCKETS */
};

/* -1 with the reason in @app. hists_close() in any case. */
int hists_open(struct app *app, struct hists *hists);

/*
 * Gives @add the histograms of vcpu.id @vcpu in the intervals @first to @last; those of one
 * interval and reason come together. @parts: HISTS_*. 0, or -1 with the reason in the app.
 */
int hists_read(struct hists *hists, int64_t vcpu, int64_t first, int64_t last, unsigned int parts,
	       hists_add *add, void *context);

void hists_close(struct hists *hists);

#endif
