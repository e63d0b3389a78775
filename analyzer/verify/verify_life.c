// SPDX-License-Identifier: GPL-2.0-only
/* verify_life.c - walks the automaton of an exit's life with the events of each record; see
 * verify_life.h */
#include "analyzer/verify/verify_life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/verify/exit_life.h"
#include "analyzer/verify/queries.h"
#include "base/array.h"
#include "base/wrap.h"
#include "kvm/uapi/kvm_exit_ring.h"

/* In place of a state: it is not known. */
#define UNKNOWN (state_max_exit_life + 1)

#define PART_FLAGS                                                                                 \
	(KVM_EXIT_REC_USER | KVM_EXIT_REC_HALTED | KVM_EXIT_REC_PREEMPTED | KVM_EXIT_REC_POLLED)

/*
 * The flags that imply events, as an index: the low byte of flags, with POLLED in the place of
 * NESTED. See index_of().
 */
#define INDEXES	     256
#define INDEX_POLLED 0x02U

/* Exit reasons of VM entries that failed: bit 31 is set for these alone (SDM vol. 3, 28.8). */
#define VMX_INVALID_STATE 33
#define VMX_MSR_LOADING	  34
#define VMX_MACHINE_CHECK 41

/* What is wrong with a record. */
enum fault_kind {
	FAULT_NONE,
	FAULT_TRANSITION, /* the automaton has no such one */
	FAULT_ORDER,	  /* seq is not above the one before; @number: that one */
	FAULT_EARLY,	  /* @number: cycles before the end of the exit before */
	FAULT_APART,	  /* synthesized, and @number cycles after that end, not at it */
	FAULT_UNFLAGGED,  /* @number cycles in a state, without its flag */
	FAULT_NO_TIME,	  /* the flag of a state, without time in it */
	FAULT_ZERO,	  /* no time at all, without TSC_BACK */
	FAULT_TSC_BACK,	  /* TSC_BACK with @number cycles */
	FAULT_FLAGGED,	  /* the basic reason @number with bit 31 */
	FAULT_REASON,	  /* the basic reason @number without bit 31 */
	FAULT_END,	  /* the vCPU was destroyed, and the last record does not have it */
};

/* @event in @state is what is wrong; @state: UNKNOWN is possible. */
struct fault {
	enum fault_kind kind;
	unsigned int state;
	unsigned int event;
	int64_t seq;
	int64_t number;
};

/*
 * struct vcpu_life - one vCPU
 * @of_ring, @consecutive, @destroyed, @loss_end: see life.sql
 * @has_end: @end is known, the TSC at which the last record ended
 * @state: after the last record, before the VM entry that ended it
 * @seq: of the last record
 * @first: the first fault
 */
struct vcpu_life {
	int64_t vm;
	int64_t vcpu_id;
	bool of_ring;
	bool consecutive;
	bool destroyed;
	int64_t loss_end;

	bool has_end;
	int64_t end;
	unsigned int state;
	int64_t seq;

	int64_t records;
	int64_t faults;
	struct fault first;
};

/* Where the events of one record lead, from its exit on. @fault: FAULT_NONE or FAULT_TRANSITION */
struct body {
	unsigned int state;
	struct fault fault;
};

/* @body: by index_of(), for all records; @vmx: exit reasons are Intel's */
struct life {
	bool vmx;
	struct body body[INDEXES];
	struct vcpu_life *vcpu;
	size_t vcpus;
};

/* One transition; false, and *fault is set, if there is none. */
static bool step(unsigned int *state, unsigned int event, struct fault *fault)
{
	unsigned int next = automaton_exit_life.function[*state][event];

	if (next == INVALID_STATE) {
		*fault = (struct fault){.kind = FAULT_TRANSITION, .state = *state, .event = event};
		return false;
	}
	*state = next;
	return true;
}

static unsigned int index_of(uint32_t flags)
{
	return (flags & (0xffU & ~KVM_EXIT_REC_NESTED)) |
	       (flags & KVM_EXIT_REC_POLLED ? INDEX_POLLED : 0);
}

/*
 * The events after an exit, in an order that the automaton has if any has them: a record says
 * what happened, and how long, not when.
 */
