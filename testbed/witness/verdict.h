/* SPDX-License-Identifier: GPL-2.0-only */
/* verdict.h - what the judge has found about one recording */
#ifndef TESTBED_WITNESS_VERDICT_H
#define TESTBED_WITNESS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* What can be wrong; verdict.c has a sentence for each. */
enum fault {
	/* the witness itself */
	FAULT_UNPAIRED,
	FAULT_LOST,
	FAULT_BACKWARDS,

	/* one record for each exit */
	FAULT_NO_EXIT,
	FAULT_TWO_RECORDS,
	FAULT_ORDER,
	FAULT_MISSING,
	FAULT_COUNT,
	FAULT_ROWS,
	FAULT_VCPU,
	FAULT_NESTED,
	FAULT_UNKNOWN_VM,

	/* what a record says */
	FAULT_REASON,
	FAULT_RIP,
	FAULT_INFO1,
	FAULT_INFO2,
	FAULT_INTR_INFO,
	FAULT_ERROR_CODE,
	FAULT_KEY,
	FAULT_KEY_AUX,
	FAULT_CR3,

	/* time */
	FAULT_END,
	FAULT_NO_ENTRY,
	FAULT_AFTER_EXIT,
	FAULT_BEFORE_ENTRY,
	FAULT_HANDLER,

	FAULTS
};

#define FINDING_BYTES 192

struct finding {
	uint64_t count;
	char first[FINDING_BYTES]; /* the first one, in numbers */
};

/* Smallest and largest of @count distances, in cycles, and what all of them are together. */
struct spread {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t sum;
};

#define DISTANCE_REASONS 64

/* The distances of one exit reason. */
struct distances {
	uint32_t reason;
	struct spread after_exit;
	struct spread before_entry;
};

struct verdict {
	struct finding findings[FAULTS];

	uint64_t records;
	uint64_t matched;     /* records that have their exit */
	uint64_t synthesized; /* records of exits that KVM has made up */
	uint64_t nested;      /* of the matched */
	uint64_t unmatched; /* exits without a record, counted as dropped, filtered, unread or open
			     */
	uint64_t after;	    /* exits of a vCPU after its recording */
	uint64_t fields;    /* compared */

	struct spread after_exit;   /* from the CPU's exit to the record's stamp */
	struct spread before_entry; /* from the record's end to the CPU's next entry */

	/* The same by exit reason, in the order in which they came; of further ones nothing. */
	struct distances reasons[DISTANCE_REASONS];
	uint32_t reason_count;
};

/* The sentence for a fault. */
const char *verdict_text(enum fault fault);

/* Its word for scripts, as in the list above. */
const char *verdict_word(enum fault fault);

/* Counts one fault; keeps the numbers of the first. */
void verdict_add(struct verdict *verdict, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool verdict_is_equal(const struct verdict *verdict);

/* 0 if there is none. */
uint64_t spread_mean(const struct spread *spread);

/* Adds distances of an exit of @reason. */
void verdict_add_after_exit(struct verdict *verdict, uint32_t reason, uint64_t distance);
void verdict_add_before_entry(struct verdict *verdict, uint32_t reason, uint64_t distance);

#endif
