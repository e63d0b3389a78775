// SPDX-License-Identifier: GPL-2.0-only
/* text_instances.c - which events several instances have; see text_instances.h */
#include "collector/source/trace/text/text_instances.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 4096

/* That many groups get memory at once. */
#define GROUPS_STEP 128U

/* How far apart the copies of an event are, in ns, or cycles of a TSC. */
#define APART_NS     UINT64_C(5000)
#define APART_CYCLES (4 * APART_NS)

/* Files of one host have at least that part of the smaller one's events in common. */
#define COMMON_PART 10

/* The last event of its kind and CPU. @of: bit n: instance n has it; 0: there was none */
struct text_group {
	uint64_t ts;
	uint64_t print;
	uint32_t tid;
	uint64_t of;
};

_Static_assert(TEXT_INSTANCES <= 64, "a bit of text_group.of for each");

/* An instance's name has no blanks, and is not a number as `grep -n` prints it. */
static bool is_name(const char *name)
{
	return !strpbrk(name, " []") && name[strspn(name, "0123456789")];
}

static bool is_file(const char *name)
{
	return strpbrk(name, "./") != NULL;
}

/* The number of an instance. Where there are too many names, none is an instance's. */
static size_t find(struct text_instances *instances, const char *name)
{
	if (!is_name(name) || instances->are_none)
		name = "";
	for (size_t i = 0; i < instances->count; i++) {
		if (!strcmp(instances->instance[i].name, name))
			return i;
	}
	instances->are_none |= instances->count == TEXT_INSTANCES;
	if (instances->are_none)
		return 0;
	snprintf(instances->instance[instances->count].name, TEXT_INSTANCE_BYTES, "%s", name);
	return instances->count++;
}

void text_instances_follow(struct text_instances *instances, const char *name, bool is_loss)
{
	/* trace-cmd prints it once for a line about losses and the event after it. */
	if (!instances->after_loss || *name)
		instances->current = find(instances, name);
	instances->after_loss = is_loss;
}

/* Counts an event that is in @group, and in the current instance too. */
static void count_copy(struct text_instances *instances, const struct text_group *group)
{
	size_t current = instances->current;

	for (size_t i = 0; i < instances->count; i++) {
		if (!(group->of >> i & 1))
			continue;
		instances->instance[i].copies[current]++;
		instances->instance[current].copies[i]++;
	}
}

/* The group of the event's CPU and kind; NULL: no memory. */
static struct text_group *find_group(struct text_instances *instances,
				     const struct kvm_event *event)
{
	uint32_t at = event->cpu % CPUS * KVM_EVENT_KINDS + (uint32_t)event->kind;
	uint32_t count = at / GROUPS_STEP * GROUPS_STEP + GROUPS_STEP;
	struct text_group *more;

	if (at < instances->group_count)
		return &instances->groups[at];
	more = realloc(instances->groups, count * sizeof(*more));
	if (!more)
		return NULL;
	memset(more + instances->group_count, 0, (count - instances->group_count) * sizeof(*more));
	instances->groups = more;
	instances->group_count = count;
	return &more[at];
}

int text_instances_see(struct text_instances *instances, const struct text_line *line,
		       bool *is_copy)
{
	const struct kvm_event *event = &line->event;
	struct text_instance *instance = &instances->instance[instances->current];
	const uint64_t bit = UINT64_C(1) << instances->current;
	struct text_group *group;
	uint64_t apart, print;

	group = find_group(instances, event);
	if (!group)
		return -ENOMEM;

	if (!instance->events++ || event->ts < instance->first_ts)
		instance->first_ts = event->ts;
	if (event->ts > instance->last_ts)
		instance->last_ts = event->ts;

	apart = event->ts > group->ts ? event->ts - group->ts : group->ts - event->ts;
	print = text_line_print(line);
	*is_copy = group->of && !(group->of & bit) && print == group->print &&
		   event->tid == group->tid && apart <= (line->is_count ? APART_CYCLES : APART_NS);
	if (*is_copy) {
		count_copy(instances, group);
		group->of |= bit;
	} else {
		*group = (struct text_group){event->ts, print, event->tid, bit};
	}
	return 0;
}

/* Whether another one that is not left out has all events of this one, or there are none. */
static bool is_contained(const struct text_instances *instances, size_t i)
{
	const struct text_instance *instance = &instances->instance[i];

	if (!instance->events)
		return instances->count > 1;
	for (size_t j = 0; j < instances->count; j++) {
		if (j != i && !instances->instance[j].is_skipped &&
		    instance->copies[j] == instance->events)
			return true;
	}
	return false;
}

/* Whether two files may be of one host: one after the other, or with the same events. */
static bool may_be_one_host(const struct text_instance *a, const struct text_instance *b, size_t at)
{
	uint64_t fewest = a->events < b->events ? a->events : b->events;

	return a->first_ts > b->last_ts || b->first_ts > a->last_ts ||
	       a->copies[at] > fewest / COMMON_PART;
}

/* Whether file number @i may be of the host of files before it. */
static bool may_be_of(const struct text_instances *instances, size_t i, uint32_t host)
{
	for (size_t j = 0; j < i; j++) {
		const struct text_instance *other = &instances->instance[j];

		if (is_file(other->name) && other->events && other->host == host &&
		    !may_be_one_host(&instances->instance[i], other, j))
			return false;
	}
	return true;
}

/* Each file is of the first host that it may be of, or of another one. */
static void choose_host(struct text_instances *instances, size_t i)
{
	struct text_instance *instance = &instances->instance[i];

	if (!is_file(instance->name) || !instance->events)
		return;
	while (instance->host < instances->hosts && !may_be_of(instances, i, instance->host))
		instance->host++;
	instances->hosts += instance->host == instances->hosts;
}

void text_instances_decide(struct text_instances *instances)
{
	if (instances->are_none) {
		memset(instances->instance, 0, sizeof(instances->instance));
		instances->count = 1;
		return;
	}
	for (size_t i = instances->count; i-- > 0;)
		instances->instance[i].is_skipped = is_contained(instances, i);
	for (size_t i = 0; i < instances->count; i++)
		choose_host(instances, i);
}

bool text_instances_share(const struct text_instances *instances)
{
	for (size_t i = 0; i < instances->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (instances->instance[i].copies[j] &&
			    !instances->instance[i].is_skipped &&
			    !instances->instance[j].is_skipped)
				return true;
		}
	}
	return false;
}

void text_instances_set_host(const struct text_instances *instances, struct kvm_event *event)
{
	uint32_t host = instances->instance[instances->current].host;

	if (!host)
		return;
	event->cpu |= host << 16; /* what a record keeps is below */
	event->tid |= event->tid ? host << TEXT_THREAD_BITS : 0;
	event->tgid |= host << TEXT_THREAD_BITS;
}

void text_instances_restart(struct text_instances *instances)
{
	free(instances->groups);
	instances->groups = NULL;
	instances->group_count = 0;
	instances->current = 0;
	instances->after_loss = false;
}
