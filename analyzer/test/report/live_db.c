// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_db.c - a recording in progress, without a guest
 *
 * live_db FILE [VMS]: writes 100 synthetic exits of each of VMS VMs (1) every 20 ms through the
 * store, until SIGTERM, which ends the run, or SIGUSR1, which begins another one. The TSC runs at 1
 * MHz, so that a second of it makes many seconds of recording, and one exit in each hundred is as
 * old as the run: it comes late. For tests.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/units.h"
#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"

#define BATCH	 100
#define VMS_MOST 100

static volatile sig_atomic_t ended, again;

static void on_signal(int number)
{
	if (number == SIGTERM)
		ended = 1;
	again = 1;
}

static struct synthetic synthetic[VMS_MOST];
static int vcpu[VMS_MOST];

static int begin(struct store *store, unsigned int vms)
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
	int rc = store_begin(store, &run);

	for (unsigned int i = 0; i < vms && !rc; i++) {
		struct store_identity identity = {.name_source = "qemu"};

		snprintf(identity.name, sizeof(identity.name), "web-%u", i + 1);
		synthetic_init(&synthetic[i], 0, 1 + i);
		synthetic[i].lose_one_in = 500;
		rc = store_add_vcpu(
			store,
			&(struct store_vcpu){.comm = "live", .vm_id = 1 + i, .ring_id = 1 + i},
			&vcpu[i]);
		if (!rc && vms > 1)
			rc = store_identify(store, vcpu[i], &identity);
	}
	return rc;
}

static int append(struct store *store, unsigned int vms)
{
	static struct kvm_exit_record records[BATCH];
	int rc = 0;

	for (unsigned int i = 0; i < vms && !rc; i++) {
		synthetic_fill(&synthetic[i], records, BATCH);
		records[0].tsc = SYNTHETIC_TSC_START;
		rc = store_append(store, vcpu[i], records, BATCH);
	}
	return rc ? rc : store_flush(store);
}

static int record(struct store *store, unsigned int vms)
{
	uint64_t end = 0;
	int rc = begin(store, vms);

	for (again = 0; !again && !rc;) {
		rc = append(store, vms);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}

	for (unsigned int i = 0; i < vms && !rc; i++) {
		rc = store_end_vcpu(store, vcpu[i],
				    &(struct store_vcpu_end){.end_seq = synthetic[i].seq});
		end = synthetic[i].tsc > end ? synthetic[i].tsc : end;
	}
	return rc ? rc : store_finish(store, "complete", end, 0);
}

int main(int argc, char **argv)
{
	int64_t vms = 1;
	struct store *store = NULL;
	int rc;

	if (argc < 2 || argc > 3 || (argc > 2 && units_parse_whole(argv[2], 1, VMS_MOST, &vms))) {
		fprintf(stderr, "live_db: usage: live_db FILE [VMS]\n");
		return 1;
	}
	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	rc = store_open(argv[1], &store);
	while (!rc && !ended)
		rc = record(store, (unsigned int)vms);
	if (rc)
		fprintf(stderr, "live_db: %s: %s\n", argv[1], store_strerror(store, rc));
	store_close(store);
	return rc != 0;
}
