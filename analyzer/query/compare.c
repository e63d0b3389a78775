// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare.c - the difference of two runs; see compare.h
 *
 * Rates: the logarithm of their ratio is taken as normal with the variance
 * f_a / n_a + f_b / n_b, where f is the variance of the counts per interval
 * divided by their mean, and at least 1 (Poisson). Quantiles: an interval of
 * ranks n q +- 1.96 sqrt(n q (1 - q)), widened by the error of the buckets.
 */
#include "analyzer/query/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"

#define Z95	     1.96
#define BINS	     100
#define BUCKET_ERROR (1.0 / 128)

int side_read(struct side *side)
{
	if (agg_read(&side->app, &side->app.run, BY_REASON, AGG_DIST, &side->by_reason))
		return -1;
	return series_read(&side->app, &side->app.run, BINS, &side->series);
}

void side_free(struct side *side)
{
	agg_free(&side->by_reason);
	series_free(&side->series);
}

/* Variance of the counts per interval divided by their mean, at least 1. */
static double dispersion(const struct side *side, int64_t key)
{
	double sum = 0, squares = 0, mean, variance;
	int n = side->series.bins;

	for (int i = 0; i < n; i++) {
		const struct group *g = series_find(&side->series, i, key);
		double count = g ? (double)g->n : 0;

		sum += count;
		squares += count * count;
	}
	if (n < 2 || sum <= 0)
		return 1;
	mean = sum / n;
	variance = (squares - n * mean * mean) / (n - 1);
	return fmax(1, variance / mean);
}

static bool differs(const struct side *a, const struct side *b, const struct change *c, bool total)
{
	double ratio, variance;

	/* On one side only: a count of 4 or more is not chance (exp(-3.7) = 0.025). */
	if (!c->a || !c->b)
		return (c->a ? c->a->n : c->b->n) >= 4;
	ratio = total ? (double)c->b->n / (double)c->a->n : c->rate_b / c->rate_a;
	variance =
		dispersion(a, c->key) / (double)c->a->n + dispersion(b, c->key) / (double)c->b->n;
	return fabs(log(ratio)) > Z95 * sqrt(variance);
}

/*
 * A quantile and its 95 % interval, times @scale. With few exits the interval is
 * open: no exit may be as long as the quantile (probability q^n), or all longer.
 */
static void interval(const struct group *g, double q, double scale, double *value, double *low,
		     double *high)
{
	double n = (double)g->dist.total, spread = n > 0 ? Z95 * sqrt(q * (1 - q) / n) : 1;

	*value = (double)group_quantile(g, q) * scale;
	*low = pow(1 - q, n) > 0.025 ? 0
				     : (double)group_quantile(g, fmax(q - spread, 0)) * scale *
					       (1 - BUCKET_ERROR);
	*high = pow(q, n) > 0.025 ? INFINITY
				  : (double)group_quantile(g, fmin(q + spread, 1)) * scale *
					    (1 + BUCKET_ERROR);
}

static void fill_quantile(const struct change *c, double q, double scale,
			  struct quantile_change *to)
{
	if (c->a)
		interval(c->a, q, 1, &to->a, &to->low_a, &to->high_a);
	if (c->b)
		interval(c->b, q, scale, &to->b, &to->low_b, &to->high_b);
}

double side_seconds(const struct side *side)
{
	const struct run *run = &side->app.run;

	return fmax((double)run_grid_length(run), 1) / (double)run->tsc_khz / 1e3;
}

static void fill(const struct side *a, const struct side *b, bool total, struct change *c)
{
	double scale = (double)a->app.run.tsc_khz / (double)b->app.run.tsc_khz;

	c->a = agg_find(&a->by_reason, (int64_t[4]){c->key});
	c->b = agg_find(&b->by_reason, (int64_t[4]){c->key});
	c->seconds_a = side_seconds(a);
	c->seconds_b = side_seconds(b);
	c->rate_a = c->a ? (double)c->a->n / c->seconds_a : 0;
	c->rate_b = c->b ? (double)c->b->n / c->seconds_b : 0;
	fill_quantile(c, 0.5, scale, &c->p50);
	fill_quantile(c, 0.99, scale, &c->p99);
	c->significant = differs(a, b, c, total);
}

int changes_make(struct app *app, const struct side *a, const struct side *b, bool total,
		 struct change **change, uint32_t *n)
{
	struct change *all = calloc(a->by_reason.groups + b->by_reason.groups + 1, sizeof(*all));
	uint32_t count = 0;

	if (!all)
		return app_fail(app, "out of memory");
	for (uint32_t i = 0; i < a->by_reason.groups; i++)
		all[count++].key = a->by_reason.group[i].key[0];
	for (uint32_t i = 0; i < b->by_reason.groups; i++)
		if (!agg_find(&a->by_reason, b->by_reason.group[i].key))
			all[count++].key = b->by_reason.group[i].key[0];
	for (uint32_t i = 0; i < count; i++)
		fill(a, b, total, &all[i]);
	*change = all;
	*n = count;
	return 0;
}

const char *change_word(const struct change *c, bool total)
{
	bool more = total ? c->b && (!c->a || c->b->n > c->a->n) : c->rate_b > c->rate_a;

	if (!c->significant)
		return "~";
	if (!c->a)
		return "new";
	if (!c->b)
		return "vanished";
	return more ? "more" : "fewer";
}

const char *quantile_word(const struct change *c, const struct quantile_change *q, char *text,
			  size_t size)
{
	if (!c->a || !c->b)
		return NULL;
	if (q->low_b <= q->high_a && q->low_a <= q->high_b)
		return "~";
	snprintf(text, size, "%+.0f %%", q->a > 0 ? 100 * (q->b - q->a) / q->a : 0);
	return text;
}

/* @more: whether shadow page tables make it more (1) or less (-1) frequent. */
static const struct {
	int64_t reason;
	int more;
	const char *why;
} ept_words[] = {
	{0, 1,
	 "without EPT KVM intercepts the guest's page faults, to keep its shadow page tables in step"},
	{7, 1, "without EPT exits take longer, so that interrupts wait for the guest more often"},
	{14, 1, "without EPT INVLPG exits: KVM must drop the shadow page table entry"},
	{28, 1, "without EPT each load of CR3 exits, so every switch of address space"},
	{33, 1,
	 "without EPT unrestricted guest is off: KVM emulates real mode itself and synthesizes this exit"},
	{48, -1,
	 "with EPT alone: a page that is missing there; on shadow page tables it is a page fault (0)"},
	{49, -1, "with EPT alone: emulated MMIO; on shadow page tables it is a page fault (0)"},
	{58, 1, "without EPT INVPCID exits: KVM must drop shadow page table entries"},
};

const char *change_why(const struct change *c, int isa, int ept)
{
	int more = c->rate_b > c->rate_a ? 1 : -1;

	if (!ept || isa != 1 || !c->significant)
		return NULL;
	for (size_t i = 0; i < sizeof(ept_words) / sizeof(ept_words[0]); i++)
		if (ept_words[i].reason == reason_basic(isa, c->key))
			/* B without EPT is the direction that the table speaks of. */
			return ept_words[i].more == more * -ept ? ept_words[i].why : NULL;
	return NULL;
}
