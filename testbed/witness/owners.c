// SPDX-License-Identifier: GPL-2.0-only
/*
 * owners.c - which vCPU an exit belongs to that has no record
 *
 * A VMCS or VMCB belongs to one vCPU, until the VM is gone and its pages are used again. So each
 * run of exits without a record is, on its VMCS, between two exits that have one:
 *
 *	A  ?  ?  A	of A: dropped or filtered there
 *	A  ?  ?  B	the end of A (dropped, open), then the beginning of B (unread, dropped)
 *
 * In the second case, and at both ends of a VMCS's exits, A and B get no more than their counts
 * leave, each from its own side. What remains belongs to a VM that was not recorded, or to A
 * after its recording if it lives on.
 */
#include "testbed/witness/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/uapi/kvm_exit_ring.h"

/* A run of exits without a record, by its places in the sorted list. */
struct doubt {
	uint32_t first;
	uint32_t count;
	uint32_t before; /* vCPU of the exit before it on the VMCS, or EVENTS_NONE */
	uint32_t after;
	bool is_denied; /* the record before says that its vCPU was not entered again */
};

struct owners {
	struct judgement *judgement;

	/* Positions of the exits in question, by VMCS or VMCB, then by time. */
	uint32_t *sorted;
	uint32_t count;

	struct doubt *doubts;
	uint32_t doubt_count;

	/* Of each vCPU: the VMCS, by its number, on which another vCPU followed it. */
	uint32_t *left_vm;
	uint64_t *plain_vm; /* address of the VMCS of its exits that are not nested; 0: unknown */

	uint64_t unknown; /* exits in the recording's time that no vCPU could be found for */
	uint32_t first_unknown;
};

static const struct witness_exit *exit_at(const struct owners *owners, uint32_t place)
{
	return &owners->judgement->events->exits[owners->sorted[place]];
}

