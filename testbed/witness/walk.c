// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - along each vCPU's exits: the order of its records, gaps, ends, distances, counts
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm/uapi/kvm_exit_ring.h"
#include "testbed/witness/judge.h"

/*
 * Where a cycle is an instruction, the way from the CPU's exit to the stamp is always the same
 * code, and the way from the last stamp to the entry nearly so (it may load a register or not).
 * Bochs runs several CPUs in turns of 5 instructions, and brings the TSC forward after each;
 * Bochs 3.0 runs as many as the file says (late) before it does.
 *
 * BPF programs stamp at KVM's tracepoints, on the way to which KVM does more for some exits than
 * for others. What they do themselves comes on top.
 */
#define STAMP_FARTHEST	   64U /* instructions */
#define STAMP_ENTRY_VARIES 8U
#define STAMP_TURNS	   10U /* more with several CPUs */
#define STAMP_BPF_FARTHEST 2000U

/* One vCPU's exits, as they are gone along. */
struct walk {
	struct judgement *judgement;
	const struct vcpu *vcpu;

	uint32_t last;	     /* index of the last record that has its exit, or EVENTS_NONE */
	uint64_t since;	     /* exits without a record since then */
	bool is_last_closed; /* the exit after the last record's has come */
};

static int compare_owned(const void *left, const void *right, void *context)
{
	const uint32_t *vcpu_of = context;
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	if (vcpu_of[a] != vcpu_of[b])
		return vcpu_of[a] < vcpu_of[b] ? -1 : 1;
	return a < b ? -1 : a > b;
}

static const struct record *record_at(const struct walk *walk, uint32_t index)
{
	return &walk->judgement->recording->records[index];
}

/* The record that follows in seq if it was made up by KVM; it begins where this one ends. */
static const struct record *synthesized_after(const struct walk *walk, uint32_t index)
{
	const struct record *record = record_at(walk, index);
	const struct record *next = record + 1;
	const struct vcpu *vcpu = walk->vcpu;

	if (index + 1 < vcpu->first_record + vcpu->record_count && next->seq == record->seq + 1 &&
	    next->flags & KVM_EXIT_REC_SYNTH)
		return next;
	return NULL;
}

/*
 * On a single CPU nobody else can run while a guest does: a vCPU thread had neither its own
 * handler nor its VMM at work while other guests ran. The rest of the parts the CPU can't know.
 */
static void check_handler_time(struct walk *walk, const struct record *record, uint32_t position)
{
	const struct events *events = walk->judgement->events;
	uint64_t others =
		events->guest_cycles[position] - events->guest_cycles[record->position + 1];

	if (events->file->cpus == 1 && others > record->not_handler_cycles)
		verdict_add(&walk->judgement->verdict, FAULT_HANDLER,
			    RECORD_FORMAT ": %llu cycles of other guests, %llu not in the handler",
			    RECORD_VALUES(walk->judgement, record), (unsigned long long)others,
			    (unsigned long long)record->not_handler_cycles);
}

/* The last record ends before the vCPU's next stay in guest mode begins, at @position. */
static void check_end(struct walk *walk, uint32_t position)
{
	struct verdict *verdict = &walk->judgement->verdict;
	const struct record *record = record_at(walk, walk->last);
	const struct record *synthesized = synthesized_after(walk, walk->last);
	uint64_t start = events_start(&walk->judgement->events->exits[position]);
	uint64_t end = record->tsc + record->cycles;

	walk->is_last_closed = true;
	if (record->flags & KVM_EXIT_REC_TSC_BACK)
		return;
	if (record->flags & KVM_EXIT_REC_NO_REENTRY) {
		verdict_add(verdict, FAULT_NO_ENTRY, RECORD_FORMAT ": entered at %llu",
			    RECORD_VALUES(walk->judgement, record), (unsigned long long)start);
		return;
	}

	if (synthesized ? end != synthesized->tsc : end > start) {
		verdict_add(verdict, FAULT_END, RECORD_FORMAT ": ends at %llu, entry at %llu",
			    RECORD_VALUES(walk->judgement, record), (unsigned long long)end,
			    (unsigned long long)start);
		return;
	}
	if (synthesized)
		return;
	verdict_add_before_entry(verdict, record->reason, start - end);
	check_handler_time(walk, record, position);
}

