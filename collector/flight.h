/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flight.h - a flight recorder: chooses the exits around events
 *
 * HOW IT WORKS. Each vCPU has a history of its last exits, as many as --before says. An event
 * (an exit that meets a trigger) releases the histories of all vCPUs of its VM, and opens their
 * windows: from then on their exits are kept until --after of them came after the event. An exit
 * that falls out of the history is not kept.
 *
 *	exits of the vCPU	. . . . h h h h E a a a . . .	--before 4 --after 3
 *				left out| kept        |left out
 *
 * Of the vCPU with the event these numbers are exact. Rings are read one after the other: of the
 * VM's other vCPUs the exits that have come so far count as "before", those with a later TSC as
 * "after", so that they are at least --after exits that took place after the event.
 */
#ifndef EXITSCOPE_COLLECTOR_FLIGHT_H
#define EXITSCOPE_COLLECTOR_FLIGHT_H

#include <stddef.h>

#include "collector/trigger.h"
#include "sql/store/store.h"

#define FLIGHT_AROUND_MOST 1000000U /* of before and after */

/*
 * struct flight_options - what to keep
 * @trigger: @count of them; an exit that meets one is an event
 * @before, @after: exits of a vCPU before and after an event
 */
struct flight_options {
	struct trigger trigger[TRIGGERS];
	int count;
	uint32_t before;
	uint32_t after;
};

struct flight;

/* Takes exits that are kept, in the order of their seq. Returns 0 or an error. */
typedef int (*flight_keep)(void *context, int vcpu, const struct kvm_exit_record *records,
			   size_t count);

/**
 * flight_new - make a flight recorder
 * @options: copied, except the texts of its triggers
 * @info: isa, tsc_khz and split of the recording
 * @keep, @context: where exits go that are kept
 *
 * Return: 0, -ENOMEM, or -EINVAL with words in @fault (trigger_bind()).
 */
int flight_new(const struct flight_options *options, const struct store_run *info, flight_keep keep,
	       void *context, struct flight **flight, struct fault *fault);

/*
 * Makes vCPU @vcpu of VM @vm_id known; numbers count from 0 on. Return: 0, -ENOMEM, or -EINVAL: it
 * is not the next number.
 */
int flight_add_vcpu(struct flight *flight, int vcpu, uint64_t vm_id);

/*
 * Takes records of a vCPU, in the order of their seq. Return: 0, -ENOMEM, -EINVAL (no such vCPU)
 * or what @keep returned.
 */
int flight_take(struct flight *flight, int vcpu, const struct kvm_exit_record *records,
		size_t count);

/* The vCPU has no more exits: its history is left out. */
void flight_end_vcpu(struct flight *flight, int vcpu);

/* What became of the exits so far: all of them, those that were kept, events. */
struct flight_counts {
	uint64_t exits;
	uint64_t kept;
	uint64_t events;
};

void flight_get_counts(const struct flight *flight, struct flight_counts *counts);

/* The same of one vCPU. */
void flight_get_vcpu_counts(const struct flight *flight, int vcpu, struct flight_counts *counts);

/* Events by trigger @index; of several that an exit meets, the first counts. */
uint64_t flight_events_of(const struct flight *flight, int index);

void flight_free(struct flight *flight);

#endif
