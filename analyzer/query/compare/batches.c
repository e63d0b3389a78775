// SPDX-License-Identifier: GPL-2.0-only
/*
 * batches.c - whether two rates differ by more than chance; see batches.h
 */
#include "analyzer/query/compare/batches.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"

/*
 * struct worth - what batches of one length say of a side
 * @count, @weight: sums
 * @exits: how many independent exits it is worth
 * @freedom: degrees of freedom of that estimate
 */
struct worth {
	double count;
	double weight;
	double exits;
	double freedom;
};

/* Join neighbouring batches to @parts. */
static void join(const struct batches *b, int parts, struct batches *to)
{
	*to = (struct batches){.n = parts};
	for (int i = 0; i < b->n; i++) {
		to->count[i * parts / b->n] += b->count[i];
		to->weight[i * parts / b->n] += b->weight[i];
	}
}

/* What @b is worth, cut in @parts. */
static struct worth estimate(const struct batches *b, int parts)
{
	struct worth worth = {0};
	struct batches joined;
	double squares = 0, variance = 0;

	join(b, parts, &joined);
	for (int i = 0; i < parts; i++) {
		worth.count += joined.count[i];
		worth.weight += joined.weight[i];
		squares += joined.weight[i] * joined.weight[i];
	}

	/* A batch of much weight draws the mean to itself: its error looks too small. */
	for (int i = 0; i < parts; i++) {
		double share = joined.weight[i] / worth.weight;
		double error = joined.count[i] - worth.count * share;

		if (share < 1)
			variance += error * error / (1 - share);
	}

	/* As many as there would be if all batches had the same weight. */
	worth.freedom = worth.weight * worth.weight / squares - 1;
	worth.exits = worth.count * worth.count / fmax(variance, worth.count);
	return worth;
}

/* Continued fraction of the incomplete beta function (Lentz). */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < 1e-30 ? 1e-30 : d);
	f = d;
	for (int m = 1; m < 300; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		f *= c * d;

		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-12)
			break;
	}
	return f;
}

/* Two-sided probability of |t| with @freedom degrees of freedom. */
static double student_p(double t, double freedom)
{
	double x = freedom / (freedom + t * t), a = freedom / 2, b = 0.5, front;

	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;

	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* Welch: one side may be much noisier than the other. */
static double p_at(const struct batches *a, const struct batches *b, int parts)
{
	struct worth x = estimate(a, parts), y = estimate(b, parts);
	double variance_x = 1 / x.exits, variance_y = 1 / y.exits;
	double variance = variance_x + variance_y, freedom;

	if (x.freedom < 1 || y.freedom < 1)
		return 1;
	freedom = variance * variance /
		  (variance_x * variance_x / x.freedom + variance_y * variance_y / y.freedom);
	return student_p(log(x.count / x.weight * y.weight / y.count) / sqrt(variance), freedom);
}

static double sum(const double *value, int n)
{
	double all = 0;

	for (int i = 0; i < n; i++)
		all += value[i];
	return all;
}

/*
 * Exits on one side only. How many come in a batch says nothing about why there are none on
 * the other side, so batches with exits are counted, and each that they are worth might as
 * well have been on the other side.
 */
static double one_sided_p(const struct batches *has, const struct batches *none)
{
	double weight = sum(has->weight, has->n), all = weight + sum(none->weight, none->n);
	struct batches occupied = *has;
	double worth = INFINITY;

	for (int i = 0; i < has->n; i++)
		occupied.count[i] = has->count[i] > 0;
	for (int parts = BATCHES; parts >= BATCHES_MIN; parts /= 2) {
		if (parts <= has->n)
			worth = fmin(worth, estimate(&occupied, parts).exits);
	}
	return fmin(1, 2 * pow(weight / all, worth));
}

bool batches_can_tell(const struct batches *a, const struct batches *b)
{
	return a->n >= BATCHES_MIN && b->n >= BATCHES_MIN;
}

double batches_p(const struct batches *a, const struct batches *b)
{
	double count_a = sum(a->count, a->n), count_b = sum(b->count, b->n);
	double weakest = 0;

	if (!batches_can_tell(a, b) || (count_a <= 0 && count_b <= 0))
		return 1;
	if (count_b <= 0)
		return one_sided_p(a, b);
	if (count_a <= 0)
		return one_sided_p(b, a);

	for (int parts = BATCHES; parts >= BATCHES_MIN; parts /= 2) {
		if (parts <= a->n && parts <= b->n)
			weakest = fmax(weakest, p_at(a, b, parts));
	}
	return weakest;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double batches_level(double *p, unsigned int n, double level)
{
	double found = 0;

	array_sort(p, n, sizeof(*p), ascending);
	for (unsigned int i = 0; i < n; i++) {
		if (p[i] <= level * (i + 1) / n)
			found = level * (i + 1) / n;
	}
	return found;
}