static int list_events(unsigned int index, unsigned int *events)
{
	const unsigned int away = KVM_EXIT_REC_USER | KVM_EXIT_REC_NO_REENTRY |
				  KVM_EXIT_REC_HALTED | KVM_EXIT_REC_PREEMPTED | INDEX_POLLED;
	int n = 0;

	if (index & KVM_EXIT_REC_FASTPATH)
		events[n++] = handle_fast_exit_life;
	if (!(index & KVM_EXIT_REC_FASTPATH) || index & away)
		events[n++] = handle_exit_life;

	if (index & KVM_EXIT_REC_HALTED)
		events[n++] = halt_exit_life;
	if (index & INDEX_POLLED)
		events[n++] = poll_exit_life;
	if (index & (KVM_EXIT_REC_HALTED | INDEX_POLLED))
		events[n++] = wake_exit_life;

	if (index & KVM_EXIT_REC_PREEMPTED) {
		events[n++] = wait_exit_life;
		events[n++] = resume_exit_life;
	}

	if (index & KVM_EXIT_REC_USER)
		events[n++] = run_end_exit_life;
	if (index & KVM_EXIT_REC_NO_REENTRY)
		events[n++] = destroy_exit_life;
	else if (index & KVM_EXIT_REC_USER)
		events[n++] = run_begin_exit_life;
	return n;
}

static struct body walk_body(unsigned int index)
{
	struct body body = {.state = index & KVM_EXIT_REC_SYNTH ? synthesized_exit_life
								: exited_exit_life};
	unsigned int events[event_max_exit_life];
	int n = list_events(index, events);

	for (int i = 0; i < n; i++)
		if (!step(&body.state, events[i], &body.fault)) {
			body.state = UNKNOWN;
			break;
		}
	return body;
}

/* From the last record's state to the exit of @row. */
static void walk_to_exit(unsigned int state, const struct life_row *row, struct fault *fault)
{
	if (row->flags & KVM_EXIT_REC_SYNTH) {
		/* A fastpath that does not enter the guest again goes on in KVM. */
		if (state == fastpath_exit_life)
			step(&state, handle_exit_life, fault);
		step(&state, synthesize_exit_life, fault);
	} else if (step(&state, entry_exit_life, fault)) {
		step(&state, exit_exit_life, fault);
	}
}

static int read_vcpus(struct app *app, struct life *life)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_life))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		struct vcpu_life *more = array_reserve(life->vcpu, life->vcpus, 1, sizeof(*more));

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		life->vcpu = more;
		more[life->vcpus++] = (struct vcpu_life){
			.vm = sqlite3_column_int64(stmt, 0),
			.vcpu_id = sqlite3_column_int64(stmt, 1),
			.of_ring = sqlite3_column_int(stmt, 2),
			.consecutive = sqlite3_column_int(stmt, 3),
			.destroyed = sqlite3_column_int(stmt, 4),
			.loss_end = sqlite3_column_int64(stmt, 5),
			.state = UNKNOWN,
		};
	}
	sqlite3_finalize(stmt);
	return rc;
}

int life_open(struct app *app, struct life **life)
{
	struct life *l = calloc(1, sizeof(*l));

	*life = l;
	if (!l)
		return app_fail(app, "out of memory");

	l->vmx = app->run.isa == KVM_EXIT_ISA_VMX;
	for (unsigned int i = 0; i < INDEXES; i++)
		l->body[i] = walk_body(i);
	return read_vcpus(app, l);
}

/* The flags that @row must have by its times. */
static uint32_t flags_of_parts(const struct life_row *row)
{
	return (row->halted_cycles ? KVM_EXIT_REC_HALTED : 0) |
	       (row->userspace_cycles ? KVM_EXIT_REC_USER : 0) |
	       (row->preempted_cycles ? KVM_EXIT_REC_PREEMPTED : 0) |
	       (row->polled_cycles ? KVM_EXIT_REC_POLLED : 0);
}

static bool has_failed_flag(int64_t reason)
{
	return reason & REASON_FAILED_ENTRY;
}

static bool is_failed_entry(int64_t reason)
{
	int64_t basic = reason_basic(KVM_EXIT_ISA_VMX, reason);

	return basic == VMX_INVALID_STATE || basic == VMX_MSR_LOADING || basic == VMX_MACHINE_CHECK;
}

/* The event that begins @row. */
static unsigned int exit_event(const struct life *life, const struct life_row *row)
{
	if (row->flags & KVM_EXIT_REC_SYNTH)
		return synthesize_exit_life;
	return life->vmx && has_failed_flag(row->reason) ? reject_exit_life : exit_exit_life;
}

