// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - gives each record its exit and compares the two
 *
 * HOW IT WORKS. On each CPU entries and exits alternate. KVM stamps the TSC after the exit and
 * stays on that CPU until it has, so a record belongs to the last exit of its CPU before its
 * stamp, and no guest may have been entered in between:
 *
 *	CPU 0    entry ═══════ exit A ──────────── entry ═══════ exit B ─────
 *	record                    ▲ tsc ··· cycles ▲                ▲ tsc
 *	                          └ 52 instructions                 └ of B
 *
 * Each record names its exit in this way, without a count or an order that one fault would
 * shift. What vCPU an exit without a record belongs to follows from its VMCS or VMCB (owners.c);
 * then each vCPU's exits are compared with its records one after the other (walk.c).
 */
#include "testbed/witness/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/uapi/kvm_exit_ring.h"

static void match_record(struct judgement *judgement, uint32_t index)
{
	struct record *record = &judgement->recording->records[index];
	const struct events *events = judgement->events;
	struct verdict *verdict = &judgement->verdict;
	uint32_t position;

	if (record->flags & KVM_EXIT_REC_SYNTH) {
		verdict->synthesized++;
		judgement->recording->vcpus[record->vcpu].synthesized++;
		return;
	}

	position = events_find(events, record->pcpu, record->tsc);
	if (position == EVENTS_NONE) {
		verdict_add(verdict, FAULT_NO_EXIT, RECORD_FORMAT " CPU %u reason %#x",
			    RECORD_VALUES(judgement, record), record->pcpu, record->reason);
		return;
	}
	if (judgement->record_of[position] != EVENTS_NONE) {
		verdict_add(verdict, FAULT_TWO_RECORDS, RECORD_FORMAT " of the " EXIT_FORMAT,
			    RECORD_VALUES(judgement, record),
			    EXIT_VALUES(&events->exits[position]));
		return;
	}

	judgement->record_of[position] = index;
	judgement->vcpu_of[position] = record->vcpu;
	record->position = position;
	verdict->matched++;
	verdict->nested += record->flags & KVM_EXIT_REC_NESTED ? 1 : 0;
	verdict_add_after_exit(verdict, record->reason,
			       record->tsc - events->exits[position].exit_tsc);
	judge_fields(judgement, record);
}

/* The witness must be whole before it can be believed. */
static void check_witness(struct judgement *judgement)
{
	const struct events *events = judgement->events;
	struct verdict *verdict = &judgement->verdict;

	if (events->file->unpaired)
		verdict_add(verdict, FAULT_UNPAIRED, "%llu of them",
			    (unsigned long long)events->file->unpaired);
	if (events->file->lost)
		verdict_add(verdict, FAULT_LOST, "%llu of them",
			    (unsigned long long)events->file->lost);
	if (events->backwards)
		verdict_add(verdict, FAULT_BACKWARDS, "%llu of them",
			    (unsigned long long)events->backwards);
}

static void check_rows(struct judgement *judgement)
{
	const struct recording *recording = judgement->recording;

	for (uint32_t i = 0; i < recording->vcpu_count; i++) {
		const struct vcpu *vcpu = &recording->vcpus[i];

		if (recording->is_complete && vcpu->recorded != vcpu->record_count)
			verdict_add(&judgement->verdict, FAULT_ROWS,
				    "vcpu %lld: %u rows, %llu recorded", (long long)vcpu->id,
				    vcpu->record_count, (unsigned long long)vcpu->recorded);
	}
}

/* A record's stamp is in its recording's time, or the record has no exit. */
static void limit_events(struct judgement *judgement)
{
	struct window window = judgement->recording->window;

	if (window.begin < judgement->scope.begin)
		window.begin = judgement->scope.begin;
	if (window.end > judgement->scope.end)
		window.end = judgement->scope.end;
	events_limit(judgement->events, window);
}

int judge(struct judgement *judgement)
{
	const size_t bytes = (judgement->events->count + 1UL) * sizeof(uint32_t);

	judgement->record_of = malloc(bytes);
	judgement->vcpu_of = malloc(bytes);
	judgement->is_counted = calloc(judgement->events->count + 1UL, sizeof(bool));
	if (!judgement->record_of || !judgement->vcpu_of || !judgement->is_counted)
		return -ENOMEM;
	memset(judgement->record_of, 0xff, bytes); /* EVENTS_NONE */
	memset(judgement->vcpu_of, 0xff, bytes);

	limit_events(judgement);
	check_witness(judgement);
	check_rows(judgement);
	judgement->verdict.records = judgement->recording->record_count;
	for (uint32_t i = 0; i < judgement->recording->record_count; i++)
		match_record(judgement, i);

	if (judge_owners(judgement))
		return -ENOMEM;
	return judge_walk(judgement);
}

void judge_free(struct judgement *judgement)
{
	free(judgement->record_of);
	free(judgement->vcpu_of);
	free(judgement->is_counted);
	judgement->record_of = NULL;
	judgement->vcpu_of = NULL;
	judgement->is_counted = NULL;
}
