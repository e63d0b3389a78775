/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg.h - sums and distributions of exits by a key
 *
 * By reason or vCPU they come from the roll-ups, so their cost does not grow
 * with the number of exits; by anything else from the recorded rows.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_AGG_H
#define EXITSCOPE_ANALYZER_QUERY_AGG_H

#include "analyzer/query/app.h"
#include "analyzer/query/dist.h"

enum agg_by { BY_REASON, BY_SUBKEY, BY_VCPU, BY_RIP, BY_USER_REASON, BY_PCPU, BY_SLOT };

/*
 * struct group - all exits of one key
 * @key: BY_REASON {reason key}; BY_SUBKEY {reason key, key, key_aux, 1: has a
 *	key}; BY_VCPU {vcpu.id}; BY_RIP {rip}; BY_USER_REASON {KVM_EXIT_*, or -1:
 *	handled in the kernel}; BY_PCPU {pcpu}; BY_SLOT {(interval - agg.origin) /
 *	agg.merge, reason key}
 * @example: rowid of one of them; 0: from roll-ups
 * @first, @last: TSC of the first and last exit; first INT64_MIN: it and @min are
 *	unknown (a file of schema version 1, repaired; see sql/store/migrate.c)
 * all times in TSC cycles
 */
struct group {
	int64_t key[4];
	int64_t example;
	uint64_t n;
	uint64_t cycles;
	uint64_t halted;
	uint64_t userspace;
	uint64_t preempted;
	uint64_t min;
	uint64_t max;
	uint64_t fastpath;
	uint64_t nested;
	uint64_t to_user;
	uint64_t synthesized;
	int64_t first;
	int64_t last;
	struct dist dist;
};

/*
 * Groups found by a hash table of indices into @group. All zero: none.
 * @origin, @merge: for BY_SLOT, the first interval of the roll-ups and how many of
 *	them make one
 * @level: for BY_SLOT, of exit_rollup_coarse; merge is then a multiple of 8^level
 *	and origin 0; 0: exit_rollup
 */
struct agg {
	int64_t origin;
	int64_t merge;
	int level;
	struct group *group;
	uint32_t groups;
	uint32_t room;
	uint32_t *slot;
	uint32_t slots;
};

/* The highest level of exit_rollup_coarse. */
#define AGG_LEVELS 5

/* What agg_read() does beside the sums. */
#define AGG_DIST    1U /* fill group.dist */
#define AGG_EXACT   2U /* read rows, though roll-ups would do */
#define AGG_HANDLER 4U /* group.dist is of handler time */

/*
 * Add the exits of the run that pass its filter to @agg. From roll-ups, --from and --to
 * reach to whole intervals.
 */
int agg_read(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
	     struct agg *agg);

/* The part of agg_read() that reads rows of table exit. */
int agg_read_rows(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
		  struct agg *agg);

/* Whether this needs rows of table exit. */
bool agg_needs_rows(enum agg_by by, unsigned int flags);

/* The group of a key, made if there is none; NULL without memory. */
struct group *agg_group(struct agg *agg, const int64_t key[4]);

/* Most exits first. agg_group() and agg_find() find nothing right afterwards. */
void agg_sort_by_count(struct agg *agg);

/* The group of a key; NULL: there is none. */
const struct group *agg_find(const struct agg *agg, const int64_t key[4]);

/* Sums over all groups, without distribution. */
struct group agg_total(const struct agg *agg);

void agg_free(struct agg *agg);

/* Add the sums (not the distribution) of one group to another. */
void group_add(struct group *to, const struct group *from);

/* A quantile of the durations, in cycles: never outside min and max. */
uint64_t group_quantile(const struct group *group, double q);

#endif
