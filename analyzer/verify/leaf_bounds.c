// SPDX-License-Identifier: GPL-2.0-only
/* leaf_bounds.c - adds rows up for the exits that show them; see leaf_bounds.h */
#include "analyzer/verify/leaf_bounds.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/wrap.h"

static int compare_numbers(int64_t x, int64_t y)
{
	return (x > y) - (x < y);
}

static int by_series(const void *a, const void *b)
{
	const struct leaf_exit *x = a, *y = b;
	int order = compare_numbers(x->reason, y->reason);

	if (!order)
		order = compare_numbers(x->vcpu, y->vcpu);
	return order ? order : compare_numbers(x->tsc, y->tsc);
}

static int by_vm_and_series(const void *a, const void *b)
{
	const struct leaf_exit *x = a, *y = b;
	int order = compare_numbers(x->vm, y->vm);

	return order ? order : by_series(a, b);
}

static int by_time(const void *a, const void *b)
{
	const struct leaf_edge *x = a, *y = b;

	return compare_numbers(x->time, y->time);
}

static int compare_groups(const struct leaf_group *group, int64_t vm, int64_t reason)
{
	int order = compare_numbers(group->vm, vm);

	return order ? order : compare_numbers(group->reason, reason);
}

/* The group of the exits from @first on. */
static struct leaf_group group_at(const struct leaf_bounds *b, int first)
{
	struct leaf_group group = {
		.vm = b->host ? LEAF_EVERY : b->exits[first].vm,
		.reason = b->exits[first].reason,
		.first = first,
		.end = first,
	};

	while (group.end < b->exit_count && b->exits[group.end].reason == group.reason &&
	       (b->host || b->exits[group.end].vm == group.vm))
		group.end++;
	return group;
}

static int add_group(struct leaf_bounds *b, const struct leaf_group *group)
{
	struct leaf_group *more = array_reserve(b->groups, b->group_count, 1, sizeof(*more));
	size_t exits = (size_t)(group->end - group->first);

	if (!more)
		return -1;
	b->groups = more;
	more[b->group_count++] = *group;

	for (int i = group->first; i < group->end; i++) {
		b->begins[i] = (struct leaf_edge){.time = b->exits[i].tsc, .exit = i};
		b->ends[i] = (struct leaf_edge){.time = b->exits[i].end, .exit = i};
	}
	array_sort(&b->begins[group->first], exits, sizeof(*b->begins), by_time);
	array_sort(&b->ends[group->first], exits, sizeof(*b->ends), by_time);
	return 0;
}

int leaf_bounds_open(struct leaf_bounds *bounds)
{
	size_t count = (size_t)bounds->exit_count;
	struct leaf_group group;

	array_sort(bounds->exits, count, sizeof(*bounds->exits),
		   bounds->host ? by_series : by_vm_and_series);
	bounds->begins = calloc(count + 1, sizeof(*bounds->begins));
	bounds->ends = calloc(count + 1, sizeof(*bounds->ends));
	if (!bounds->begins || !bounds->ends)
		return -1;

	for (int at = 0; at < bounds->exit_count; at = group.end) {
		group = group_at(bounds, at);
		if (add_group(bounds, &group))
			return -1;
	}
	return 0;
}

