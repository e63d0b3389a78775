// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_qemu.c - what lost_interrupts.c uses of QEMU: three CPUs with an APIC each
 *
 * CPU 0 has no interrupt pending, CPU 1 has one that never goes (it was lost), CPU 2 always a new
 * one (it takes them). It prints which CPUs were told, and what was done without the lock.
 * FAKE_QEMU_10 has the lock's names in QEMU 10, FAKE_QEMU_BARE no APIC, FAKE_NOTHING is another
 * program. The CPUs come late, as QEMU's do: the lock does not work before.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CPUS	3
#define BOOT_US 50000
#define LOOKS	10

#ifndef FAKE_NOTHING

_Thread_local void *current_cpu;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_locked;
static bool is_ready;
static char cpus[CPUS], apics[CPUS];
static int told[CPUS], unlocked, looks;

void *qemu_get_cpu(int index)
{
	return __atomic_load_n(&is_ready, __ATOMIC_SEQ_CST) && index < CPUS ? &cpus[index] : NULL;
}

#ifndef FAKE_QEMU_BARE
void *cpu_get_current_apic(void)
{
	return current_cpu ? &apics[(char *)current_cpu - cpus] : NULL;
}

int apic_get_highest_priority_irr(void *apic)
{
	static int vector = 32;
	long cpu = (char *)apic - apics;

	unlocked += !is_locked;
	__atomic_fetch_add(&looks, 1, __ATOMIC_SEQ_CST);
	if (cpu == 2)
		vector = vector == 250 ? 32 : vector + 1;
	return cpu == 0 ? -1 : cpu == 1 ? 236 : vector;
}
#endif

void apic_poll_irq(void *apic)
{
	unlocked += !is_locked || current_cpu;
	told[(char *)apic - apics]++;
}

#ifdef FAKE_QEMU_10
#define LOCK   bql_lock_impl
#define UNLOCK bql_unlock
#else
#define LOCK   qemu_mutex_lock_iothread_impl
#define UNLOCK qemu_mutex_unlock_iothread
#endif

void LOCK(const char *file, int line)
{
	unlocked += !qemu_get_cpu(0) || !file || !line;
	pthread_mutex_lock(&mutex);
	is_locked = true;
}

void UNLOCK(void)
{
	is_locked = false;
	pthread_mutex_unlock(&mutex);
}

static void run(void)
{
	usleep(BOOT_US);
	__atomic_store_n(&is_ready, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&looks, __ATOMIC_SEQ_CST) < LOOKS * CPUS)
		usleep(1000);

	pthread_mutex_lock(&mutex);
	printf("told: %d %d %d, without the lock: %d\n", told[0] > 0, told[1] > 0, told[2] > 0,
	       unlocked);
	fflush(stdout);
}

#else

static void run(void)
{
	puts("runs");
}

#endif

int main(void)
{
	run();
	return 0;
}
