/* SPDX-License-Identifier: GPL-2.0-only */
/* vcpu_thread.h - a thread that runs a vCPU until a signal interrupts it */
#ifndef KVM_TEST_DEVICE_VCPU_THREAD_H
#define KVM_TEST_DEVICE_VCPU_THREAD_H

#include "kvm/test/common/device_vm.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>

static inline void do_nothing(int signal)
{
	(void)signal;
}

static inline void handle_sigusr1(void)
{
	struct sigaction action = {.sa_handler = do_nothing};

	CHECK(!sigaction(SIGUSR1, &action, NULL));
}

/* A vCPU thread with a real-time policy would keep the only CPU from whoever waits for it. */
static inline void be_normal(void)
{
	struct sched_param normal = {0};

	sched_setscheduler(0, SCHED_OTHER, &normal);
}

static inline void *run_until_it_fails(void *arg)
{
	struct step_vm *vm = arg;

	be_normal();
	while (!ioctl(vm->vcpu.fd, KVM_RUN, 0))
		;
	return (void *)(uintptr_t)errno;
}

#endif
