/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * near.h - what a mistyped name may have meant
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_NEAR_H
#define EXITSCOPE_ANALYZER_QUERY_NEAR_H

#define NEAR_NONE 3U /* a distance that is too far to suggest */

/**
 * near_best - keep the name that is nearest to what was typed
 * @typed: what was typed
 * @name: one that exists
 * @best: the nearest one up to now, changed to @name if that is nearer
 * @distance: of @best; begin with NEAR_NONE
 *
 * The distance is the number of letters to insert, drop, replace or swap with their
 * neighbour; case counts for nothing. A short word must be nearer than a long one.
 */
void near_best(const char *typed, const char *name, const char **best, unsigned int *distance);

#endif
