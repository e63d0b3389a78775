/* SPDX-License-Identifier: GPL-2.0-only */
/* exit_loop.h - what the parts of exit_loop share */
#ifndef TESTBED_GUEST_EXIT_LOOP_H
#define TESTBED_GUEST_EXIT_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "testbed/guest/guest_ops.h"
#include "testbed/guest/guest_vm.h"

#define EXIT_LOOP_MAX_VCPUS  16
#define EXIT_LOOP_MAX_LEAVES 256

/* Guest-physical addresses. */
#define LOOP_MEMORY_BYTES   0x80000 /* RAM from 0 */
#define LOOP_CODE_ADDRESS   0x1000
#define LOOP_LEAVES_ADDRESS 0x2000     /* struct guest_leaf[EXIT_LOOP_MAX_LEAVES] */
#define LOOP_STACK_ADDRESS  0x8000     /* top of vCPU 0's, 0x400 bytes for each */
#define LOOP_TABLES_ADDRESS 0x10000    /* page tables of long mode */
#define LOOP_MMIO_ADDRESS   0xd0000    /* backed by nothing */
#define LOOP_TOUCH_ADDRESS  0x40000000 /* RAM of op touch */

/* What was asked for. */
struct loop_options {
	const struct guest_op *op;
	uint32_t count; /* times per vCPU */
	unsigned int vcpus;
	bool long_mode;
	bool unreal; /* real mode with a DS that VM entries may refuse */
	bool irqchip;
	unsigned int timer_us; /* PIT period, 0: no timer */
	unsigned int sleep_us; /* at each return to the VMM */
	int pin;	       /* all vCPU threads on this CPU; -1: anywhere */
	bool after_tick;       /* begin just after a tick of the host's timer */
	bool stop;	       /* SIGSTOP to itself before its vCPUs run */
	unsigned int leaf_count;
	struct guest_leaf leaves[EXIT_LOOP_MAX_LEAVES];
};

/* One vCPU and its thread. */
struct loop_vcpu {
	struct loop *loop;
	struct guest_vcpu guest;
	pthread_t thread;
	unsigned int id;
	uint64_t user_exits, io, mmio, hlt;
	double seconds;
	int err;	  /* -errno */
	const char *step; /* what failed */
};

struct loop {
	const struct loop_options *options;
	struct guest_vm vm;
	struct loop_vcpu vcpus[EXIT_LOOP_MAX_VCPUS];
};

/* The row of guest_ops of that name, or NULL. */
const struct guest_op *guest_op_find(const char *name);

/* Makes the VM with its vCPUs. 0 or -errno with loop->vm.step set. */
int loop_open(struct loop *loop, const struct loop_options *options);

/* Puts @op, to be done @count times, where the vCPU goes on. 0 or -errno with vcpu->step. */
int loop_load(struct loop_vcpu *vcpu, const struct guest_op *op, uint32_t count, uint32_t address);

/* Runs the vCPU up to GUEST_DONE_PORT. 0 or -errno with vcpu->step. */
int loop_run(struct loop_vcpu *vcpu);

void loop_close(struct loop *loop);

#endif