/* The exit of @row after the record before it, which the vCPU still has. */
static struct fault check_exit(const struct life *life, const struct vcpu_life *v,
			       const struct life_row *row)
{
	bool synthesized = row->flags & KVM_EXIT_REC_SYNTH;
	bool follows = v->state != UNKNOWN && wrap_subtract(row->seq, 1) == v->seq;
	int64_t since = wrap_subtract(row->tsc, v->end);
	struct fault fault = {
		.state = synthesized ? handled_exit_life : in_guest_exit_life,
		.event = exit_event(life, row),
	};

	if (v->records && row->seq <= v->seq) {
		fault.kind = FAULT_ORDER;
		fault.number = v->seq;
	} else if (v->has_end && (since < 0 || (!since && v->of_ring && !synthesized))) {
		fault.kind = FAULT_EARLY;
		fault.number = wrap_subtract(0, since);
	} else if (v->has_end && since && v->of_ring && synthesized && follows && v->consecutive) {
		fault.kind = FAULT_APART;
		fault.number = since;
	} else if (v->state == gone_exit_life || follows) {
		walk_to_exit(v->state, row, &fault);
	}
	return fault;
}

/* A part whose flag is wrong: @flags has it or doesn't. */
static struct fault explain_part(const struct life_row *row, uint32_t wrong)
{
	const struct {
		uint32_t flag;
		unsigned int state;
		unsigned int event;
		int64_t cycles;
	} parts[] = {
		{KVM_EXIT_REC_HALTED, handled_exit_life, halt_exit_life, row->halted_cycles},
		{KVM_EXIT_REC_POLLED, halted_exit_life, poll_exit_life, row->polled_cycles},
		{KVM_EXIT_REC_PREEMPTED, handled_exit_life, wait_exit_life, row->preempted_cycles},
		{KVM_EXIT_REC_USER, handled_exit_life, run_end_exit_life, row->userspace_cycles},
	};
	int i = 0;

	while (!(wrong & parts[i].flag))
		i++;
	return (struct fault){
		.kind = parts[i].cycles ? FAULT_UNFLAGGED : FAULT_NO_TIME,
		.state = parts[i].state,
		.event = parts[i].event,
		.number = parts[i].cycles,
	};
}

/* The times of @row against its flags. With TSC_BACK all times are 0, and the flags are kept. */
static struct fault check_times(const struct life *life, const struct vcpu_life *v,
				const struct life_row *row)
{
	uint32_t of_parts = flags_of_parts(row), wrong = (row->flags ^ of_parts) & PART_FLAGS;
	struct fault fault = {
		.state = row->flags & KVM_EXIT_REC_SYNTH ? synthesized_exit_life : exited_exit_life,
		.event = handle_exit_life,
	};

	if (row->flags & KVM_EXIT_REC_TSC_BACK) {
		if (row->cycles || of_parts)
			fault.kind = FAULT_TSC_BACK;
		fault.number = row->cycles;
		return fault;
	}

	/* A source other than the ring may miss how long a return to user space took. */
	if (!v->of_ring && !row->userspace_cycles)
		wrong &= ~KVM_EXIT_REC_USER;
	if (wrong)
		return explain_part(row, wrong);

	if (v->of_ring && !row->cycles) {
		fault.kind = FAULT_ZERO;
	} else if (v->of_ring && life->vmx &&
		   has_failed_flag(row->reason) != is_failed_entry(row->reason)) {
		fault.kind = has_failed_flag(row->reason) ? FAULT_FLAGGED : FAULT_REASON;
		fault.state = in_guest_exit_life;
		fault.event = exit_event(life, row);
		fault.number = reason_basic(KVM_EXIT_ISA_VMX, row->reason);
	}
	return fault;
}

static void add_fault(struct vcpu_life *v, struct fault fault, int64_t seq)
{
	fault.seq = seq;
	if (!v->faults++)
		v->first = fault;
}

/* What is wrong with @row, which leads to @body. */
static struct fault check_row(const struct life *life, const struct vcpu_life *v,
			      const struct body *body, const struct life_row *row)
{
	struct fault fault = check_exit(life, v, row);

	if (!fault.kind)
		fault = body->fault;
	if (!fault.kind)
		fault = check_times(life, v, row);
	return fault;
}

/*
 * Whether nothing can be wrong with @row: an exit that follows the one before and ends with an
 * entry, as nearly all do. All else is for check_row().
 */
static bool is_ordinary(const struct life *life, const struct vcpu_life *v, const struct body *body,
			const struct life_row *row)
{
	const uint32_t rare = KVM_EXIT_REC_SYNTH | KVM_EXIT_REC_TSC_BACK | KVM_EXIT_REC_NO_REENTRY;

	return v->has_end && row->tsc > v->end && wrap_subtract(row->seq, 1) == v->seq &&
	       (v->state == handled_exit_life || v->state == fastpath_exit_life) &&
	       !body->fault.kind && row->cycles && !(row->flags & rare) &&
	       !((row->flags ^ flags_of_parts(row)) & PART_FLAGS) &&
	       !(life->vmx && (is_failed_entry(row->reason) || has_failed_flag(row->reason)));
}

