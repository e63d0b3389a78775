/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_life.h - each record against the life of an exit, which is an automaton (exit_life.dot)
 *
 * A record implies events: its exit, what its flags say of the time after it, and at the next
 * record the VM entry between the two. README.md has the table. They must be a walk through the
 * automaton, and the times must go with them:
 *
 *	seq	rises; after a gap the state is unknown and the next record is accepted
 *	tsc	no exit begins before the entry that ended the one before
 *	parts	a vCPU spent time in a state exactly if its flag is there
 *
 * What a source does not record is not checked: imports of traces have neither flags nor parts.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_VERIFY_LIFE_H
#define EXITSCOPE_ANALYZER_VERIFY_VERIFY_LIFE_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify.h"

/* One row of table exit; cycles are TSC cycles, and those that are unknown are 0. */
struct life_row {
	int64_t seq;
	int64_t tsc;
	int64_t reason; /* full exit reason */
	uint32_t flags; /* KVM_EXIT_REC_* */
	int64_t cycles;
	int64_t halted_cycles;
	int64_t userspace_cycles;
	int64_t preempted_cycles;
	int64_t polled_cycles;
};

struct life;

/* Reads the vCPUs of app->run. -1 with the reason in @app. */
int life_open(struct app *app, struct life **life);

/* Adds a row of the vCPU number @vcpu by vcpu.id, from 0; rows of a vCPU in the order of the file.
 */
void life_add(struct life *life, size_t vcpu, const struct life_row *row);

/*
 * Adds one comparison per vCPU with rows to @checks: its records, and those that follow the
 * automaton. The explanation has the first that doesn't. -1 with the reason in @app.
 */
int life_check(struct app *app, struct life *life, int equation, struct checks *checks);

void life_close(struct life *life);

#endif
