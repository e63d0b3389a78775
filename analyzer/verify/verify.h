/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify.h - the equations that a recording must fulfil
 *
 * Each is a query over the tables. It yields one row per comparison:
 *
 *	vm, vcpu_id	NULL: all of them
 *	reason		basic exit reason or exit code; NULL: all
 *	left, right	both sides
 *	unexplained	what is left of the difference, 0 when all is explained
 *	why		the parts of the explanation with their numbers, ''
 *
 * and no row where the run lacks a side. Parameters: ?1 run, ?2 isa. equations/common.sql
 * stands before each query, which may use its tables. Those that read rows are code: "life"
 * (verify_life.h), "leaf" (verify_leaf.h), and the extremes of roll-ups (verify_intervals.h). They
 * share one pass over all rows (verify_rows.h), and all share one over roll-ups and histograms
 * (verify_sums.h).
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_VERIFY_H
#define EXITSCOPE_ANALYZER_QUERY_VERIFY_H

#include "analyzer/query/app.h"

/* How an equation is computed. */
enum equation_kind {
	EQUATION_SQL,
	EQUATION_LEAF,
	EQUATION_LIFE,
	EQUATION_STEPS,
	EQUATION_MIN,
	EQUATION_MAX,
	EQUATION_FIRST,
	EQUATION_LAST,
};

/*
 * @name: for scripts, stays the same
 * @left, @right: what is compared
 * @source: what must have been recorded for it
 * @sql: EQUATION_SQL: of run ?1, its architecture ?2 and the equation's name ?3
 */
struct equation {
	const char *name;
	const char *left;
	const char *right;
	const char *source;
	const char *sql;
	enum equation_kind kind;
};

extern const struct equation verify_equations[];
extern const int verify_equation_count;

/*
 * struct check - one comparison; -1: all VMs, vCPUs, reasons
 * @why: the explanation of a difference, "" if there is none
 */
struct check {
	int equation;
	int64_t vm;
	int64_t vcpu;
	int64_t reason;
	int64_t left;
	int64_t right;
	int64_t unexplained;
	char *why;
};

/* @failed: how many are not explained */
struct checks {
	struct check *check;
	int count;
	int failed;
};

/* What all comparisons of one equation come to. */
struct check_sum {
	int64_t left;
	int64_t right;
	int64_t count;
	int64_t equal;
	int64_t failed; /* not explained */
};

/* Compare everything that app->run has two sides of. Free @checks in any case. */
int verify_read(struct app *app, struct checks *checks);
void verify_free(struct checks *checks);

/* Appends a comparison; takes over its why, also on failure (-1, reason in @app). */
int checks_add(struct app *app, struct checks *checks, const struct check *check);

struct check_sum verify_sum(const struct checks *checks, int equation);

/* "UNEXPLAINED", "equal" or "explained" */
const char *verify_verdict(int64_t unexplained, bool equal);

/*
 * Query of the run ?1: vm, vcpu_id, reason, delta, n. delta: record cycles minus the interval
 * from kvm_exit to kvm_entry of the same exit.
 */
extern const char equation_delta[];

#endif
