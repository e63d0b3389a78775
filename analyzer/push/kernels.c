// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernels.c - the runs of one kernel against those of another; see kernels.h
 */
#include "analyzer/push/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/compare/compare.h"
#include "base/array.h"

/* Of the differences that are named, chance makes at most this share. */
#define LEVEL 0.05

/* More reasons than a CPU has: not an answer to our question. */
#define KERNELS_REASONS_MAX 1000

enum { IS_B, RUN, REASON, EXITS, SECONDS, LOST };

static const char *field(const struct answer *answer, size_t row, unsigned int column)
{
	const char *text = answer->text[row * answer->columns + column];

	return text ? text : "";
}

static int side_of(const struct answer *answer, size_t row)
{
	return *field(answer, row, IS_B) == '1';
}

/* A number that is not negative; what is none is 0. */
static double number(const char *text)
{
	double value = strtod(text, NULL);

	return isfinite(value) && value > 0 ? value : 0;
}

/* Whether the row is the first one of a run: rows of a run follow each other. */
static bool begins_run(const struct answer *answer, size_t row)
{
	return !row || side_of(answer, row) != side_of(answer, row - 1) ||
	       strcmp(field(answer, row, RUN), field(answer, row - 1, RUN)) != 0;
}

static struct kernel_change *find_change(struct kernels *kernels, const char *reason)
{
	struct kernel_change *more;

	for (size_t i = 0; i < kernels->changes; i++) {
		if (!strcmp(kernels->change[i].reason, reason))
			return &kernels->change[i];
	}
	more = array_reserve(kernels->change, kernels->changes, 1, sizeof(*more));
	if (!more)
		return NULL;
	kernels->change = more;
	more += kernels->changes++;
	*more = (struct kernel_change){.reason = reason};
	return more;
}

/* Counts the runs, and finds all reasons. */
static int survey(struct app *app, const struct answer *answer, struct kernels *kernels)
{
	for (size_t row = 0; row < answer->rows; row++) {
		int side = side_of(answer, row);

		if (begins_run(answer, row)) {
			kernels->runs[side]++;
			kernels->seconds[side] += number(field(answer, row, SECONDS));
			kernels->lost[side] += number(field(answer, row, LOST));
		}
		if (!find_change(kernels, field(answer, row, REASON)))
			return app_fail(app, "out of memory");
		if (kernels->changes > KERNELS_REASONS_MAX)
			return app_fail(app, "kernels: the server names more than %d exit reasons",
					KERNELS_REASONS_MAX);
	}
	return 0;
}

/* The runs of a side in the order of time, in as many batches as there are, at most BATCHES. */
static void fill_batches(const struct answer *answer, struct kernels *kernels)
{
	size_t run[2] = {0};
	size_t batch = 0;

	for (size_t row = 0; row < answer->rows; row++) {
		int side = side_of(answer, row);
		size_t runs = kernels->runs[side];
		size_t batches = runs < BATCHES ? runs : BATCHES;

		if (begins_run(answer, row)) {
			batch = run[side]++ * batches / runs;
			for (size_t i = 0; i < kernels->changes; i++) {
				struct batches *to = &kernels->change[i].side[side];

				to->n = (int)batches;
				to->weight[batch] +=
					fmax(number(field(answer, row, SECONDS)), 1e-9);
			}
		}
		find_change(kernels, field(answer, row, REASON))->side[side].count[batch] +=
			number(field(answer, row, EXITS));
	}
}

static void fill_change(const struct kernels *kernels, struct kernel_change *change)
{
	for (int side = 0; side < 2; side++) {
		for (int i = 0; i < change->side[side].n; i++)
			change->exits[side] += change->side[side].count[i];
		if (kernels->seconds[side] > 0)
			change->rate[side] = change->exits[side] / kernels->seconds[side];
	}
	change->p = batches_p(&change->side[0], &change->side[1]);
}

/* Whether exits without a record could make up for the lower rate, if all were of this reason. */
static bool may_be_lost(const struct kernels *kernels, const struct kernel_change *change)
{
	int low = change->rate[1] < change->rate[0];
	double most = change->exits[low] + kernels->lost[low];

	return kernels->lost[low] > 0 &&
	       most >= (1 - CHANGE_MATTERS) * change->rate[!low] * kernels->seconds[low];
}

static const char *word_of(const struct kernels *kernels, const struct kernel_change *change,
			   double level)
{
	const double *rate = change->rate;

	if (!batches_can_tell(&change->side[0], &change->side[1]))
		return NULL;
	if (change->p > level)
		return "~";
	if (rate[0] > 0 && rate[1] > 0 && fabs(rate[1] / rate[0] - 1) < CHANGE_MATTERS)
		return "~";
	if (may_be_lost(kernels, change))
		return "lost";
	if (rate[0] <= 0)
		return "new";
	if (rate[1] <= 0)
		return "vanished";
	return rate[1] > rate[0] ? "more" : "fewer";
}

/* What has a word of its own first, then by the difference of the rates. */
static int compare_changes(const void *a, const void *b)
{
	const struct kernel_change *x = a, *y = b;
	bool x_found = x->word && *x->word != '~', y_found = y->word && *y->word != '~';
	double x_moved = fabs(x->rate[1] - x->rate[0]), y_moved = fabs(y->rate[1] - y->rate[0]);

	if (x_found != y_found)
		return y_found - x_found;
	return (x_moved < y_moved) - (x_moved > y_moved);
}

static int judge(struct app *app, struct kernels *kernels)
{
	double *p = calloc(kernels->changes + 1, sizeof(*p)), level;
	unsigned int n = 0;

	if (!p)
		return app_fail(app, "out of memory");
	for (size_t i = 0; i < kernels->changes; i++) {
		struct kernel_change *change = &kernels->change[i];

		fill_change(kernels, change);
		if (batches_can_tell(&change->side[0], &change->side[1]))
			p[n++] = change->p;
	}
	level = batches_level(p, n, LEVEL);
	free(p);

	for (size_t i = 0; i < kernels->changes; i++)
		kernels->change[i].word = word_of(kernels, &kernels->change[i], level);
	array_sort(kernels->change, kernels->changes, sizeof(*kernels->change), compare_changes);
	return 0;
}

int kernels_compare(struct app *app, const struct answer *answer, struct kernels *kernels)
{
	*kernels = (struct kernels){.change = NULL};
	if (survey(app, answer, kernels))
		return -1;
	fill_batches(answer, kernels);
	return judge(app, kernels);
}

double kernels_lost_share(const struct kernels *kernels, int side)
{
	double exits = kernels->lost[side];

	for (size_t i = 0; i < kernels->changes; i++)
		exits += kernels->change[i].exits[side];
	return exits > 0 ? kernels->lost[side] / exits : 0;
}

void kernels_free(struct kernels *kernels)
{
	free(kernels->change);
	kernels->change = NULL;
}
