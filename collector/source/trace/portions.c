// SPDX-License-Identifier: GPL-2.0-only
/* portions.c - which instance of ftrace an event is taken from; see portions.h */
#include "collector/source/trace/portions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Events that differ, in all instances: some 80 bytes each. */
#define PORTIONS_MOST (UINT32_C(1) << 22)

/* An event begins with its number, flags and thread, which filters seldom ask for. */
#define COMMON_BYTES 8

/* How long before the first event of an instance, or after its last one, it may not have run. */
#define EDGE_NS UINT64_C(1000000000)

/*
 * What an instance has of a group: of all of it, if @print is 0, and of each event with the same
 * print.
 * @first_ts, @last_ts: the times of the first and the last one
 * @is_split: of a group: it is taken print by print
 */
struct portion {
	uint32_t tid;
	uint32_t cpu;
	uint32_t kind;
	uint64_t print;
	size_t instance;
	uint64_t events;
	uint64_t first_ts;
	uint64_t last_ts;
	bool chosen;
	bool is_split;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* 0: they are of the same group. */
static int by_group(const struct portion *a, const struct portion *b)
{
	int order = compare(a->tid, b->tid);

	order = order ? order : compare(a->cpu, b->cpu);
	return order ? order : compare(a->kind, b->kind);
}

static bool has_key(const void *items, uint32_t i, const void *key)
{
	const struct portion *a = (const struct portion *)items + i, *b = key;

	return !by_group(a, b) && a->print == b->print && a->instance == b->instance;
}

static uint32_t *find_place(const struct portions *portions, const struct portion *key)
{
	uint64_t hash = hash_mix(0, (uint64_t)key->tid << 32 | key->cpu);

	hash = hash_mix(hash, (uint64_t)key->instance << 8 | key->kind);
	hash = hash_mix(hash, key->print);
	return hash_place(&portions->hash, hash, has_key, portions->portion, key);
}

static void put_all(struct portions *portions)
{
	for (uint32_t i = 0; i < portions->count; i++)
		*find_place(portions, &portions->portion[i]) = i + 1;
}

static int grow(struct portions *portions)
{
	struct portion *more;
	int rc;

	if (portions->count == PORTIONS_MOST)
		return -E2BIG;
	more = array_reserve(portions->portion, portions->count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	portions->portion = more;

	rc = hash_make_room(&portions->hash, portions->count);
	if (rc > 0)
		put_all(portions);
	return rc < 0 ? rc : 0;
}

/* What a filter may ask for, of which there are few. */
static uint64_t what_of(const struct kvm_event *event)
{
	switch (event->kind) {
	case KVM_EVENT_EXIT:
		return event->reason;
	case KVM_EVENT_MSR:
	case KVM_EVENT_PIO:
	case KVM_EVENT_CPUID:
	case KVM_EVENT_HYPERCALL:
		return event->key << 8 | (event->key_aux & 0xff);
	default:
		return 0;
	}
}

uint64_t portions_print(const struct portions *portions, const struct kvm_event *event,
			const void *data, size_t bytes)
{
	uint64_t print = hash_mix(0, bytes), word = 0;
	const char *at = (const char *)data + COMMON_BYTES;
	size_t left = bytes > COMMON_BYTES ? bytes - COMMON_BYTES : 0;

	if (portions->by_reason)
		return hash_mix(hash_mix(0, event->vcpu_id), what_of(event)) | 1;
	for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		print = hash_mix(print, word);
	}
	word = 0;
	memcpy(&word, at, left);
	return hash_mix(print, word) | 1; /* 0 is the group */
}

static struct portion portion_of(size_t instance, const struct kvm_event *event, uint64_t print)
{
	return (struct portion){
		.tid = event->tid,
		.cpu = event->cpu,
		.kind = (uint32_t)event->kind,
		.print = print,
		.instance = instance,
		.first_ts = event->ts,
	};
}

static struct portion *find(const struct portions *portions, size_t instance,
			    const struct kvm_event *event, uint64_t print)
{
	const struct portion key = portion_of(instance, event, print);
	uint32_t found = portions->count ? *find_place(portions, &key) : 0;

	return found ? &portions->portion[found - 1] : NULL;
}

static int count_in(struct portions *portions, size_t instance, const struct kvm_event *event,
		    uint64_t print)
{
	struct portion *portion = find(portions, instance, event, print);

	if (!portion) {
		int rc = grow(portions);

		if (rc)
			return rc;
		portion = &portions->portion[portions->count];
		*portion = portion_of(instance, event, print);
		*find_place(portions, portion) = ++portions->count;
	}
	portion->events++;
	portion->last_ts = event->ts;
	return 0;
}

int portions_count(struct portions *portions, size_t instance, const struct kvm_event *event,
		   uint64_t print)
{
	int rc = count_in(portions, instance, event, 0);

	return rc ? rc : count_in(portions, instance, event, print);
}

void portions_restart_by_reason(struct portions *portions)
{
	portions_free(portions);
	portions->by_reason = true;
}

/* Groups, in them prints, of which the best one comes first; first of all those of the group. */
static int by_events(const void *a, const void *b)
{
	const struct portion *x = a, *y = b;
	int order = by_group(x, y);

	order = order ? order : compare(x->print, y->print);
	order = order ? order : compare(y->events, x->events);
	return order ? order : compare(x->instance, y->instance);
}

/* Where those from number @i on end that are of its group, and of its print if @same_print. */
static uint32_t end_of(const struct portions *portions, uint32_t i, bool same_print)
{
	const struct portion *first = &portions->portion[i], *portion = first;

	while (++i < portions->count) {
		portion++;
		if (by_group(portion, first) || (same_print && portion->print != first->print))
			break;
	}
	return i;
}

/* Whether the events of @portion show that they were kept from the instance of @best. */
static bool shows_filter(const struct portion *portion, const struct portion *best)
{
	uint64_t before = best->first_ts > portion->last_ts ? best->first_ts - portion->last_ts : 0;
	uint64_t after = portion->first_ts > best->last_ts ? portion->first_ts - best->last_ts : 0;

	return (!before && !after) || before > EDGE_NS || after > EDGE_NS;
}

/* Whether the instance @best lacks what others have of prints number @i up to @end. */
static bool lacks_some(const struct portions *portions, const struct portion *best, uint32_t i,
		       uint32_t end)
{
	bool lacks = false;

	for (uint32_t next; i < end && !lacks; i = next) {
		bool has = false;

		next = end_of(portions, i, true);
		for (uint32_t j = i; j < next; j++)
			has |= portions->portion[j].instance == best->instance;
		lacks = !has && shows_filter(&portions->portion[i], best);
	}
	return lacks;
}

/* A group, whose own portions are from number @i to @prints, and its prints to @end. */
static void choose_group(struct portions *portions, uint32_t i, uint32_t prints, uint32_t end)
{
	struct portion *best = &portions->portion[i];
	bool is_split = prints > i + 1 && lacks_some(portions, best, prints, end);

	best->chosen = !is_split;
	if (!is_split)
		return;
	portions->filtered[best->kind] = true;
	for (; i < prints; i++)
		portions->portion[i].is_split = true;
	for (; i < end; i = end_of(portions, i, true))
		portions->portion[i].chosen = true;
}

/* Whether some event is chosen of which several instances have equals. */
static void set_mixed(struct portions *portions)
{
	const struct portion *portion = portions->portion, *before = NULL;
	bool has_twice = false;

	for (uint32_t i = 0; i < portions->count; i++) {
		has_twice |= i && portion[i].print && !by_group(&portion[i], &portion[i - 1]) &&
			     portion[i].print == portion[i - 1].print;
		if (!portion[i].chosen)
			continue;
		if (before && before->tid == portion[i].tid)
			portions->mixed |= before->instance != portion[i].instance;
		before = &portion[i];
	}
	portions->mixed &= has_twice;
}

void portions_choose(struct portions *portions)
{
	array_sort(portions->portion, portions->count, sizeof(*portions->portion), by_events);
	for (uint32_t i = 0, end; i < portions->count; i = end) {
		end = end_of(portions, i, false);
		choose_group(portions, i, end_of(portions, i, true), end);
	}
	set_mixed(portions);

	hash_clear(&portions->hash);
	put_all(portions);
}

bool portions_has(const struct portions *portions, size_t instance, const struct kvm_event *event,
		  uint64_t print)
{
	const struct portion *portion = find(portions, instance, event, 0);

	if (portion && portion->is_split)
		portion = find(portions, instance, event, print);
	return portion && portion->chosen;
}

bool portions_uses(const struct portions *portions, size_t instance)
{
	for (uint32_t i = 0; i < portions->count; i++) {
		if (portions->portion[i].instance == instance && portions->portion[i].chosen)
			return true;
	}
	return false;
}

void portions_free(struct portions *portions)
{
	free(portions->portion);
	hash_free(&portions->hash);
	*portions = (struct portions){0};
}
