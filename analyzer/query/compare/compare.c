// SPDX-License-Identifier: GPL-2.0-only
/*
 * compare.c - the difference of two runs; see compare.h
 *
 * batches.h has the statistics. A rate is compared as exits per second of each batch; a
 * quantile as the share of each batch's exits that are longer than the quantile of both
 * sides together. All comparisons of a command are corrected for their number.
 */
#include "analyzer/query/compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/compare/batches.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "sql/hist.h"

#define LEVEL	  0.05 /* of all comparisons of a command together */
#define EXITS_MIN 8    /* of both sides; fewer are never significant */

/* Distributions by batch from histograms of a long run; of a short one, exits too, from rows. */
static int read_bins(struct side *side)
{
	const struct run *run = &side->app.run;
	int64_t width = run->hist_cycles;
	int64_t first = side->from / width, slots = (side->to + width - 1) / width - first;

	side->from_rows = run->by_rows || (slots < BATCHES_MIN && run->has_raw == RAW_ALL);
	if (side->from_rows)
		side->bins = (struct agg_bins){.begin = side->from,
					       .width = (side->to - side->from) / BATCHES + 1};
	else if (slots >= BATCHES_MIN)
		side->bins = (struct agg_bins){.begin = first * width,
					       .width = (slots + BATCHES - 1) / BATCHES * width};
	else
		return 0;

	return agg_read_bins(&side->app, run, &side->bins,
			     side->from_rows ? AGG_DIST | AGG_EXACT : AGG_DIST_ONLY, &side->by_bin);
}

/* Add @from to @to, with its distribution. */
static int add_group(struct app *app, struct group *to, const struct group *from)
{
	group_add(to, from);
	if (dist_add_all(&to->dist, &from->dist))
		return app_fail(app, "out of memory");
	return 0;
}

/* The distributions of the whole run are those of its bins together, which have been read. */
static int join_distributions(struct side *side)
{
	for (uint32_t i = 0; i < side->by_bin.groups; i++) {
		const struct group *from = &side->by_bin.group[i];
		struct group *to = agg_group(&side->by_reason, (int64_t[4]){from->key[1]});

		if (!to || dist_add_all(&to->dist, &from->dist))
			return app_fail(&side->app, "out of memory");
	}
	return 0;
}

/* The sums over all reasons, of the run and of each bin. */
static int add_all(struct side *side)
{
	uint32_t groups = side->by_bin.groups;

	side->all = group_empty();
	for (uint32_t i = 0; i < side->by_reason.groups; i++) {
		if (add_group(&side->app, &side->all, &side->by_reason.group[i]))
			return -1;
	}
	if (dist_sort(&side->all.dist))
		return app_fail(&side->app, "out of memory");

	for (uint32_t i = 0; i < groups; i++) {
		int64_t bin = side->by_bin.group[i].key[0];
		struct group *to = agg_group(&side->by_bin, (int64_t[4]){bin, CHANGE_ALL});

		if (!to)
			return app_fail(&side->app, "out of memory");
		if (add_group(&side->app, to, &side->by_bin.group[i]))
			return -1;
	}
	return 0;
}

/* Whether the halted part of the time is known. */
static bool knows_busy(const struct run *run)
{
	return run->has_split && !run->no_durations;
}

/* KVM's totals say which exits the filter left out. */
static int read_filtered(struct side *side)
{
	struct run run = side->app.run;

	/* Of all reasons, to see whether it is all of them. */
	run.reasons = 0;
	if (agg_read_filtered(&side->app, &run, &side->filtered))
		return -1;
	side->knows_filtered = agg_total(&side->filtered).dropped == (uint64_t)run.shown_filtered;
	return 0;
}

int side_read(struct side *side)
{
	bool joins;

	agg_rate_window(&side->app.run, BY_REASON, NULL, &side->from, &side->to);
	if (read_bins(side))
		return -1;
	joins = !side->from_rows && side->by_bin.groups;
	if (agg_read(&side->app, &side->app.run, BY_REASON, joins ? 0 : AGG_DIST,
		     &side->by_reason) ||
	    (joins && join_distributions(side)))
		return -1;
	if (!side->from_rows &&
	    series_read(&side->app, &side->app.run, BATCHES, SERIES_RATES, &side->series))
		return -1;
	if (knows_busy(&side->app.run) && edges_read(&side->app, &side->app.run, &side->edges))
		return -1;
	return read_filtered(side) || add_all(side) ? -1 : 0;
}

void side_free(struct side *side)
{
	agg_free(&side->by_reason);
	dist_free(&side->all.dist);
	agg_free(&side->by_bin);
	agg_free(&side->filtered);
	series_free(&side->series);
	free(side->edges);
}