void life_add(struct life *life, size_t vcpu, const struct life_row *row)
{
	struct vcpu_life *v = &life->vcpu[vcpu];
	unsigned int index = index_of(row->flags);
	const struct body *body;

	/* A source other than the ring may miss the return to user space before the end. */
	if (!v->of_ring && index & KVM_EXIT_REC_NO_REENTRY)
		index |= KVM_EXIT_REC_USER;
	body = &life->body[index];

	if (!is_ordinary(life, v, body, row)) {
		struct fault fault = check_row(life, v, body, row);

		if (fault.kind)
			add_fault(v, fault, row->seq);
	}

	v->records++;
	v->seq = row->seq;
	v->state = body->state;
	v->end = wrap_add(row->tsc, row->cycles);
	v->has_end = !(row->flags & KVM_EXIT_REC_TSC_BACK);
}

/* The last record of a vCPU that was destroyed is its end, if that record was not lost. */
static void check_end(struct vcpu_life *v)
{
	if (v->of_ring && v->destroyed && v->seq >= v->loss_end && v->state != gone_exit_life)
		add_fault(v,
			  (struct fault){
				  .kind = FAULT_END,
				  .state = v->state,
				  .event = destroy_exit_life,
			  },
			  v->seq);
}

/* What is said of each kind: @before, the fault's number if there is an @after, and @after. */
static const struct {
	const char *before;
	const char *after;
} explanations[] = {
	[FAULT_TRANSITION] = {"NOT POSSIBLE", NULL},
	[FAULT_ORDER] = {"SEQ ", " CAME BEFORE IT"},
	[FAULT_EARLY] = {"", " CYCLES BEFORE THE END OF THE EXIT BEFORE IT"},
	[FAULT_APART] = {"", " CYCLES AFTER THE END OF THE EXIT BEFORE IT"},
	[FAULT_UNFLAGGED] = {"", " CYCLES WITHOUT A FLAG"},
	[FAULT_NO_TIME] = {"A FLAG WITHOUT CYCLES", NULL},
	[FAULT_ZERO] = {"NO CYCLES WITHOUT TSC_BACK", NULL},
	[FAULT_TSC_BACK] = {"TSC_BACK WITH ", " CYCLES"},
	[FAULT_FLAGGED] = {"REASON ", " WITH BIT 31"},
	[FAULT_REASON] = {"REASON ", " WITHOUT BIT 31"},
	[FAULT_END] = {"NOT RECORDED", NULL},
};

/* "FIRST AT SEQ 17: EVENT poll IN STATE handled: NOT POSSIBLE", or "". Of the heap. */
static char *explain_first(const struct vcpu_life *v)
{
	const struct fault *fault = &v->first;
	const char *state = fault->state < state_max_exit_life
				    ? automaton_exit_life.state_names[fault->state]
				    : "unknown";
	const char *after = explanations[fault->kind].after;
	char number[32] = "", text[240] = "";

	if (!v->faults)
		return strdup("");

	if (after)
		snprintf(number, sizeof(number), "%" PRId64, fault->number);
	snprintf(text, sizeof(text), "FIRST AT SEQ %" PRId64 ": EVENT %s IN STATE %s: %s%s%s",
		 fault->seq, automaton_exit_life.event_names[fault->event], state,
		 explanations[fault->kind].before, number, after ? after : "");
	return strdup(text);
}

int life_check(struct app *app, struct life *life, int equation, struct checks *checks)
{
	for (size_t i = 0; i < life->vcpus; i++) {
		struct vcpu_life *v = &life->vcpu[i];
		struct check check;

		if (!v->records)
			continue;

		check_end(v);
		check = (struct check){
			.equation = equation,
			.vm = v->vm,
			.vcpu = v->vcpu_id,
			.reason = -1,
			.left = v->records,
			.right = v->records - v->faults,
			.unexplained = v->faults,
			.why = explain_first(v),
		};
		if (!check.why)
			return app_fail(app, "out of memory");
		if (checks_add(app, checks, &check))
			return -1;
	}
	return 0;
}

void life_close(struct life *life)
{
	if (!life)
		return;
	free(life->vcpu);
	free(life);
}