/* @index: of the next record that has its exit. */
static void check_order(struct walk *walk, uint32_t index)
{
	struct verdict *verdict = &walk->judgement->verdict;
	const struct record *record = record_at(walk, index);
	const struct record *last;
	uint64_t lost;
	bool fits;

	if (walk->last == EVENTS_NONE)
		return;
	last = record_at(walk, walk->last);
	if (index < walk->last) {
		verdict_add(verdict, FAULT_ORDER, RECORD_FORMAT ", after seq %llu",
			    RECORD_VALUES(walk->judgement, record), (unsigned long long)last->seq);
		return;
	}

	/* Numbers that no row has: dropped. A dropped one may have been made up by KVM, and what a
	 * filter leaves out has no number.
	 */
	lost = record->seq - last->seq - (index - walk->last);
	fits = walk->since == lost;
	if (walk->vcpu->synthesized && walk->since < lost)
		fits = true;
	if (walk->vcpu->has_filtered && walk->since > lost)
		fits = true;
	if (!fits)
		verdict_add(verdict, FAULT_MISSING,
			    RECORD_FORMAT ": %llu exits since seq %llu, %llu lost",
			    RECORD_VALUES(walk->judgement, record), (unsigned long long)walk->since,
			    (unsigned long long)last->seq, (unsigned long long)lost);
}

static void step(struct walk *walk, uint32_t position)
{
	uint32_t index = walk->judgement->record_of[position];

	if (walk->last != EVENTS_NONE && !walk->is_last_closed)
		check_end(walk, position);
	if (index == EVENTS_NONE) {
		walk->since++;
		return;
	}

	check_order(walk, index);
	walk->last = index;
	walk->since = 0;
	walk->is_last_closed = false;
}

static void finish(struct walk *walk)
{
	struct judgement *judgement = walk->judgement;
	const struct vcpu *vcpu = walk->vcpu;
	const struct record *last;

	if (walk->last == EVENTS_NONE)
		return;

	/* Of a run that was cut off, the exits after the last record are not the recording's. */
	last = record_at(walk, walk->last);
	if (judgement->recording->is_complete && !walk->is_last_closed &&
	    !synthesized_after(walk, walk->last) &&
	    !(last->flags & (KVM_EXIT_REC_NO_REENTRY | KVM_EXIT_REC_TSC_BACK)))
		verdict_add(&judgement->verdict, FAULT_NO_ENTRY, RECORD_FORMAT,
			    RECORD_VALUES(judgement, last));

	judgement->verdict.unmatched += vcpu->unmatched;
	if (!judgement->recording->is_complete)
		return;
	if (vcpu->unmatched > vcpu->without_record ||
	    (vcpu->unmatched < vcpu->without_record && !vcpu->synthesized))
		verdict_add(&judgement->verdict, FAULT_COUNT,
			    "vcpu %lld: %llu exits without a record, %llu counted",
			    (long long)vcpu->id, (unsigned long long)vcpu->unmatched,
			    (unsigned long long)vcpu->without_record);
}

static void check_distance(struct judgement *judgement, enum fault fault,
			   const struct spread *spread, uint64_t may_vary)
{
	const struct witness_file *file = judgement->events->file;
	uint64_t late = file->late + (file->cpus > 1 ? STAMP_TURNS : 0);
	uint64_t farthest = STAMP_FARTHEST;

	if (!file->exact || !spread->count)
		return;
	if (judgement->recording->is_by_bpf) {
		farthest = STAMP_BPF_FARTHEST;
		may_vary = STAMP_BPF_FARTHEST;
	}
	if (spread->max > farthest + late || spread->max - spread->min > may_vary + late)
		verdict_add(&judgement->verdict, fault, "%llu to %llu instructions, of %llu",
			    (unsigned long long)spread->min, (unsigned long long)spread->max,
			    (unsigned long long)spread->count);
}

int judge_walk(struct judgement *judgement)
{
	const uint32_t count = judgement->events->count;
	uint32_t *owned = malloc((count + 1UL) * sizeof(*owned));
	uint32_t owned_count = 0;

	if (!owned)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		if (judgement->vcpu_of[i] != EVENTS_NONE)
			owned[owned_count++] = i;
	}
	qsort_r(owned, owned_count, sizeof(*owned), compare_owned, judgement->vcpu_of);

	for (uint32_t i = 0; i < owned_count;) {
		uint32_t vcpu = judgement->vcpu_of[owned[i]];
		struct walk walk = {
			.judgement = judgement,
			.vcpu = &judgement->recording->vcpus[vcpu],
			.last = EVENTS_NONE,
		};

		for (; i < owned_count && judgement->vcpu_of[owned[i]] == vcpu; i++)
			step(&walk, owned[i]);
		finish(&walk);
	}
	free(owned);

	check_distance(judgement, FAULT_AFTER_EXIT, &judgement->verdict.after_exit, 0);
	check_distance(judgement, FAULT_BEFORE_ENTRY, &judgement->verdict.before_entry,
		       STAMP_ENTRY_VARIES);
	return 0;
}
