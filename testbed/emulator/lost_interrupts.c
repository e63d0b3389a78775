// SPDX-License-Identifier: GPL-2.0-only
/*
 * lost_interrupts.c - LD_PRELOAD for QEMU's TCG: a pending interrupt that QEMU has forgotten is
 * brought to its CPU
 *
 * QEMU's timers and devices are in the main loop's thread. For an interrupt it first sets the
 * vector's bit in the IRR of the CPU's APIC, then a bit in cpu->interrupt_request. At each #VMEXIT
 * the CPUs' thread clears another bit of that word (CPU_INTERRUPT_VIRQ, do_vmexit() in
 * target/i386/tcg/sysemu/svm_helper.c). Neither of the two writes is atomic, and #VMEXIT takes no
 * lock: if both come at once, the main loop's bit is gone. The vector stays in the IRR, and nothing
 * looks at it before the next interrupt. If the lost one was L1's only timer there is no next one:
 * L1 runs its guest, or sleeps, for ever.
 *
 * HOW IT WORKS. A thread looks at the APICs now and then, under QEMU's big lock. If a CPU's highest
 * pending vector is the same as at the look before, the APIC is asked to tell its CPU again. That
 * is harmless where nothing was lost (the CPU has its interrupts off): the CPU asks its APIC, and
 * goes on.
 *
 * With -icount it is not needed: taking_turns.c lets the main loop run while the CPUs stand.
 */
#include "testbed/emulator/in_qemu.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY	 "lost_interrupts"
#define LOOK_US	 10000
#define MAX_CPUS 255  /* of QEMU's machine "pc" */
#define NONE	 (-1) /* apic_get_highest_priority_irr(): no interrupt is pending */

static void *(*get_cpu)(int index);
static void *(*current_apic)(void);
static int (*pending_vector)(void *apic);
static void (*tell_cpu)(void *apic);
static void (*lock)(const char *file, int line);
static void (*unlock)(void);

/* Of each CPU: its highest pending vector at the last look, or NONE. */
static int last_pending[MAX_CPUS];

/* QEMU gives out the APIC of the CPU that the calling thread runs: this thread is it for a moment.
 */
static void *apic_of(void *cpu, void **current_cpu)
{
	void *apic;

	*current_cpu = cpu;
	apic = current_apic();
	*current_cpu = NULL;
	return apic;
}

static void look_at(int index, void *apic)
{
	int pending = pending_vector(apic);

	if (pending != NONE && pending == last_pending[index])
		tell_cpu(apic);
	last_pending[index] = pending;
}

static void look_at_all(void **current_cpu)
{
	lock(__FILE__, __LINE__);
	for (int i = 0; i < MAX_CPUS && get_cpu(i); i++)
		look_at(i, apic_of(get_cpu(i), current_cpu));
	unlock();
}

static void *look_for_ever(void *unused)
{
	void **current_cpu = qemu_symbol(LIBRARY, "current_cpu"); /* thread-local */

	/* QEMU holds its lock from before it makes the first CPU until the machine runs. */
	while (true) {
		usleep(LOOK_US);
		if (get_cpu(0))
			look_at_all(current_cpu);
	}
	return unused;
}

/* A thread that gets no signals: QEMU's other threads wait for them. */
static int start_thread(void)
{
	pthread_t thread;
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, look_for_ever, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

/* Before QEMU begins. */
__attribute__((constructor)) static void start(void)
{
	int err;

	if (!in_qemu())
		return;

	get_cpu = qemu_symbol(LIBRARY, "qemu_get_cpu");
	current_apic = qemu_symbol(LIBRARY, "cpu_get_current_apic");
	pending_vector = qemu_symbol(LIBRARY, "apic_get_highest_priority_irr");
	tell_cpu = qemu_symbol(LIBRARY, "apic_poll_irq");
	lock = qemu_symbol_renamed(LIBRARY, "qemu_mutex_lock_iothread_impl", "bql_lock_impl");
	unlock = qemu_symbol_renamed(LIBRARY, "qemu_mutex_unlock_iothread", "bql_unlock");
	for (int i = 0; i < MAX_CPUS; i++)
		last_pending[i] = NONE;

	err = start_thread();
	if (err) {
		fprintf(stderr, LIBRARY ": a thread: %s\n", strerror(err));
		_exit(1);
	}
}
