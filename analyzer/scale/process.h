/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - recordings of made-up processes whose statistics are known
 */
#ifndef EXITSCOPE_ANALYZER_SCALE_PROCESS_H
#define EXITSCOPE_ANALYZER_SCALE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sql/store/store.h"

/*
 * struct process - a vCPU with two states that it changes between at random times
 * @name: what it is, for tables
 * @seconds: how long it is recorded
 * @per_s: exits per second, on average over both states
 * @regular: exits come at equal distances, not at random times (Poisson)
 * @dwell_s: how long a state lasts on average (exponential)
 * @swing: 0 to 1: the rate is per_s * (1 - swing) in one state, per_s * (1 + swing) in the
 *	other
 * @lost: 0 to 1: share of the records that are dropped, at random
 * @latency_cycles, @slow_cycles: the shortest exit; what it is longer by in one state
 */
struct process {
	const char *name;
	double seconds;
	double per_s;
	bool regular;
	double dwell_s;
	double swing;
	double lost;
	double latency_cycles;
	double slow_cycles;
};

/**
 * process_record - record @process as a run of @store
 * @seed: the same seed gives the same run
 *
 * Return: 0, or an error of the store.
 */
int process_record(struct store *store, const struct process *process, uint64_t seed);

#endif