static int compare_places(const void *left, const void *right, void *context)
{
	const struct events *events = context;
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;
	uint64_t vm_a = events->exits[a].vm;
	uint64_t vm_b = events->exits[b].vm;

	if (vm_a != vm_b)
		return vm_a < vm_b ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int sort_exits(struct owners *owners)
{
	const struct judgement *judgement = owners->judgement;
	const struct events *events = judgement->events;
	uint64_t end = judgement->scope.end;

	if (judgement->recording->window.end < end)
		end = judgement->recording->window.end;

	owners->sorted = malloc((events->count + 1UL) * sizeof(*owners->sorted));
	owners->doubts = malloc((events->count + 1UL) * sizeof(*owners->doubts));
	owners->left_vm = calloc(judgement->recording->vcpu_count + 1UL, sizeof(*owners->left_vm));
	owners->plain_vm =
		calloc(judgement->recording->vcpu_count + 1UL, sizeof(*owners->plain_vm));
	if (!owners->sorted || !owners->doubts || !owners->left_vm || !owners->plain_vm)
		return -ENOMEM;

	for (uint32_t i = 0; i < events->count; i++) {
		uint64_t tsc = events->exits[i].exit_tsc;

		if (judgement->record_of[i] != EVENTS_NONE ||
		    (tsc >= judgement->scope.begin && tsc <= end))
			owners->sorted[owners->count++] = i;
	}
	qsort_r(owners->sorted, owners->count, sizeof(*owners->sorted), compare_places,
		(void *)events);
	return 0;
}

static void give(struct owners *owners, uint32_t place, uint32_t vcpu)
{
	owners->judgement->vcpu_of[owners->sorted[place]] = vcpu;
	owners->judgement->recording->vcpus[vcpu].unmatched++;
}

/* A record's vCPU and level fit those of the VMCS's exits before it. */
static void check_neighbours(struct owners *owners, uint32_t place, uint32_t before, uint32_t vm)
{
	struct judgement *judgement = owners->judgement;
	const struct record *records = judgement->recording->records;
	const struct record *record = &records[judgement->record_of[owners->sorted[place]]];
	bool is_nested = record->flags & KVM_EXIT_REC_NESTED;
	uint64_t *plain_vm = &owners->plain_vm[record->vcpu];
	uint64_t address = exit_at(owners, place)->vm;

	if (owners->left_vm[record->vcpu] == vm)
		verdict_add(&judgement->verdict, FAULT_VCPU, RECORD_FORMAT,
			    RECORD_VALUES(judgement, record));
	else if (!is_nested && *plain_vm && *plain_vm != address)
		verdict_add(&judgement->verdict, FAULT_VCPU, RECORD_FORMAT " vm %#llx and %#llx",
			    RECORD_VALUES(judgement, record), (unsigned long long)*plain_vm,
			    (unsigned long long)address);
	if (!is_nested)
		*plain_vm = address;

	if (before == EVENTS_NONE)
		return;
	if (records[before].vcpu != record->vcpu)
		owners->left_vm[records[before].vcpu] = vm;
	else if (!(records[before].flags & KVM_EXIT_REC_NESTED) != !is_nested)
		verdict_add(&judgement->verdict, FAULT_NESTED, RECORD_FORMAT,
			    RECORD_VALUES(judgement, record));
}

/* @last: the record before the run, or EVENTS_NONE; @after: vCPU of the one after it. */
static void end_run(struct owners *owners, uint32_t first, uint32_t end, uint32_t last,
		    uint32_t after)
{
	const struct record *records = owners->judgement->recording->records;
	uint32_t before = last == EVENTS_NONE ? EVENTS_NONE : records[last].vcpu;

	if (first == end)
		return;

	if (before == after && before != EVENTS_NONE) {
		for (uint32_t place = first; place < end; place++)
			give(owners, place, before);
		return;
	}
	owners->doubts[owners->doubt_count++] = (struct doubt){
		.first = first,
		.count = end - first,
		.before = before,
		.after = after,
		.is_denied = last != EVENTS_NONE && records[last].flags & KVM_EXIT_REC_NO_REENTRY,
	};
}

/* Goes along the exits of one VMCS, from @place on. Returns the place of the next VMCS. */
static uint32_t go_along_vm(struct owners *owners, uint32_t place, uint32_t vm)
{
	const struct judgement *judgement = owners->judgement;
	const struct record *records = judgement->recording->records;
	uint64_t address = exit_at(owners, place)->vm;
	uint32_t before = EVENTS_NONE; /* the last record */
	uint32_t first = place;	       /* of the exits without a record since then */

	for (; place < owners->count && exit_at(owners, place)->vm == address; place++) {
		uint32_t index = judgement->record_of[owners->sorted[place]];

		if (index == EVENTS_NONE)
			continue;

		end_run(owners, first, place, before, records[index].vcpu);
		check_neighbours(owners, place, before, vm);
		before = index;
		first = place + 1;
	}
	end_run(owners, first, place, before, EVENTS_NONE);
	return place;
}

/* The exits that @vcpu's counts still leave. */
static uint64_t room_of(const struct owners *owners, uint32_t vcpu)
{
	const struct vcpu *v = &owners->judgement->recording->vcpus[vcpu];

	return v->without_record > v->unmatched ? v->without_record - v->unmatched : 0;
}

/*
 * What follows a vCPU's last record is its own before anything else: the exit that is open at the
 * end. BPF has no number of the exits before the first record of a vCPU that ran already.
 */
static void give_to_before(struct owners *owners, struct doubt *doubt)
{
	while (doubt->count && doubt->before != EVENTS_NONE && room_of(owners, doubt->before)) {
		give(owners, doubt->first++, doubt->before);
		doubt->count--;
	}
}

static void give_to_after(struct owners *owners, struct doubt *doubt)
{
	while (doubt->count && doubt->after != EVENTS_NONE && room_of(owners, doubt->after))
		give(owners, doubt->first + --doubt->count, doubt->after);
}

static void end_doubt(struct owners *owners, struct doubt doubt)
{
	struct judgement *judgement = owners->judgement;
	struct vcpu *vcpus = judgement->recording->vcpus;

	/* Nothing says when the recording of a vCPU that lives on has ended. */
	if (doubt.before != EVENTS_NONE && !vcpus[doubt.before].is_ended) {
		vcpus[doubt.before].after += doubt.count;
		judgement->verdict.after += doubt.count;
		return;
	}

	for (uint32_t i = 0; i < doubt.count; i++) {
		uint64_t tsc = exit_at(owners, doubt.first + i)->exit_tsc;

		if (tsc < judgement->recording->window.begin ||
		    tsc > judgement->recording->window.end)
			continue;
		if (!owners->unknown++)
			owners->first_unknown = owners->sorted[doubt.first + i];
		judgement->is_counted[owners->sorted[doubt.first + i]] = true;
	}
}

/* An exit of a vCPU without any record can't be assigned to one: only their sum is checked. */
static void check_unknown(struct owners *owners)
{
	struct judgement *judgement = owners->judgement;
	uint64_t counted = judgement->recording->lost;

	for (uint32_t i = 0; i < judgement->recording->vcpu_count; i++) {
		if (!owners->plain_vm[i] && !judgement->recording->vcpus[i].unmatched)
			counted += judgement->recording->vcpus[i].without_record;
	}
	if (owners->unknown <= counted) {
		judgement->verdict.unmatched += owners->unknown;
		return;
	}
	memset(judgement->is_counted, 0, judgement->events->count * sizeof(bool));
	if (judgement->may_have_others || !judgement->recording->is_complete)
		return;

	verdict_add(&judgement->verdict, FAULT_UNKNOWN_VM, EXIT_FORMAT,
		    EXIT_VALUES(&judgement->events->exits[owners->first_unknown]));
	judgement->verdict.findings[FAULT_UNKNOWN_VM].count = owners->unknown - counted;
}

/* A vCPU that was not entered again has no exit after its last record, unless its counts say so. */
static void share_doubts(struct owners *owners)
{
	for (uint32_t i = 0; i < owners->doubt_count; i++) {
		if (!owners->doubts[i].is_denied)
			give_to_before(owners, &owners->doubts[i]);
	}
	for (uint32_t i = 0; i < owners->doubt_count; i++)
		give_to_after(owners, &owners->doubts[i]);
	for (uint32_t i = 0; i < owners->doubt_count; i++) {
		if (owners->doubts[i].is_denied)
			give_to_before(owners, &owners->doubts[i]);
		end_doubt(owners, owners->doubts[i]);
	}
	check_unknown(owners);
}

int judge_owners(struct judgement *judgement)
{
	struct owners owners = {.judgement = judgement};
	int rc = sort_exits(&owners);
	uint32_t vm = 0;

	for (uint32_t place = 0; !rc && place < owners.count;)
		place = go_along_vm(&owners, place, ++vm);
	if (!rc)
		share_doubts(&owners);

	free(owners.sorted);
	free(owners.doubts);
	free(owners.left_vm);
	free(owners.plain_vm);
	return rc;
}
