// SPDX-License-Identifier: GPL-2.0-only
/* verify_steps.c - each event of KVM's tracepoints as a step in the life of an exit; see
 * verify_steps.h */
#include "analyzer/verify/verify_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/verify/exit_life.h"
#include "analyzer/verify/queries.h"
#include "base/wrap.h"

/* The longest name is "handle_fast synthesized". */
#define NAME_BYTES 64

/* How a step is possible. */
enum possible {
	POSSIBLE_NOT,
	POSSIBLE_ALWAYS,
	POSSIBLE_AFTER_VMFAIL,	/* a VM entry failed before it */
	POSSIBLE_AFTER_REENTRY, /* a fastpath entered the guest before it */
};

/* One vCPU, with its number in the file. @why: what is said of it so far, @length of it */
struct vcpu_steps {
	int64_t id;
	int64_t vm;
	int64_t vcpu_id;
	int64_t vmfail;
	int64_t ambiguous;
	int64_t synthesized;
	int64_t events;
	int64_t possible;
	int64_t unexplained;
	char why[240];
	int length;
};

/* Whether @event in @state happens without a tracepoint. @how: which of the rare ones do. */
static bool is_untraced(unsigned int state, unsigned int event, enum possible how)
{
	switch (event) {
	case exit_exit_life:
	case reject_exit_life:
		return false;
	case entry_exit_life:
		return how == POSSIBLE_AFTER_REENTRY && state == fastpath_exit_life;
	case fail_exit_life:
		return how == POSSIBLE_AFTER_VMFAIL;
	default:
		return true;
	}
}

/* All states, as bits, that follow those of @states after any number of untraced events. */
static uint32_t spread(uint32_t states, enum possible how)
{
	for (uint32_t before = 0; before != states;) {
		before = states;
		for (unsigned int i = 0; i < state_max_exit_life * event_max_exit_life; i++) {
			unsigned int state = i / event_max_exit_life;
			unsigned int event = i % event_max_exit_life;
			unsigned int next = automaton_exit_life.function[state][event];

			if (before & 1U << state && next != INVALID_STATE &&
			    is_untraced(state, event, how))
				states |= 1U << next;
		}
	}
	return states;
}

static bool can_come(uint32_t states, unsigned int event)
{
	for (unsigned int state = 0; state < state_max_exit_life; state++)
		if (states & 1U << state &&
		    automaton_exit_life.function[state][event] != INVALID_STATE)
			return true;
	return false;
}

static enum possible judge_step(unsigned int state, unsigned int event)
{
	for (enum possible how = POSSIBLE_ALWAYS; how <= POSSIBLE_AFTER_REENTRY; how++)
		if (can_come(spread(1U << state, how), event))
			return how;
	return POSSIBLE_NOT;
}

/* The number of @name among @count names; -1: none of them. */
static int find_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* "EVENT STATE" of the file. A name that the automaton does not have is not possible. */
static enum possible judge_name(const char *name)
{
	char event[NAME_BYTES], state[NAME_BYTES];
	int event_number, state_number;

	if (sscanf(name, "%63s %63s", event, state) != 2)
		return POSSIBLE_NOT;

	event_number = find_name((const char *const *)automaton_exit_life.event_names,
				 event_max_exit_life, event);
	state_number = find_name((const char *const *)automaton_exit_life.state_names,
				 state_max_exit_life, state);
	if (event_number < 0 || state_number < 0)
		return POSSIBLE_NOT;
	return judge_step((unsigned int)state_number, (unsigned int)event_number);
}

static void say(struct vcpu_steps *v, int64_t n, const char *before, const char *what,
		const char *after)
{
	size_t room = sizeof(v->why) - (size_t)v->length;
	int bytes;

	if (!n)
		return;
	bytes = snprintf(v->why + v->length, room, "%s%" PRId64 " %s%.80s%s", v->length ? ", " : "",
			 n, before, what, after);
	v->length += bytes < (int)room ? bytes : (int)room - 1;
}

/* Takes @n out of what explains it; returns how many it explains. */
static int64_t explain(int64_t *budget, int64_t n)
{
	int64_t explained = n < *budget ? n : *budget;

	if (explained < 0)
		return 0;
	*budget -= explained;
	return explained;
}

/* Older kernels trace an entry at each of them, or no kernel does; two may be at the edges. */
static int64_t explain_synthesized(struct vcpu_steps *v, int64_t n)
{
	return n >= wrap_subtract(v->synthesized, 2) ? explain(&v->synthesized, n) : 0;
}

static void add_step(struct vcpu_steps *v, const char *name, int64_t n)
{
	enum possible how = judge_name(name);
	int64_t explained = 0, emulated;

	v->events = wrap_add(v->events, n);
	if (how == POSSIBLE_ALWAYS) {
		v->possible = wrap_add(v->possible, n);
		return;
	}

	if (how == POSSIBLE_AFTER_REENTRY) {
		explained = n;
		say(v, n, "entered again by a fastpath, not traced", "", "");
	} else if (how == POSSIBLE_AFTER_VMFAIL) {
		explained = explain(&v->vmfail, n);
		say(v, explained, "VM entries that failed with VMfail", "", "");
		emulated = explain_synthesized(v, wrap_subtract(n, explained));
		say(v, emulated, "entries that KVM traced and then emulated", "", "");
		explained = wrap_add(explained, emulated);
	}

	n = wrap_subtract(n, explained);
	explained = explain(&v->ambiguous, n);
	say(v, explained, "of VMs that can't be distinguished", "", "");
	n = wrap_subtract(n, explained);
	say(v, n, "TIMES EVENT AND STATE ", name, ": NOT POSSIBLE");
	v->unexplained = wrap_add(v->unexplained, n);
}

static int close_vcpu(struct app *app, int equation, const struct vcpu_steps *v,
		      struct checks *checks)
{
	const struct check check = {
		.equation = equation,
		.vm = v->vm,
		.vcpu = v->vcpu_id,
		.reason = -1,
		.left = v->events,
		.right = v->possible,
		.unexplained = v->unexplained,
		.why = strdup(v->why),
	};

	if (!check.why)
		return app_fail(app, "out of memory");
	return checks_add(app, checks, &check);
}

int steps_check(struct app *app, int equation, struct checks *checks)
{
	struct vcpu_steps v = {0};
	bool has_vcpu = false;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, verify_sql_steps))
		return -1;
	sqlite3_bind_int64(stmt, 1, app->run.id);

	while ((rc = db_step(app, stmt)) > 0) {
		const char *name = (const char *)sqlite3_column_text(stmt, 6);
		int64_t id = sqlite3_column_int64(stmt, 0);

		if (has_vcpu && v.id != id && close_vcpu(app, equation, &v, checks)) {
			rc = -1;
			break;
		}
		if (!has_vcpu || v.id != id)
			v = (struct vcpu_steps){
				.id = id,
				.vm = sqlite3_column_int64(stmt, 1),
				.vcpu_id = sqlite3_column_int64(stmt, 2),
				.vmfail = sqlite3_column_int64(stmt, 3),
				.ambiguous = sqlite3_column_int64(stmt, 4),
				.synthesized = sqlite3_column_int64(stmt, 5),
			};
		has_vcpu = true;
		add_step(&v, name ? name : "", sqlite3_column_int64(stmt, 7));
	}
	sqlite3_finalize(stmt);

	if (!rc && has_vcpu)
		rc = close_vcpu(app, equation, &v, checks);
	return rc;
}