double side_seconds(const struct side *side)
{
	return fmax((double)(side->to - side->from), 1) / (double)side->app.run.tsc_khz / 1e3;
}

bool side_has_rate(const struct side *side)
{
	return agg_has_rate(&side->app.run, BY_REASON, NULL);
}

bool run_is_traced(const struct run *run)
{
	static const char *const traced[] = {"bpf", "tracefs", "perf.data", "trace.dat", "text"};

	for (size_t i = 0; i < sizeof(traced) / sizeof(*traced); i++) {
		if (!strcmp(run->source, traced[i]))
			return true;
	}
	return false;
}

bool sides_differ_in_stamps(const struct side *a, const struct side *b)
{
	return run_is_traced(&a->app.run) != run_is_traced(&b->app.run);
}

static const struct group *find(const struct side *side, int64_t key)
{
	if (key == CHANGE_ALL)
		return group_exits(&side->all) ? &side->all : NULL;
	return agg_find(&side->by_reason, (int64_t[4]){key});
}

static double busy_cycles(const struct group *g)
{
	return (double)g->cycles - (double)g->halted;
}

/*
 * Share of the vCPUs' time that exits of a reason key, or with CHANGE_ALL of all, took within the
 * window, without the halted part; NAN: the source does not know it.
 */
static double side_busy(const struct side *side, int64_t key)
{
	const struct run *run = &side->app.run;
	double time = run_vcpu_time(run, run_grid_from(run), run_grid_to(run));
	const struct group *g = find(side, key);
	double busy = g ? busy_cycles(g) : 0;

	if (!knows_busy(run) || time <= 0)
		return NAN;
	for (unsigned int i = 0; side->edges && i < run->n_vcpus; i++) {
		const struct edge *edge = &side->edges[i];

		if (key == CHANGE_ALL || edge->before.key[0] == key)
			busy += busy_cycles(&edge->before);
		if (key == CHANGE_ALL || edge->after.key[0] == key)
			busy -= busy_cycles(&edge->after);
	}
	return fmax(busy, 0) / time;
}

/* Recorded exits of a batch, and how long it is in cycles. */
static double bin_count(const struct side *side, int bin, int64_t key, double *cycles)
{
	const struct series *series = &side->series;
	const struct group *g;

	if (side->from_rows) {
		int64_t begin = bin * side->bins.width;

		*cycles = fmin((double)side->bins.width, (double)(side->to - side->from - begin));
		g = agg_find(&side->by_bin, (int64_t[4]){bin, key});
	} else {
		*cycles = (double)series_length(series, &side->app.run, bin);
		g = key == CHANGE_ALL ? &series->total[bin] : series_find(series, bin, key);
	}
	return g ? (double)g->n : 0;
}

/*
 * Exits per second of each batch, or with @total per run. What was dropped is spread over
 * the batches as what was recorded.
 */
static void fill_rates(const struct side *side, int64_t key, const struct group *group, bool total,
		       struct batches *to)
{
	int64_t length = side->to - side->from;
	double scale = group && group->n ? (double)group_exits(group) / (double)group->n : 1;
	double unit = total ? (double)length : (double)side->app.run.tsc_khz * 1e3;

	to->n = side->series.bins;
	if (side->from_rows)
		to->n = (int)((length + side->bins.width - 1) / side->bins.width);
	if (to->n > BATCHES)
		to->n = BATCHES;
	for (int i = 0; i < to->n; i++) {
		double cycles;

		to->count[i] = bin_count(side, i, key, &cycles) * scale;
		to->weight[i] = fmax(cycles, 1) / unit;
	}
}

/* Whether the dropped exits of each reason are known, and so are the counts. */
static bool drops_are_counted(const struct run *run)
{
	return run->window_is_complete ||
	       (run->has_totals && !run->dropped_estimated && run_is_whole(run));
}

/* Most exits of a reason key that were filtered out. */
static double filtered(const struct side *side, int64_t key)
{
	const struct run *run = &side->app.run;
	double sum = 0;

	if (!side->knows_filtered)
		return (double)run->shown_filtered;
	for (uint32_t i = 0; i < side->filtered.groups; i++) {
		const struct group *group = &side->filtered.group[i];

		if (key == CHANGE_ALL ? reason_passes(run, group->key[0]) : key == group->key[0])
			sum += (double)group->dropped;
	}
	return sum;
}

/* Most exits of a reason key that are missing, in addition to those it was counted for. */
static double may_be_missing(const struct side *side, int64_t key)
{
	const struct run *run = &side->app.run;

	return (drops_are_counted(run) ? 0 : (double)run->shown_dropped) + filtered(side, key);
}

