// SPDX-License-Identifier: GPL-2.0-only
/* kvmstat_test.c - how far KVM's count of a VM's exits may be behind the totals */
#include <pthread.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/xcheck/kvmstat.h"
#include "kvm/test/common/check.h"

/* The VM did not exit meanwhile: only a thread that is not asleep may have one to be counted. */
static void test_no_exit_meanwhile(void)
{
	struct kvmstat_result result = {.low = 100, .high = 100};

	kvmstat_lower(&result, 4, 0);
	CHECK(result.low == 100 && result.high == 100);
	kvmstat_lower(&result, 4, 1);
	CHECK(result.low == 99 && result.high == 100);
}

static void test_exits_meanwhile(void)
{
	struct kvmstat_result result = {.low = 100, .high = 107};

	kvmstat_lower(&result, 4, 0);
	CHECK(result.low == 96 && result.high == 107);
	result.low = 2;
	kvmstat_lower(&result, 4, 4);
	CHECK(result.low == 0);
}

static pthread_barrier_t named, read_once;
static pid_t sleeper;

static void *sleep_on(void *unused)
{
	(void)unused;
	/* Names are the VMM's choice. */
	CHECK(!pthread_setname_np(pthread_self(), "CPU) R\n0/KVM"));
	sleeper = gettid();
	pthread_barrier_wait(&named);
	pthread_barrier_wait(&read_once);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread;
	bool runs = true;

	CHECK(!pthread_barrier_init(&named, NULL, 2) && !pthread_barrier_init(&read_once, NULL, 2));
	CHECK(!pthread_create(&thread, NULL, sleep_on, NULL));
	pthread_barrier_wait(&named);
	CHECK(host_thread_runs((uint32_t)gettid()));
	/* Until it waits for the second barrier; the test's time limit ends it if it never does. */
	while (runs)
		runs = host_thread_runs((uint32_t)sleeper);
	pthread_barrier_wait(&read_once);
	CHECK(!pthread_join(thread, NULL));
	CHECK(!host_thread_runs(0));
}

int main(void)
{
	test_no_exit_meanwhile();
	test_exits_meanwhile();
	test_threads();
	return 0;
}
