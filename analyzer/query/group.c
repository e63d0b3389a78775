// SPDX-License-Identifier: GPL-2.0-only
/*
 * group.c - sums and a distribution of exits by a key; see group.h
 */
#include "analyzer/query/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_key(const int64_t key[4])
{
	uint64_t h = 0;

	for (int i = 0; i < 4; i++) {
		h ^= (uint64_t)key[i];
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	return h;
}

/* Where the key is, or the empty place for it. @slot[] is never full. */
static uint32_t find_slot(const struct agg *agg, const int64_t key[4])
{
	uint32_t i = (uint32_t)hash_key(key) & (agg->slots - 1);

	while (agg->slot[i] && memcmp(agg->group[agg->slot[i] - 1].key, key, 4 * sizeof(*key)))
		i = (i + 1) & (agg->slots - 1);
	return i;
}

static int grow(struct agg *agg)
{
	uint32_t room = agg->room ? 2 * agg->room : 32;
	struct group *group = realloc(agg->group, room * sizeof(*group));
	uint32_t *slot;

	if (!group)
		return -ENOMEM;
	agg->group = group;
	slot = calloc(2 * (size_t)room, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(agg->slot);
	agg->slot = slot;
	agg->slots = 2 * room;
	agg->room = room;
	for (uint32_t i = 0; i < agg->groups; i++)
		agg->slot[find_slot(agg, agg->group[i].key)] = i + 1;
	return 0;
}

struct group group_empty(void)
{
	return (struct group){.min = UINT64_MAX, .first = INT64_MAX, .last = INT64_MIN};
}

struct group *agg_group(struct agg *agg, const int64_t key[4])
{
	struct group *group;
	uint32_t i;

	if (agg->groups == agg->room && grow(agg))
		return NULL;
	i = find_slot(agg, key);
	if (agg->slot[i])
		return &agg->group[agg->slot[i] - 1];
	group = &agg->group[agg->groups++];
	agg->slot[i] = agg->groups;
	*group = group_empty();
	memcpy(group->key, key, sizeof(group->key));
	return group;
}

const struct group *agg_find(const struct agg *agg, const int64_t key[4])
{
	uint32_t i = agg->slots ? agg->slot[find_slot(agg, key)] : 0;

	return i ? &agg->group[i - 1] : NULL;
}

void group_add(struct group *to, const struct group *from)
{
	to->n += from->n;
	to->dropped += from->dropped;
	to->cycles += from->cycles;
	to->halted += from->halted;
	to->userspace += from->userspace;
	to->preempted += from->preempted;
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
	return x->key[0] < y->key[0] ? -1 : x->key[0] > y->key[0];
}

void agg_sort_by_count(struct agg *agg)
{
	if (agg->groups)
		qsort(agg->group, agg->groups, sizeof(*agg->group), by_count);
}

struct group agg_total(const struct agg *agg)
{
	struct group total = group_empty();

	for (uint32_t i = 0; i < agg->groups; i++)
		group_add(&total, &agg->group[i]);
	return total;
}

void agg_free(struct agg *agg)
{
	for (uint32_t i = 0; i < agg->groups; i++)
		dist_free(&agg->group[i].dist);
	free(agg->group);
	free(agg->slot);
	memset(agg, 0, sizeof(*agg));
}
