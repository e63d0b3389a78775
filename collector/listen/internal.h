/* SPDX-License-Identifier: GPL-2.0-only */
/* internal.h - what metrics.c counts and metrics_text.c prints */
#ifndef EXITSCOPE_COLLECTOR_LISTEN_INTERNAL_H
#define EXITSCOPE_COLLECTOR_LISTEN_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/listen/metrics.h"

/* Upper limits of durations (label le), in ns; one more bucket has no limit. */
#define METRICS_LIMITS 16
extern const uint64_t metrics_limits_ns[METRICS_LIMITS];

enum metrics_part { PART_HANDLER, PART_HALTED, PART_USERSPACE, PART_PREEMPTED, PARTS };

struct durations {
	uint64_t n[METRICS_LIMITS + 1];
	uint64_t cycles;
};

struct reason_count {
	uint32_t reason; /* basic, with bit 31 of a VMX reason */
	uint64_t n;
	const char *name; /* NULL: unknown */
};

/* The name of a basic exit reason as analyzer shows it, or NULL. */
const char *metrics_reason_name(uint32_t isa, uint32_t basic);

/* What became of exits, by reason and by what their time went to; cycles are of the TSC. */
struct exit_sums {
	uint64_t recorded;
	uint64_t dropped;
	uint64_t filtered;
	uint64_t part_cycles[PARTS];

	/* Found by a hash of the reason: place[] has positions + 1. */
	uint32_t reasons;
	struct reason_count reason[METRICS_REASONS];
	uint64_t other_reasons;
	uint8_t place[256];
};

/* One VM; copied as a whole. */
struct vm_counts {
	uint64_t vm_id;
	char name[128]; /* "": unknown */
	uint32_t tgid;
	bool used;

	uint32_t vcpus; /* that have not ended */
	uint64_t ended; /* when the last one ended, as a number that grows; 0: it runs */

	struct exit_sums sums;
	uint64_t unread;
	struct durations durations;
};

/* Of a VM whose source has totals. @ended: of vCPUs that have ended; @now: with the others'. */
struct vm_totals {
	struct exit_sums ended;
	struct exit_sums now;
};

struct vcpu_place {
	uint32_t vm;
	uint64_t vm_id; /* whose counts they are, if the place of the VM is not another's by now */
	uint64_t next_seq;
	bool is_ended;
};

struct metrics {
	pthread_mutex_t lock;

	uint32_t isa;
	uint32_t tsc_khz;
	bool has_parts;	    /* the source knows what the time of exits went to */
	bool has_durations; /* and how long they took */
	uint64_t limits_cycles[METRICS_LIMITS];

	uint64_t unseen; /* exits of vCPUs that were never announced */

	struct vm_counts *vms; /* METRICS_VMS + 1; the last one is for all others */
	uint64_t endings;

	/* of the recording's thread alone */
	struct vm_totals *totals; /* as @vms; NULL: the counts are of records */
	struct vcpu_place *vcpus;
	int vcpu_count;
};

#endif
