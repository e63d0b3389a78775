// SPDX-License-Identifier: GPL-2.0-only
/*
 * taking_turns.c - LD_PRELOAD for QEMU's TCG with -icount: its main loop runs while the CPUs stand
 *
 * QEMU runs its CPUs in one thread; the main loop, another one, has timers, disks and, with
 * -icount sleep=off, the clock: once all CPUs are halted it moves the clock on to the next timer.
 * But a CPU is halted a moment before its thread has counted the instructions up to HLT. A main
 * loop that comes in this moment moves the clock too far, by those instructions, and all that
 * follows comes at another time.
 *
 * HOW IT WORKS. Both threads hold QEMU's big lock when they do anything but execute guest code. The
 * main loop that has taken it now waits, with the lock, until the CPUs' thread waits for it too, or
 * sleeps: both come after instructions were counted. The CPUs' thread gets there by itself, at the
 * next timer at the latest. QEMU has pointers to its functions for this lock, for its profiler;
 * they are exported and are set here.
 */
#include "testbed/emulator/in_qemu.h"

#include <stdbool.h>
#include <unistd.h>

#define LIBRARY "taking_turns"
#define LOOK_US 20

typedef void (*lock_fn)(void *mutex, const char *file, int line);
typedef void (*wait_fn)(void *condition, void *mutex, const char *file, int line);

static lock_fn lock_mutex;
static wait_fn wait_condition;
static bool (*is_cpu_thread)(void);
static void *big_lock;

/* Of the CPUs' thread: whether it has run, and whether it waits. Written by that thread. */
static bool has_run, is_waiting;

static void set_waiting(bool waiting)
{
	__atomic_store_n(&is_waiting, waiting, __ATOMIC_SEQ_CST);
	__atomic_store_n(&has_run, true, __ATOMIC_SEQ_CST);
}

static void wait_for_cpus(void)
{
	while (__atomic_load_n(&has_run, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&is_waiting, __ATOMIC_SEQ_CST))
		usleep(LOOK_US);
}

/* Takes the big lock. */
static void take_lock(void *mutex, const char *file, int line)
{
	if (is_cpu_thread()) {
		set_waiting(true);
		lock_mutex(mutex, file, line);
		set_waiting(false);
		return;
	}

	lock_mutex(mutex, file, line);
	big_lock = mutex;
	if (gettid() == getpid()) /* the main loop */
		wait_for_cpus();
}

/* Waits for any condition, under any lock. */
static void wait_for(void *condition, void *mutex, const char *file, int line)
{
	bool sleeps = is_cpu_thread() && mutex == big_lock;

	if (sleeps)
		set_waiting(true);
	wait_condition(condition, mutex, file, line);
	if (sleeps)
		set_waiting(false);
}

/* Before QEMU begins. */
__attribute__((constructor)) static void start(void)
{
	lock_fn *lock;
	wait_fn *wait;

	if (!in_qemu())
		return;

	lock = qemu_symbol(LIBRARY, "qemu_bql_mutex_lock_func");
	wait = qemu_symbol(LIBRARY, "qemu_cond_wait_func");
	is_cpu_thread = qemu_symbol(LIBRARY, "qemu_in_vcpu_thread");

	lock_mutex = *lock;
	wait_condition = *wait;
	*lock = take_lock;
	*wait = wait_for;
}
