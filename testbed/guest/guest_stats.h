/* SPDX-License-Identifier: GPL-2.0-only */
/* guest_stats.h - for guest_vm.c: where the statistics of a vCPU are */
#ifndef TESTBED_GUEST_GUEST_STATS_H
#define TESTBED_GUEST_GUEST_STATS_H

#include "testbed/guest/guest_vm.h"

/* Sets @vcpu's stats and stats_of_vm, once its file is open, in the thread that made the VM. */
void guest_stats_open(const struct guest_vm *vm, struct guest_vcpu *vcpu);

#endif
