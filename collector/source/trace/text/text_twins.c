// SPDX-License-Identifier: GPL-2.0-only
/* text_twins.c - finds out which events perf wrote twice; see text_twins.h */
#include "collector/source/trace/text/text_twins.h"

/* To write an event takes less; from one exit to the next one takes more. */
#define APART_NS UINT64_C(1000)

/* Fewer pairs show nothing. Of as many, one may stand alone. */
#define PAIRS_MIN  3
#define PAIRS_EACH 50

static bool is_same(const struct kvm_event *event, const struct kvm_event *last, uint64_t apart_ns)
{
	return apart_ns <= APART_NS && last->kind == event->kind && last->tid == event->tid &&
	       last->vcpu_id == event->vcpu_id && last->reason == event->reason &&
	       last->guest_rip == event->guest_rip && last->info1 == event->info1 &&
	       last->info2 == event->info2 && last->intr_info == event->intr_info &&
	       last->error_code == event->error_code;
}

/* The run has ended. */
static void end_run(struct text_twins *twins, struct text_run *run)
{
	if (run->length % 2 && !run->excused)
		twins->against[run->last.kind]++;
	run->length = 0;
	run->excused = false;
}

bool text_twins_see(struct text_twins *twins, struct text_run *run, const struct kvm_event *event)
{
	const struct kvm_event *last = &run->last;
	uint64_t apart_ns = event->ts > last->ts ? event->ts - last->ts : last->ts - event->ts;
	bool is_second;

	if (run->length && !is_same(event, last, apart_ns))
		end_run(twins, run);
	is_second = run->length % 2;

	if (is_second) {
		twins->pairs[event->kind]++;
		run->apart_ns = apart_ns;
	} else if (run->length) {
		twins->against[event->kind] += apart_ns < 2 * run->apart_ns;
	}
	twins->events[event->kind]++;
	run->length++;
	run->last = *event;
	return is_second;
}

void text_twins_break(struct text_twins *twins, struct text_run *run, bool lost)
{
	run->excused |= lost;
	if (run->length)
		end_run(twins, run);
	run->excused = lost;
}

void text_twins_decide(struct text_twins *twins)
{
	for (int kind = 0; kind < TEXT_TWINS_KINDS; kind++)
		twins->twice[kind] = twins->pairs[kind] >= PAIRS_MIN &&
				     twins->against[kind] <= twins->pairs[kind] / PAIRS_EACH &&
				     twins->events[KVM_EVENT_ENTRY];
}

uint64_t text_twins_doubtful(const struct text_twins *twins)
{
	uint64_t pairs = twins->pairs[KVM_EVENT_EXIT];

	if (twins->twice[KVM_EVENT_EXIT] || pairs < PAIRS_MIN)
		return 0;
	return pairs >= twins->against[KVM_EVENT_EXIT] / 4 ? pairs : 0;
}
