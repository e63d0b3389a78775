/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * batches.h - whether two rates differ by more than chance, of exits that are not independent
 *
 * HOW IT WORKS
 *
 * Exits come in phases and bursts, so a formula for independent exits promises too much.
 * A run is cut in up to 64 batches. The variance of the sum over all of them follows from
 * the sums of the batches, whatever the exits do within one. From it comes how many
 * independent exits the run is worth: a run of 60,000 exits with phases of 5 s may be
 * worth 50, and a single burst of 400 is worth 1.
 *
 * A phase that is longer than a batch makes neighbouring batches alike, and then short
 * batches promise too much, too. So the variance is taken with 64, 32, 16 and 8 batches,
 * and the weakest evidence counts:
 *
 *	|a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p|  16 batches  p = 0.001
 *	|a b.c d.e f.g h.i j.k l.m n.o p|   8 batches  p = 0.08   <- this one
 *
 * The logarithm of the ratio of both rates has the variance 1/n_a + 1/n_b, n the exits that
 * each side is worth; its significance is that of Student's t, as the variance itself is an
 * estimate. No run is worth more than its exits (Poisson). Of exits on one side only the
 * batches that have any are counted.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_COMPARE_BATCHES_H
#define EXITSCOPE_ANALYZER_QUERY_COMPARE_BATCHES_H

#include <stdbool.h>

#define BATCHES	    64 /* most of a run */
#define BATCHES_MIN 8  /* fewer give no variance that is worth anything */

/**
 * struct batches - one side: count / weight is the rate to compare
 * @n: batches, in the order of time
 * @count: exits of each
 * @weight: what they are counted per, such as seconds or all exits; not 0
 */
struct batches {
	int n;
	double count[BATCHES];
	double weight[BATCHES];
};

/**
 * batches_p - probability that chance alone makes rates that differ as much (two-sided)
 *
 * Return: 1 too if one side has fewer than BATCHES_MIN batches, see batches_can_tell().
 */
double batches_p(const struct batches *a, const struct batches *b);

/* Whether both sides have batches enough. */
bool batches_can_tell(const struct batches *a, const struct batches *b);

/**
 * batches_level - the level that many comparisons together leave to each (Benjamini and
 * Hochberg): of the differences with p <= it, chance alone makes at most a share @level
 * @p: of all comparisons; sorted afterwards
 *
 * Return: 0 if none is significant.
 */
double batches_level(double *p, unsigned int n, double level);

#endif