/* Exits of @group, which has that key, whose time was not recorded, at most. */
static double untimed(const struct side *side, int64_t key, const struct group *group)
{
	const struct run *run = &side->app.run;

	return (drops_are_counted(run) ? (double)group->dropped : (double)run->shown_dropped) +
	       filtered(side, key);
}

/* @b relative to @a; -1: nothing is left, INFINITY: all is new. */
static double relative(double a, double b)
{
	if (a > 0)
		return b / a - 1;
	return b > 0 ? INFINITY : 0;
}

static void fill_rate(const struct side *a, const struct side *b, bool total, struct change *c)
{
	double unit_a = total ? c->seconds_a : 1, unit_b = total ? c->seconds_b : 1;
	struct batches x = {0}, y = {0};
	struct difference *d = &c->rate;

	*d = (struct difference){.a = c->rate_a * unit_a,
				 .b = c->rate_b * unit_b,
				 .p = 1,
				 .verdict = CHANGE_UNKNOWN};
	d->change = relative(d->a, d->b);
	d->least = relative(d->a + may_be_missing(a, c->key) * unit_a / c->seconds_a, d->b);
	d->most = relative(d->a, d->b + may_be_missing(b, c->key) * unit_b / c->seconds_b);

	/* Counted by KVM, but nothing says when; or the time is that of one exit. */
	if (!side_has_rate(a) || !side_has_rate(b) || (c->a && !c->a->n) || (c->b && !c->b->n))
		return;

	fill_rates(a, c->key, c->a, total, &x);
	fill_rates(b, c->key, c->b, total, &y);
	d->p = batches_p(&x, &y);
	if (batches_can_tell(&x, &y))
		d->verdict = CHANGE_NONE;
}

bool change_is_rare(const struct change *c)
{
	return (c->a ? c->a->n : 0) + (c->b ? c->b->n : 0) < EXITS_MIN;
}

/* Whether a row counts as a comparison: what can't be significant must not weaken the rest. */
static bool is_comparison(const struct change *c, const struct difference *d)
{
	return d->verdict == CHANGE_NONE && !change_is_rare(c);
}

/* Exits of a distribution that are longer than @cycles. */
static double count_above(const struct dist *d, double cycles)
{
	uint32_t first = hist_bucket((uint64_t)cycles) + 1;
	uint64_t n, sum = 0;

	for (uint32_t bucket = first; dist_next(d, &bucket, &n); bucket++)
		sum += n;
	return (double)sum;
}

/* The share of each batch's exits that are longer than @cycles. */
static void fill_longer(const struct side *side, int64_t key, double cycles, struct batches *to)
{
	for (int64_t bin = 0; bin < BATCHES; bin++) {
		const struct group *g = agg_find(&side->by_bin, (int64_t[4]){bin, key});

		if (!g || !g->dist.total)
			continue;
		to->count[to->n] = count_above(&g->dist, cycles);
		to->weight[to->n++] = (double)g->dist.total;
	}
}

/* The exit of that rank, from 1. Half a rank less: a quotient may be a little too large. */
static double exit_at(const struct group *g, double rank)
{
	return (double)group_quantile(g, (rank - 0.5) / (double)g->dist.total);
}

/* Between which values the quantile of all exits lies, if @missing more have any time. */
static void bound_quantile(const struct group *g, double q, double missing, double *low,
			   double *high)
{
	double n = (double)g->dist.total, rank = ceil(q * (n + missing) - 1e-6);

	*low = rank - missing < 1 ? 0 : exit_at(g, rank - missing);
	*high = rank > n ? INFINITY : exit_at(g, rank);
}

/* @scale: cycles of A in one of B. */
static void fill_quantile(const struct side *a, const struct side *b, const struct change *c,
			  double q, double scale, struct difference *d)
{
	double middle, low_a, high_a, low_b, high_b;
	struct batches x = {0}, y = {0};

	*d = (struct difference){.p = 1, .verdict = CHANGE_UNKNOWN};
	if (c->a && c->a->n)
		d->a = (double)group_quantile(c->a, q);
	if (c->b && c->b->n)
		d->b = (double)group_quantile(c->b, q) * scale;
	if (!c->a || !c->b)
		return;

	/* The times are unknown, or not to be compared: the difference may have any size. */
	if (!c->a->dist.total || !c->b->dist.total || sides_differ_in_stamps(a, b) ||
	    a->app.run.no_durations || b->app.run.no_durations) {
		d->least = -1;
		d->most = INFINITY;
		return;
	}

	d->change = relative(d->a, d->b);
	bound_quantile(c->a, q, untimed(a, c->key, c->a), &low_a, &high_a);
	bound_quantile(c->b, q, untimed(b, c->key, c->b), &low_b, &high_b);
	d->least = isinf(high_a) ? -1 : relative(high_a, low_b * scale);
	d->most = relative(low_a, high_b * scale);

	middle = sqrt(fmax(d->a, 1) * fmax(d->b, 1));
	fill_longer(a, c->key, middle, &x);
	fill_longer(b, c->key, middle / scale, &y);
	d->p = batches_p(&x, &y);
	if (batches_can_tell(&x, &y))
		d->verdict = CHANGE_NONE;
}