static const struct leaf_group *find_group(const struct leaf_bounds *b, int64_t vm, int64_t reason)
{
	size_t low = 0, high = b->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_groups(&b->groups[middle], vm, reason);

		if (!order)
			return &b->groups[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Adds to the first edge of @group at @time or later, and so to all after it. */
static void add_from(struct leaf_edge *edges, const struct leaf_group *group, int64_t time,
		     int64_t exits, int64_t cycles)
{
	int low = group->first, high = group->end;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (edges[middle].time < time)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == group->end)
		return;
	edges[low].exits += exits;
	edges[low].cycles = wrap_add(edges[low].cycles, cycles);
}

/* The first exit of [@low, @high), which are in order, that is of @vcpu or a later one. */
static int first_of(const struct leaf_exit *exits, int low, int high, int64_t vcpu)
{
	while (low < high) {
		int middle = low + (high - low) / 2;

		if (exits[middle].vcpu < vcpu)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The first of @count exits, in order of time, whose tsc (or end, if @by_end) is @time or
 * later. Both rise: they are exits of one vCPU.
 */
static int first_from(const struct leaf_exit *exits, int count, int64_t time, bool by_end)
{
	int low = 0, high = count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if ((by_end ? exits[middle].end : exits[middle].tsc) < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A row of the vCPU of @count exits was added as one of another vCPU is: makes that right. */
static void correct_own(struct leaf_exit *exits, int count, const struct leaf_row *row, int64_t end)
{
	int begun = first_from(exits, count, row->tsc, false);
	int begun_late = first_from(exits, count, row->tsc, true);
	int after = first_from(exits, count, wrap_add(row->tsc, 1), false);
	int ended = first_from(exits, count, end, false);
	int ended_late = first_from(exits, count, end, true);

	if (begun < count)
		exits[begun].exits_high++;
	if (begun_late < count)
		exits[begun_late].exits_high--;

	if (after < count) {
		exits[after].cycles_low = wrap_add(exits[after].cycles_low, row->time_cycles);
		exits[after].cycles_high = wrap_add(exits[after].cycles_high, row->time_cycles);
	}
	if (ended < count)
		exits[ended].cycles_low = wrap_subtract(exits[ended].cycles_low, row->time_cycles);
	if (ended_late < count)
		exits[ended_late].cycles_high =
			wrap_subtract(exits[ended_late].cycles_high, row->time_cycles);
}

static void add_to_group(struct leaf_bounds *b, int64_t vm, int64_t reason,
			 const struct leaf_row *row)
{
	const struct leaf_group *group = find_group(b, vm, reason);
	int64_t end = wrap_add(row->tsc, row->cycles);
	int first, last;

	if (!group)
		return;
	add_from(b->begins, group, row->tsc, 1, 0);
	add_from(b->begins, group, end, 0, row->time_cycles);
	add_from(b->ends, group, row->tsc, 1, 0);
	add_from(b->ends, group, end, 0, row->time_cycles);

	first = first_of(b->exits, group->first, group->end, row->vcpu);
	last = first_of(b->exits, first, group->end, wrap_add(row->vcpu, 1));
	if (first < last)
		correct_own(&b->exits[first], last - first, row, end);
}

void leaf_bounds_add(struct leaf_bounds *bounds, const struct leaf_row *row)
{
	int64_t vm = bounds->host ? LEAF_EVERY : row->vm;

	add_to_group(bounds, vm, LEAF_EVERY, row);
	add_to_group(bounds, vm, row->reason, row);
}

/* What a vCPU's exits have of their own. */
static void sum_series(struct leaf_bounds *b)
{
	for (int i = 1; i < b->exit_count; i++) {
		struct leaf_exit *e = &b->exits[i], *before = e - 1;

		if (before->vcpu != e->vcpu || before->reason != e->reason)
			continue;
		e->exits_high += before->exits_high;
		e->cycles_low = wrap_add(e->cycles_low, before->cycles_low);
		e->cycles_high = wrap_add(e->cycles_high, before->cycles_high);
	}
}

static void sum_group(struct leaf_bounds *b, const struct leaf_group *group)
{
	int64_t exits = 0, cycles = 0;

	for (int i = group->first; i < group->end; i++) {
		struct leaf_exit *e = &b->exits[b->begins[i].exit];

		exits += b->begins[i].exits;
		cycles = wrap_add(cycles, b->begins[i].cycles);
		e->exits_low += exits;
		e->cycles_low = wrap_add(e->cycles_low, cycles);
	}

	exits = cycles = 0;
	for (int i = group->first; i < group->end; i++) {
		struct leaf_exit *e = &b->exits[b->ends[i].exit];

		exits += b->ends[i].exits;
		cycles = wrap_add(cycles, b->ends[i].cycles);
		e->exits_high += exits;
		e->cycles_high = wrap_add(e->cycles_high, cycles);
	}
}

void leaf_bounds_sum(struct leaf_bounds *bounds)
{
	sum_series(bounds);
	for (size_t i = 0; i < bounds->group_count; i++)
		sum_group(bounds, &bounds->groups[i]);
}

void leaf_bounds_free(struct leaf_bounds *bounds)
{
	free(bounds->exits);
	free(bounds->begins);
	free(bounds->ends);
	free(bounds->groups);
}
