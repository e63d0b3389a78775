// SPDX-License-Identifier: GPL-2.0-only
/* portions.c - which instance of ftrace an event is taken from; see portions.h */
#include "collector/source/trace/portions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* @what: what a filter may ask for, of which there are few: the reason, the MSR, the port, ... */
struct portion {
	uint32_t tid;
	uint32_t cpu;
	uint32_t kind;
	uint32_t vcpu_id;
	uint64_t what;
	size_t instance;
	uint64_t events;
	bool chosen;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* 0: they are of the same events, of whichever instance. */
static int by_events_of(const struct portion *a, const struct portion *b)
{
	int order = compare(a->tid, b->tid);

	order = order ? order : compare(a->cpu, b->cpu);
	order = order ? order : compare(a->kind, b->kind);
	order = order ? order : compare(a->vcpu_id, b->vcpu_id);
	return order ? order : compare(a->what, b->what);
}

static bool has_key(const void *items, uint32_t i, const void *key)
{
	const struct portion *a = (const struct portion *)items + i, *b = key;

	return !by_events_of(a, b) && a->instance == b->instance;
}

static uint32_t *find_place(const struct portions *portions, const struct portion *key)
{
	uint64_t hash = hash_mix(0, (uint64_t)key->tid << 32 | key->cpu);

	hash = hash_mix(hash, (uint64_t)key->instance << 8 | key->kind);
	hash = hash_mix(hash, (uint64_t)key->vcpu_id << 32 ^ key->what);
	return hash_place(&portions->hash, hash, has_key, portions->portion, key);
}

static void put_all(struct portions *portions)
{
	for (uint32_t i = 0; i < portions->count; i++)
		*find_place(portions, &portions->portion[i]) = i + 1;
}

static int grow(struct portions *portions)
{
	struct portion *more = array_reserve(portions->portion, portions->count, 1, sizeof(*more));
	int rc;

	if (!more)
		return -ENOMEM;
	portions->portion = more;

	rc = hash_make_room(&portions->hash, portions->count);
	if (rc > 0)
		put_all(portions);
	return rc < 0 ? rc : 0;
}

/* Addresses are too many to tell them apart. */
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

static struct portion portion_of(size_t instance, const struct kvm_event *event)
{
	return (struct portion){
		.tid = event->tid,
		.cpu = event->cpu,
		.kind = (uint32_t)event->kind,
		.vcpu_id = event->vcpu_id,
		.what = what_of(event),
		.instance = instance,
	};
}

static struct portion *find(const struct portions *portions, size_t instance,
			    const struct kvm_event *event)
{
	const struct portion key = portion_of(instance, event);
	uint32_t found = portions->count ? *find_place(portions, &key) : 0;

	return found ? &portions->portion[found - 1] : NULL;
}

int portions_count(struct portions *portions, size_t instance, const struct kvm_event *event)
{
	struct portion *portion = find(portions, instance, event);

	if (!portion) {
		if (grow(portions))
			return -ENOMEM;
		portion = &portions->portion[portions->count];
		*portion = portion_of(instance, event);
		*find_place(portions, portion) = ++portions->count;
	}
	portion->events++;
	return 0;
}

/* Portions of the same events come together, the best one first. */
static int by_events(const void *a, const void *b)
{
	const struct portion *x = a, *y = b;
	int order = by_events_of(x, y);

	order = order ? order : compare(y->events, x->events);
	return order ? order : compare(x->instance, y->instance);
}

void portions_choose(struct portions *portions)
{
	struct portion *portion = portions->portion;
	bool has_twice = false;
	uint32_t before = 0;

	array_sort(portion, portions->count, sizeof(*portion), by_events);
	for (uint32_t i = 0; i < portions->count; i++) {
		portion[i].chosen = !i || by_events_of(&portion[i], &portion[i - 1]);
		has_twice |= !portion[i].chosen;
		if (i && portion[i].chosen && portion[i].tid == portion[before].tid)
			portions->mixed |= portion[i].instance != portion[before].instance;
		if (portion[i].chosen)
			before = i;
	}
	portions->mixed &= has_twice;

	hash_clear(&portions->hash);
	put_all(portions);
}

bool portions_has(const struct portions *portions, size_t instance, const struct kvm_event *event)
{
	const struct portion *portion = find(portions, instance, event);

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