static void fill(const struct side *a, const struct side *b, bool total, struct change *c)
{
	double scale = (double)a->app.run.tsc_khz / (double)b->app.run.tsc_khz;

	c->a = find(a, c->key);
	c->b = find(b, c->key);
	c->seconds_a = side_seconds(a);
	c->seconds_b = side_seconds(b);
	c->busy_a = side_busy(a, c->key);
	c->busy_b = side_busy(b, c->key);
	c->rate_a = c->a ? (double)group_exits(c->a) / c->seconds_a : 0;
	c->rate_b = c->b ? (double)group_exits(c->b) / c->seconds_b : 0;
	fill_rate(a, b, total, c);
	fill_quantile(a, b, c, 0.5, scale, &c->p50);
	fill_quantile(a, b, c, 0.99, scale, &c->p99);
}

static void judge(struct difference *d, double level)
{
	d->by_chance = d->verdict == CHANGE_UNKNOWN || d->p > level;
	if (d->by_chance || fabs(d->change) < CHANGE_MATTERS)
		return;
	if (d->least >= CHANGE_MATTERS || d->most <= -CHANGE_MATTERS)
		d->verdict = CHANGE_FOUND;
	else
		d->verdict = CHANGE_LOST;
}

/* The verdicts, of all comparisons together. */
static int judge_all(struct app *app, struct change *change, uint32_t n)
{
	double *p = calloc(3 * (size_t)n + 1, sizeof(*p)), level;
	uint32_t comparisons = 0;

	if (!p)
		return app_fail(app, "out of memory");
	for (uint32_t i = 0; i < n; i++) {
		const struct difference *all[] = {&change[i].rate, &change[i].p50, &change[i].p99};

		for (int k = 0; k < 3; k++) {
			if (is_comparison(&change[i], all[k]))
				p[comparisons++] = all[k]->p;
		}
	}
	level = batches_level(p, comparisons, LEVEL);
	free(p);

	for (uint32_t i = 0; i < n; i++) {
		judge(&change[i].rate, level);
		judge(&change[i].p50, level);
		judge(&change[i].p99, level);
	}
	return 0;
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
	if (count > 1)
		all[count++].key = CHANGE_ALL;

	for (uint32_t i = 0; i < count; i++)
		fill(a, b, total, &all[i]);
	*change = all;
	*n = count;
	return judge_all(app, all, count);
}

const char *change_word(const struct change *c)
{
	if (c->rate.verdict == CHANGE_LOST)
		return "lost";
	if (c->rate.verdict == CHANGE_UNKNOWN)
		return NULL;
	if (!c->a)
		return c->rate.verdict == CHANGE_FOUND ? "new" : "new?";
	if (!c->b)
		return c->rate.verdict == CHANGE_FOUND ? "vanished" : "vanished?";
	if (c->rate.verdict == CHANGE_NONE)
		return "~";
	return c->rate.b > c->rate.a ? "more" : "fewer";
}

const char *quantile_word(const struct difference *q, char *text, size_t size)
{
	switch (q->verdict) {
	case CHANGE_UNKNOWN:
		return NULL;
	case CHANGE_NONE:
		return "~";
	case CHANGE_LOST:
		return "lost";
	case CHANGE_FOUND:
		break;
	}
	snprintf(text, size, "%+.0f %%", 100 * q->change);
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

	/* A reason on one side only is what EPT makes, however seldom it is. */
	if (!ept || isa != 1 || c->key == CHANGE_ALL ||
	    (c->a && c->b && c->rate.verdict != CHANGE_FOUND))
		return NULL;
	for (size_t i = 0; i < sizeof(ept_words) / sizeof(ept_words[0]); i++)
		if (ept_words[i].reason == reason_basic(isa, c->key))
			/* The table's words are for B without EPT. */
			return ept_words[i].more == more * -ept ? ept_words[i].why : NULL;
	return NULL;
}
