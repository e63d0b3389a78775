/* SPDX-License-Identifier: GPL-2.0-only */
/* recording.h - the rows of a database that the judge compares with the witness */
#ifndef TESTBED_WITNESS_RECORDING_H
#define TESTBED_WITNESS_RECORDING_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testbed/witness/events.h"

/* A row of table exit (sql/schema.sql); 64-bit values as the CPU has them, without a sign. */
struct record {
	uint64_t seq;
	uint64_t tsc;
	uint64_t cycles;
	uint64_t not_handler_cycles; /* halted, in user space or preempted */

	uint64_t rip;
	uint64_t cr3;
	uint64_t info1;
	uint64_t info2;
	uint64_t key;
	uint64_t key_aux;
	uint32_t reason;
	uint32_t flags;
	uint32_t intr_info;
	uint32_t error_code;
	uint32_t pcpu;

	uint32_t vcpu;	   /* index in recording.vcpus */
	uint32_t position; /* of its exit in the witness's file; EVENTS_NONE: none */
};

/* A row of table vcpu. */
struct vcpu {
	int64_t id;
	int64_t run_id;
	uint64_t recorded;
	uint64_t without_record; /* dropped, filtered, unread or open */
	bool has_filtered;
	bool is_ended; /* destroyed before the run ended */

	/* Its records, in the order of seq. */
	uint32_t first_record;
	uint32_t record_count;

	/* What the judge finds. */
	uint32_t synthesized; /* records without a VM entry */
	uint64_t unmatched;   /* exits of the CPU that belong to it and have no record */
	uint64_t after;	      /* exits after the recording of a vCPU that lives on */
};

struct recording {
	sqlite3 *db;
	struct window window; /* while anything was recorded */
	uint32_t isa;
	bool is_complete; /* every run has ended in good order, so its counts are final */
	bool has_ept;	  /* nested paging: the CPU's CR3 is the guest's own */
	bool is_by_bpf;	  /* stamped at KVM's tracepoints */
	uint64_t lost;	  /* exits of vCPUs that were lost as a whole and have no row */

	struct vcpu *vcpus;
	uint32_t vcpu_count;
	struct record *records; /* by vCPU, then by seq */
	uint32_t record_count;
};

/*
 * Opens the database at @path and reads it; for writing, too, if @is_writable. Returns 0, 1 if it
 * has no recording that a CPU's exits could be compared with (the reason in @why), or -1 and the
 * reason in @why.
 */
int recording_open(struct recording *recording, const char *path, bool is_writable, char *why,
		   size_t why_bytes);
void recording_close(struct recording *recording);

#endif
