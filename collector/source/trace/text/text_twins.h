/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_twins.h - events that perf printed twice, as they were opened twice
 *
 * HOW IT WORKS
 * With -e kvm:kvm_exit -e 'kvm:*' each kvm_exit is written twice, one right after the other, some
 * 100 ns apart. A text does not say so, and two fast exits may be alike (fastpath of older
 * kernels has no kvm_entry between them). But what was opened twice is there twice each time, and
 * two exits need more time than writing an event:
 *
 *	exit exit  entry  exit exit  entry		  opened twice
 *	exit exit  entry  exit       entry		  not: some stand alone
 *	exit  exit  exit  exit  entry			  not: as far apart as any two are
 *
 * So the whole text decides, for each kind of event. Only perf opens an event twice.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_TWINS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_TWINS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"

#define TEXT_TWINS_KINDS (KVM_EVENT_ENTRY + 1)

/*
 * The run of equal events that a CPU is in. All 0: of no event
 * @last, @length: the last event of it, and how many it has
 * @apart_ns: the two events of its last pair
 * @excused: its first event may have lost its twin
 */
struct text_run {
	struct kvm_event last;
	uint64_t length;
	uint64_t apart_ns;
	bool excused;
};

/*
 * Of kvm_exit and of kvm_entry. All 0: of no text
 * @events: of them; @pairs: two that are the same; @against: that stand alone, or are as far from
 *	the next pair as from each other
 * @twice: the text has each of them twice
 */
struct text_twins {
	uint64_t events[TEXT_TWINS_KINDS];
	uint64_t pairs[TEXT_TWINS_KINDS];
	uint64_t against[TEXT_TWINS_KINDS];
	bool twice[TEXT_TWINS_KINDS];
};

/* The CPU's next kvm_exit or kvm_entry of perf. Whether it is the second one of a pair. */
bool text_twins_see(struct text_twins *twins, struct text_run *run, const struct kvm_event *event);

/* Something else was printed of the CPU. @lost: events of it were lost */
void text_twins_break(struct text_twins *twins, struct text_run *run, bool lost);

/* After the whole text was seen. */
void text_twins_decide(struct text_twins *twins);

/* How many kvm_exit are pairs, where it is neither all of them nor a few; else 0. */
uint64_t text_twins_doubtful(const struct text_twins *twins);

#endif
