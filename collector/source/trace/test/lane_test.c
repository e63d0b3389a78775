// SPDX-License-Identifier: GPL-2.0-only
/* lane_test.c - the slots of threads, against all pairs of them, in random recordings */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "collector/source/trace/lane.h"
#include "kvm/test/common/check.h"

#define THREADS	   12
#define EVENTS_MAX 120
#define CPUS	   3

/* What a lane is given. */
struct scene {
	struct kvm_event event[EVENTS_MAX];
	uint32_t count;
	struct lost_windows lost;
};

static uint32_t below(uint64_t *random, uint32_t limit)
{
	return (uint32_t)(random_next(random) % limit);
}

/* Threads that mostly take turns, of which some begin late and some end early. */
static void make_scene(struct scene *scene, uint64_t *random)
{
	uint32_t threads = 1 + below(random, THREADS), window = 1 + below(random, THREADS);
	uint32_t events_a_thread = 1 + below(random, 8), loss = below(random, 3) * 4;
	bool in_guest[THREADS] = {false};

	memset(scene, 0, sizeof(*scene));
	while (scene->count < EVENTS_MAX) {
		uint32_t from = scene->count / events_a_thread;
		uint32_t thread = from + below(random, window);
		struct kvm_event *event = &scene->event[scene->count];

		if (from >= threads)
			return;
		thread = thread < threads ? thread : threads - 1;
		*event = (struct kvm_event){
			.kind = in_guest[thread] ? KVM_EVENT_EXIT : KVM_EVENT_ENTRY,
			.tid = 100 + thread,
			.cpu = below(random, CPUS),
			.ts = 10 * (uint64_t)scene->count + 10,
		};
		if (!below(random, 10))
			event->kind = below(random, 2) ? KVM_EVENT_EXIT : KVM_EVENT_ENTRY;
		in_guest[thread] = event->kind == KVM_EVENT_ENTRY;
		scene->count++;
		if (loss && !below(random, loss))
			CHECK(!lost_windows_add(&scene->lost, below(random, CPUS), event->ts + 2,
						event->ts + 2 + below(random, 40)));
	}
}

static bool excludes(const struct scene *scene, const struct kvm_event *last,
		     const struct kvm_event *next)
{
	if (next->kind == KVM_EVENT_ENTRY && last->kind == KVM_EVENT_EXIT)
		return false;
	return !lost_windows_hit(&scene->lost, last->cpu, last->ts, next->ts) &&
	       !lost_windows_hit(&scene->lost, next->cpu, last->ts, next->ts);
}

/* Two threads conflict if one can't be left and the other entered at any place. */
static bool are_in_conflict(const struct scene *scene, uint32_t one, uint32_t other)
{
	const struct kvm_event *last = NULL;

	for (uint32_t i = 0; i < scene->count; i++) {
		const struct kvm_event *event = &scene->event[i];

		if (event->tid != one && event->tid != other)
			continue;
		if (last && last->tid != event->tid && excludes(scene, last, event))
			return true;
		last = event;
	}
	return false;
}

/* The slots by definition. */
static uint32_t expected_slots(const struct scene *scene, uint32_t *tids, uint32_t *slots)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < scene->count; i++) {
		bool is_known = false, is_taken[THREADS] = {false};

		for (uint32_t j = 0; j < count; j++) {
			is_known |= tids[j] == scene->event[i].tid;
			is_taken[slots[j]] |= are_in_conflict(scene, tids[j], scene->event[i].tid);
		}
		if (is_known)
			continue;
		tids[count] = scene->event[i].tid;
		for (slots[count] = 0; is_taken[slots[count]];)
			slots[count]++;
		count++;
	}
	return count;
}

static void test_slots_are_those_of_all_pairs(uint64_t seed)
{
	struct lane lane = {.vcpu = {.slots = 1}};
	uint32_t tids[THREADS], slots[THREADS], count, most = 0;
	uint64_t random = seed;
	struct scene scene;

	make_scene(&scene, &random);
	lost_windows_sort(&scene.lost);
	count = expected_slots(&scene, tids, slots);
	for (uint32_t i = 0; i < scene.count; i++) {
		CHECK(!lane_see(&lane, &scene.event[i], &scene.lost));
		if (!below(&random, 20)) /* a live source asks in between */
			lane_update_slots(&lane, &scene.lost);
	}
	lane_update_slots(&lane, &scene.lost);

	CHECK(lane.vcpu.threads == count);
	for (uint32_t i = 0; i < count; i++) {
		if (lane_slot_of(&lane, tids[i]) != slots[i])
			fprintf(stderr, "seed %llu, thread %u: slot %u, not %u\n",
				(unsigned long long)seed, tids[i], lane_slot_of(&lane, tids[i]),
				slots[i]);
		CHECK(lane_slot_of(&lane, tids[i]) == slots[i]);
		most = slots[i] > most ? slots[i] : most;
	}
	CHECK(lane.vcpu.slots == most + 1);
	lane_free(&lane);
	lost_windows_free(&scene.lost);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 20000; seed++)
		test_slots_are_those_of_all_pairs(seed);
	return 0;
}
