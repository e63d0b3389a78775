/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernels.h - the runs of one kernel against those of another
 *
 * Whether chance explains a difference is found as analyzer compare does it (query/batches.h), with
 * runs in the place of intervals: hosts differ, so the number of exits says little about how sure a
 * difference is, and the number of runs says much.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_KERNELS_H
#define EXITSCOPE_ANALYZER_PUSH_KERNELS_H

#include "analyzer/push/ask.h"
#include "analyzer/query/compare/batches.h"

/*
 * struct kernel_change - an exit reason on both sides; [0]: A, [1]: B
 * @exits, @rate: in all, and per second of a vCPU
 * @p: probability that chance alone makes such a difference; 1 where nothing can be said
 * @word: more, fewer, ~ (may be chance, or is below 5 %), new, vanished; lost: exits without a
 *record could be the difference; NULL: too few runs
 */
struct kernel_change {
	const char *reason;
	struct batches side[2];
	double exits[2];
	double rate[2];
	double p;
	const char *word;
};

/*
 * struct kernels - @runs: of each side; @seconds: time of their vCPUs; @lost: exits without a
 * record
 */
struct kernels {
	struct kernel_change *change;
	size_t changes;
	size_t runs[2];
	double seconds[2];
	double lost[2];
};

/* Columns of the answer to questions/ask_kernels.sql. */
#define KERNELS_COLUMNS 6

/**
 * kernels_compare - compare what a server has answered to ask_kernels.sql
 *
 * Of all differences that have a word, chance makes at most 1 in 20. The largest differences come
 * first; @kernels points into @answer. Return: 0, or -1 with app->error; call kernels_free() in any
 * case.
 */
int kernels_compare(struct app *app, const struct answer *answer, struct kernels *kernels);

/* Share of a side's exits that have no record, 0 to 1. */
double kernels_lost_share(const struct kernels *kernels, int side);

void kernels_free(struct kernels *kernels);

#endif
