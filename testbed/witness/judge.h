/* SPDX-License-Identifier: GPL-2.0-only */
/* judge.h - compares one recording with the exits that the CPU itself has made */
#ifndef TESTBED_WITNESS_JUDGE_H
#define TESTBED_WITNESS_JUDGE_H

#include "testbed/witness/events.h"
#include "testbed/witness/recording.h"
#include "testbed/witness/verdict.h"

/*
 * struct judgement - one comparison
 *
 * @scope:	only exits in this time can belong to the recording
 * @may_have_others: VMs that are not recorded may run while it records
 * @record_of:	of each exit: the index of its record, or EVENTS_NONE
 * @vcpu_of:	of each exit: the index of the vCPU that it belongs to, or EVENTS_NONE
 * @is_counted:	of each exit: it belongs to a vCPU that has no record, and the counts have it
 */
struct judgement {
	struct events *events;
	struct recording *recording;
	struct window scope;
	bool may_have_others;

	uint32_t *record_of;
	uint32_t *vcpu_of;
	bool *is_counted;
	struct verdict verdict;
};

/* Compares. Returns 0 with any verdict, or -ENOMEM; both need judge_free(). */
int judge(struct judgement *judgement);
void judge_free(struct judgement *judgement);

/* fields.c: compares what the record says of the exit with what the CPU says. */
void judge_fields(struct judgement *judgement, const struct record *record);

/* owners.c: finds the vCPU of each exit. Returns 0 or -ENOMEM. */
int judge_owners(struct judgement *judgement);

/* walk.c: goes along each vCPU's exits: order, gaps, ends, distances. Returns 0 or -ENOMEM. */
int judge_walk(struct judgement *judgement);

/* "vCPU 1 seq 5 tsc 123", for verdict_add(). */
#define RECORD_FORMAT "vcpu %lld seq %llu tsc %llu"
#define RECORD_VALUES(j, r)                                                                        \
	(long long)(j)->recording->vcpus[(r)->vcpu].id, (unsigned long long)(r)->seq,              \
		(unsigned long long)(r)->tsc
#define EXIT_FORMAT "exit on CPU %u, tsc %llu, vm %#llx, reason %#x, RIP %#llx"
#define EXIT_VALUES(e)                                                                             \
	(e)->cpu, (unsigned long long)(e)->exit_tsc, (unsigned long long)(e)->vm, (e)->reason,     \
		(unsigned long long)(e)->rip

#endif
