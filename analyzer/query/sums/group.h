/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group.h - sums and a distribution of exits by a key: the container
 *
 * agg.h fills it from roll-ups and rows.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_GROUP_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_GROUP_H

#include <stdint.h>

#include "analyzer/query/sums/dist.h"
#include "base/hash.h"

/*
 * struct group - all exits of one key
 * @key: BY_REASON {reason key}; BY_SUBKEY {reason key, key, key_aux, 1: has a
 *	key}; BY_VM {vm.id}; BY_VCPU {vcpu.id}; BY_RIP {rip}; BY_USER_REASON {KVM_EXIT_*, or -1:
 *	handled in the kernel}; BY_PCPU {pcpu}; BY_CR3 {PROCESS_TABLE(), 1: it is known};
 *	BY_REGION {reason key, first address, last address, 1: the exit has an address};
 *	BY_SLOT {bin, reason key}
 * @example: rowid of one of them; 0: from roll-ups
 * @n: recorded exits; all other sums are of them
 * @fastpath to @synthesized: those with a flag; of BY_RIP they may be missing
 * @polled: part of @halted; 0 where run->has_polled is false
 * @dropped: exits whose record was lost, from KVM's totals where the run has them
 * @first, @last: TSC of the first and last exit, with AGG_TIMES or BY_SLOT; first
 *	INT64_MIN: it and @min are unknown (a file of schema version 1, repaired; see
 *	sql/store/migrate.c)
 *
 * All times are in TSC cycles.
 */
struct group {
	int64_t key[4];
	int64_t example;
	uint64_t n;
	uint64_t dropped;
	uint64_t cycles;
	uint64_t halted;
	uint64_t userspace;
	uint64_t preempted;
	uint64_t polled;
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

/* Groups, found by their key through @hash. All zero: none. */
struct agg {
	struct group *group;
	uint32_t groups;
	struct hash hash;
};

/* The group of a key, made if there is none; NULL without memory. */
struct group *agg_group(struct agg *agg, const int64_t key[4]);

/*
 * Most exits first, the dropped ones included; what is equal by its key. Every table of counts
 * has this order. agg_group() and agg_find() must not be called
 * afterwards.
 */
void agg_sort_by_count(struct agg *agg);

/* The group of a key; NULL: there is none. */
const struct group *agg_find(const struct agg *agg, const int64_t key[4]);

/* Sums over all groups, without distribution. */
struct group agg_total(const struct agg *agg);

/* The same with the distribution, for dist_free() in any case. 0 or -ENOMEM. */
int agg_sum(const struct agg *agg, struct group *total);

void agg_free(struct agg *agg);

/* No exits. */
struct group group_empty(void);

/* Exits of a group that are known of: recorded ones, and dropped ones by the totals. */
static inline uint64_t group_exits(const struct group *group)
{
	return group->n + group->dropped;
}

/* KVM's own time, in cycles: what is left of @cycles without the other parts. */
static inline uint64_t group_handler(const struct group *group)
{
	return group->cycles - group->halted - group->userspace - group->preempted;
}

/* Whether @min and @first are known; see struct group. */
static inline bool group_min_is_known(const struct group *group)
{
	return group->first != INT64_MIN;
}

/* Add the sums (not the distribution) of one group to another. */
void group_add(struct group *to, const struct group *from);

/* The same with the times alone: cycles and its four parts. */
void group_add_times(struct group *to, const struct group *from);

/* Take these times away again. */
void group_subtract_times(struct group *from, const struct group *part);

/* @cycles of the times of @exits, which have that many; in each part the same share. */
struct group group_cut(const struct group *exits, uint64_t cycles);

/* A quantile of the durations, in cycles: never outside min and max; 0: no exits. */
uint64_t group_quantile(const struct group *group, double q);

#endif
