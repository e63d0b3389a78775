/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate.h - limits of what may change between two runs: compare --fail-on
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_COMPARE_GATE_H
#define EXITSCOPE_ANALYZER_QUERY_COMPARE_GATE_H

#include "analyzer/query/compare/compare.h"

#define GATE_LIMITS 16

/* What a limit is about. */
enum gate_metric { GATE_RATE, GATE_P50, GATE_P99, GATE_NEW, GATE_VANISHED, GATE_METRICS };

/*
 * struct gate - limits
 * @metric: what of each
 * @sign: 1: increases alone, -1: decreases alone, 0: both
 * @limit: the least change that fails, as a share of A
 */
struct gate {
	int limits;
	struct {
		enum gate_metric metric;
		int sign;
		double limit;
	} limit[GATE_LIMITS];
};

/*
 * GATE_OPEN: no change fails, but one may be hidden: exits were dropped, the run is too short, or
 * a quantile differs by the limit, or nobody knows by how much, and it cannot be decided whether
 * that is chance.
 */
enum gate_result { GATE_PASSED, GATE_OPEN, GATE_FAILED };

/**
 * gate_parse - read limits such as "rate=20%,p99=+10%,new"
 *
 * Return: 0, or -1 with app->error.
 */
int gate_parse(struct app *app, const char *text, struct gate *gate);

/**
 * gate_check - hold one change against the limits
 * @names: names of the metrics that fail, with commas, or that are open; "" if none
 */
enum gate_result gate_check(const struct gate *gate, const struct change *c, char *names,
			    size_t size);

/* "passed", "open", "failed". */
const char *gate_result_name(enum gate_result result);

#endif
