// SPDX-License-Identifier: GPL-2.0-only
/*
 * group.c - sums and a distribution of exits by a key; see group.h
 */
#include "analyzer/query/sums/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static uint64_t hash_key(const int64_t key[4])
{
	uint64_t hash = 0;

	for (int i = 0; i < 4; i++)
		hash = hash_mix(hash, (uint64_t)key[i]);
	return hash;
}

static bool has_key(const void *groups, uint32_t i, const void *key)
{
	const struct group *group = (const struct group *)groups + i;

	return !memcmp(group->key, key, sizeof(group->key));
}

static uint32_t *find_place(const struct agg *agg, const int64_t key[4])
{
	return hash_place(&agg->hash, hash_key(key), has_key, agg->group, key);
}

static struct group *find_group(const struct agg *agg, const int64_t key[4])
{
	uint32_t position = agg->groups ? *find_place(agg, key) : 0;

	return position ? &agg->group[position - 1] : NULL;
}

/* Make room for one more group, in the array and in the hash table. */
static int grow(struct agg *agg)
{
	struct group *group = array_reserve(agg->group, agg->groups, 1, sizeof(*group));
	int rc;

	if (!group)
		return -ENOMEM;
	agg->group = group;

	rc = hash_make_room(&agg->hash, agg->groups);
	for (uint32_t i = 0; rc > 0 && i < agg->groups; i++)
		*find_place(agg, agg->group[i].key) = i + 1;
	return rc < 0 ? rc : 0;
}

struct group group_empty(void)
{
	return (struct group){.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
}

struct group *agg_group(struct agg *agg, const int64_t key[4])
{
	struct group *group = find_group(agg, key);

	if (group)
		return group;
	if (grow(agg))
		return NULL;

	group = &agg->group[agg->groups++];
	*group = group_empty();
	memcpy(group->key, key, sizeof(group->key));
	*find_place(agg, key) = agg->groups;
	return group;
}

const struct group *agg_find(const struct agg *agg, const int64_t key[4])
{
	return find_group(agg, key);
}

void group_add_times(struct group *to, const struct group *from)
{
	to->cycles += from->cycles;
	to->halted += from->halted;
	to->userspace += from->userspace;
	to->preempted += from->preempted;
	to->polled += from->polled;
}

void group_subtract_times(struct group *from, const struct group *part)
{
	from->cycles -= part->cycles;
	from->halted -= part->halted;
	from->userspace -= part->userspace;
	from->preempted -= part->preempted;
	from->polled -= part->polled;
}

struct group group_cut(const struct group *exits, uint64_t cycles)
{
	double share = exits->cycles ? (double)cycles / (double)exits->cycles : 0;

	return (struct group){
		.cycles = cycles,
		.halted = (uint64_t)((double)exits->halted * share),
		.userspace = (uint64_t)((double)exits->userspace * share),
		.preempted = (uint64_t)((double)exits->preempted * share),
		.polled = (uint64_t)((double)exits->polled * share),
	};
}

void group_add(struct group *to, const struct group *from)
{
	group_add_times(to, from);
	to->n += from->n;
	to->dropped += from->dropped;
	to->fastpath += from->fastpath;
	to->nested += from->nested;
	to->to_user += from->to_user;
	to->synthesized += from->synthesized;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	if (from->first < to->first)
		to->first = from->first;
	if (from->last > to->last)
		to->last = from->last;
}

uint64_t group_quantile(const struct group *group, double q)
{
	uint64_t value = dist_quantile(&group->dist, q);

	if (!group->n)
		return 0;
	if (value > group->max)
		return group->max;
	return value < group->min ? group->min : value;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (group_exits(x) != group_exits(y))
		return group_exits(x) < group_exits(y) ? 1 : -1;
	for (int i = 0; i < 4; i++) {
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	}
	return 0;
}

void agg_sort_by_count(struct agg *agg)
{
	array_sort(agg->group, agg->groups, sizeof(*agg->group), by_count);
}

struct group agg_total(const struct agg *agg)
{
	struct group total = group_empty();

	for (uint32_t i = 0; i < agg->groups; i++)
		group_add(&total, &agg->group[i]);
	return total;
}

int agg_sum(const struct agg *agg, struct group *total)
{
	*total = agg_total(agg);
	for (uint32_t i = 0; i < agg->groups; i++) {
		int rc = dist_add_all(&total->dist, &agg->group[i].dist);

		if (rc)
			return rc;
	}
	return dist_sort(&total->dist);
}

void agg_free(struct agg *agg)
{
	for (uint32_t i = 0; i < agg->groups; i++)
		dist_free(&agg->group[i].dist);
	free(agg->group);
	hash_free(&agg->hash);
	memset(agg, 0, sizeof(*agg));
}
