// SPDX-License-Identifier: GPL-2.0-only
/* portions.c - which instance of ftrace an event is taken from; see portions.h */
#include "collector/source/trace/portions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

struct portion {
	uint32_t tid;
	uint32_t cpu;
	uint32_t kind;
	size_t instance;
	uint64_t events;
	bool chosen;
};

static bool has_key(const void *items, uint32_t i, const void *key)
{
	const struct portion *a = (const struct portion *)items + i, *b = key;

	return a->tid == b->tid && a->cpu == b->cpu && a->kind == b->kind &&
	       a->instance == b->instance;
}

static uint32_t *find_place(const struct portions *portions, const struct portion *key)
{
	uint64_t hash = hash_mix(0, (uint64_t)key->tid << 32 | key->cpu);

	hash = hash_mix(hash, (uint64_t)key->instance << 8 | key->kind);
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

static struct portion portion_of(size_t instance, const struct kvm_event *event)
{
	return (struct portion){
		.tid = event->tid,
		.cpu = event->cpu,
		.kind = (uint32_t)event->kind,
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

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return (x->instance > y->instance) - (x->instance < y->instance);
}

void portions_choose(struct portions *portions)
{
	struct portion *portion = portions->portion;

	array_sort(portion, portions->count, sizeof(*portion), by_events);
	for (uint32_t i = 0; i < portions->count; i++)
		portion[i].chosen = !i || portion[i].tid != portion[i - 1].tid ||
				    portion[i].cpu != portion[i - 1].cpu ||
				    portion[i].kind != portion[i - 1].kind;

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
