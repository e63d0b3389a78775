/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * states.h - in which state the vCPUs were, as shares of their wall time that add up to 1
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_STATES_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_STATES_H

#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/series.h"

/*
 * What a vCPU does at a time.
 * STATE_GUEST:	  runs the guest's code
 * STATE_HANDLER: runs KVM's
 * STATE_USER:	  is out of KVM_RUN: the VMM works, or doesn't call
 * STATE_POLLED:  polls for a while for the guest that halted, before it sleeps: its CPU is busy
 * STATE_HALTED:  sleeps for the guest that halted; or polls, where states.has_polled is false
 * STATE_WAITING: could run, and has no CPU (steal), also after a wake-up
 * STATE_UNKNOWN: in exits without a record, and in an exit that had not ended; where nothing says
 *		  how long exits without a record took, the guest's time between them, too
 */
enum state {
	STATE_GUEST,
	STATE_HANDLER,
	STATE_USER,
	STATE_POLLED,
	STATE_HALTED,
	STATE_WAITING,
	STATE_UNKNOWN,
	STATES
};

extern const char *const state_names[STATES];

/*
 * struct state_row - a vCPU, or all of a VM
 * @vcpu: its id; -1: all of the VM
 * @vcpus: how many
 * @wall: their time within the window, from the first to the last moment of each, in cycles
 * @part: cycles in each state; they add up to @wall
 * @is_certain: false: @part[STATE_GUEST] has the time of dropped or filtered exits in it
 */
struct state_row {
	int64_t vm;
	int64_t vcpu;
	unsigned int vcpus;
	double wall;
	double part[STATES];
	bool is_certain;
};

struct states {
	struct state_row *row;
	unsigned int rows;
	struct state_row total;
	bool has_polled; /* false: STATE_POLLED is unknown, and in STATE_HALTED */
};

/**
 * states_read - read the states of all vCPUs that pass the filter
 * @by_vcpu: a row for each vCPU, else for each VM; in the order of their numbers
 *
 * Refuses a run without the parts of time and a filter by reason: shares of the wall time need
 * all exits. Return: 0, or -1 with app->error; call states_free() in any case.
 */
int states_read(struct app *app, const struct run *run, bool by_vcpu, struct states *states);
void states_free(struct states *states);

/* A state's share of the wall time. */
double state_share(const struct state_row *row, enum state state);

/* The same of the time that the vCPUs could run: all but polled, halted and unknown. */
double state_runnable_share(const struct state_row *row, enum state state);

/**
 * states_add - add the parts of the exits' time to the states that a vCPU is in meanwhile
 * @factor: what the cycles are multiplied by; negative: take away
 * @part: guest and unknown stay as they are
 */
void states_add(const struct run *run, const struct group *sum, double factor, double part[STATES]);

/*
 * Set the guest's part: what the others leave of @wall. Exits that began before it may be longer
 * than it; then the others are cut, so that all add up to it. No part is negative.
 */
void states_add_guest(double wall, double part[STATES]);

/**
 * states_over_time - the shares of all vCPUs in each bin of @series
 * @share: [bin][state], filled in; 0 where no vCPU lived
 */
void states_over_time(const struct series *series, const struct run *run, double (*share)[STATES]);

#endif
