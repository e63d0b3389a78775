// SPDX-License-Identifier: GPL-2.0-only
/* text_threads.c - finds numbers that are in two guests at once; see text_threads.h */
#include "collector/source/trace/text/text_threads.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* No thread goes to another CPU and enters or leaves a guest there in less. */
#define TRIP_NS 2000

/* A single one may come of a damaged line. */
#define CONFLICTS_MIN 2

/*
 * @number: and instance
 * @ts, @cpu, @vcpu_id: of the last event that names a vCPU
 * @in_guest: since then, of that vCPU on that CPU
 */
struct text_thread {
	uint64_t number;
	uint32_t cpu;
	uint32_t vcpu_id;
	uint64_t ts;
	bool in_guest;
};

static bool has_number(const void *items, uint32_t i, const void *key)
{
	return ((const struct text_thread *)items)[i].number == *(const uint64_t *)key;
}

static uint32_t *find_place(const struct text_threads *threads, uint64_t number)
{
	return hash_place(&threads->hash, hash_mix(0, number), has_number, threads->thread,
			  &number);
}

/* The thread with that number, made if need be; NULL: no memory. */
static struct text_thread *get(struct text_threads *threads, uint64_t number)
{
	uint32_t found = threads->count ? *find_place(threads, number) : 0;
	struct text_thread *more;
	int rc;

	if (found)
		return &threads->thread[found - 1];
	more = array_reserve(threads->thread, threads->count, 1, sizeof(*more));
	if (!more)
		return NULL;
	threads->thread = more;
	rc = hash_make_room(&threads->hash, threads->count);
	if (rc < 0)
		return NULL;
	for (uint32_t i = 0; rc && i < threads->count; i++)
		*find_place(threads, more[i].number) = i + 1;

	more += threads->count;
	*more = (struct text_thread){.number = number, .vcpu_id = KVM_EVENT_NO_VCPU};
	*find_place(threads, number) = ++threads->count;
	return more;
}

/* Whether the event can't be of the thread whose last one that was. */
static bool is_conflict(const struct text_thread *thread, const struct text_line *line)
{
	const struct kvm_event *event = &line->event;
	bool elsewhere = event->cpu != thread->cpu || !line->head.has_cpu;

	if (event->vcpu_id == KVM_EVENT_NO_VCPU || thread->vcpu_id == KVM_EVENT_NO_VCPU ||
	    event->vcpu_id == thread->vcpu_id || !elsewhere)
		return false;
	return thread->in_guest ||
	       (line->head.has_cpu && !line->is_count && event->ts - thread->ts <= TRIP_NS);
}

int text_threads_see(struct text_threads *threads, size_t instance, const struct text_line *line,
		     bool lost)
{
	const struct kvm_event *event = &line->event;
	struct text_thread *thread;

	/* Thread 0 is any that perf could not name. */
	if (!event->tid || line->head.tgid)
		return 0;
	thread = get(threads, (uint64_t)instance << 32 | event->tid);
	if (!thread)
		return -ENOMEM;

	/* Parts of a text may be in no order of time. */
	if (lost || event->ts < thread->ts)
		thread->vcpu_id = KVM_EVENT_NO_VCPU;
	threads->conflicts += is_conflict(thread, line);

	if (event->vcpu_id != KVM_EVENT_NO_VCPU) {
		thread->vcpu_id = event->vcpu_id;
		thread->cpu = event->cpu;
		thread->ts = event->ts;
		thread->in_guest = event->kind == KVM_EVENT_ENTRY;
	} else if (event->cpu == thread->cpu) {
		thread->in_guest = false;
	}
	return 0;
}

bool text_threads_are_processes(const struct text_threads *threads)
{
	return threads->conflicts >= CONFLICTS_MIN;
}

void text_threads_free(struct text_threads *threads)
{
	free(threads->thread);
	hash_free(&threads->hash);
	*threads = (struct text_threads){.conflicts = threads->conflicts};
}
