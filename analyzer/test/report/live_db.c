// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_db.c - a recording in progress, without a guest
 *
 * live_db FILE: writes 100 synthetic exits every 20 ms through the store, until
 * SIGTERM, which ends the run, or SIGUSR1, which begins another one. The TSC runs
 * at 1 MHz, so that a second of it makes many seconds of recording, and one exit
 * in each hundred is as old as the run: it comes late. For tests.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"

#define BATCH 100

static volatile sig_atomic_t ended, again;

static void on_signal(int number)
{
	if (number == SIGTERM)
		ended = 1;
	again = 1;
}

static int record(struct store *store)
{
	const struct store_run run = {
		.label = "in \033[31mprogress", /* no terminal may see that as a command */
		.source = "capture",
		.environment = "metal",
		.collector = "live_db",
		.isa = KVM_EXIT_ISA_VMX,
		.tsc_khz = 1000,
		.tsc_start = SYNTHETIC_TSC_START,
		.raw = 1,
		.split = 1,
	};
	static struct kvm_exit_record records[BATCH];
	struct synthetic synthetic;
	int vcpu, rc;

	synthetic_init(&synthetic, 0, 1);
	synthetic.lose_one_in = 500;
	rc = store_begin(store, &run);
	if (!rc)
		rc = store_add_vcpu(store,
				    &(struct store_vcpu){.comm = "live", .vm_id = 1, .ring_id = 1},
				    &vcpu);
	for (again = 0; !again && !rc;) {
		synthetic_fill(&synthetic, records, BATCH);
		records[0].tsc = SYNTHETIC_TSC_START;
		rc = store_append(store, vcpu, records, BATCH);
		if (!rc)
			rc = store_flush(store);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	if (!rc)
		rc = store_end_vcpu(store, vcpu,
				    &(struct store_vcpu_end){.end_seq = synthetic.seq});
	return rc ? rc : store_finish(store, "complete", synthetic.tsc, 0);
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "live_db: usage: live_db FILE\n");
		return 1;
	}
	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	rc = store_open(argv[1], &store);
	while (!rc && !ended)
		rc = record(store);
	if (rc)
		fprintf(stderr, "live_db: %s: %s\n", argv[1], store_strerror(store, rc));
	store_close(store);
	return rc != 0;
}
