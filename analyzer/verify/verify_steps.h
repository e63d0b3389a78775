/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_steps.h - each event of KVM's tracepoints as a step in the life of an exit
 *
 * With --cross-check the collector counts in which state of the automaton (exit_life.dot) each
 * kvm_exit and kvm_entry of a vCPU came: table crosscheck, source tracefs_step. Here the automaton
 * says which of these steps there are. A step between two tracepoints may have none itself; one
 * that another source counts explains as many:
 *
 *	entry in in_guest	VM entries that failed with VMfail, between two kvm_entry
 *	entry in in_guest	synthesized exits, which older kernels trace before they emulate
 *	exit in fastpath	entries that a fastpath of Linux 5.10 makes, untraced
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_VERIFY_STEPS_H
#define EXITSCOPE_ANALYZER_VERIFY_VERIFY_STEPS_H

#include "analyzer/query/app.h"
#include "analyzer/verify/verify.h"

/*
 * Adds one comparison per vCPU that has such counts to @checks: its events, and those that are
 * possible. -1 with the reason in @app.
 */
int steps_check(struct app *app, int equation, struct checks *checks);

#endif
