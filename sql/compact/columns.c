// SPDX-License-Identifier: GPL-2.0-only
/* columns.c - a row for each column of table exit; see columns.h */
#include "sql/compact/columns.h"

const struct exit_column exit_columns[] = {
	{"seq", CHUNK_SEQ, EXIT_NEVER_NULL, 0},
	{"tsc", CHUNK_TSC, EXIT_NEVER_NULL, 0},
	{"reason", CHUNK_REASON, EXIT_NEVER_NULL, 0},
	{"flags", CHUNK_FLAGS, EXIT_NEVER_NULL, 0},
	{"cycles", CHUNK_CYCLES, EXIT_NEVER_NULL, 0},
	{"halted_cycles", CHUNK_HALTED_CYCLES, EXIT_NEVER_NULL, 0},
	{"userspace_cycles", CHUNK_USERSPACE_CYCLES, EXIT_NEVER_NULL, 0},
	{"preempted_cycles", CHUNK_PREEMPTED_CYCLES, EXIT_NEVER_NULL, 0},
	{"rip", CHUNK_GUEST_RIP, EXIT_NEVER_NULL, 0},
	{"key", CHUNK_KEY, EXIT_NULL_UNLESS_FLAG, KVM_EXIT_REC_KEY},
	{"key_aux", CHUNK_KEY_AUX, EXIT_NULL_UNLESS_FLAG, KVM_EXIT_REC_KEY},
	{"qualification", CHUNK_QUALIFICATION, EXIT_NEVER_NULL, 0},
	{"info2", CHUNK_INFO2, EXIT_NEVER_NULL, 0},
	{"intr_info", CHUNK_INTR_INFO, EXIT_NEVER_NULL, 0},
	{"error_code", CHUNK_ERROR_CODE, EXIT_NEVER_NULL, 0},
	{"user_reason", CHUNK_USER_REASON, EXIT_NEVER_NULL, 0},
	{"pcpu", CHUNK_PCPU, EXIT_NEVER_NULL, 0},
	{"cr3", CHUNK_GUEST_CR3, EXIT_NULL_UNLESS_FLAG, KVM_EXIT_REC_CR3},
	{"value", CHUNK_VALUE, EXIT_NULL_IF_ZERO, 0},
	{"requests", CHUNK_REQUESTS, EXIT_NULL_IF_ZERO, 0},
	{"entry_event", CHUNK_ENTRY_EVENT, EXIT_NULL_IF_ZERO, 0},
	{"polled_cycles", CHUNK_POLLED_CYCLES, EXIT_NULL_IF_ZERO, 0},
	{"run_errno", CHUNK_RUN_ERRNO, EXIT_NULL_IF_ZERO, 0},
	{"entry_error_code", CHUNK_ENTRY_ERROR_CODE, EXIT_NULL_IF_ZERO, 0},
};

const int exit_column_count = sizeof(exit_columns) / sizeof(*exit_columns);

int exit_chunk_open(struct chunk_decoder *decoder, int64_t id, int64_t n, const void *data,
		    size_t bytes)
{
	int rc = chunk_open(decoder, data ? data : "", bytes);

	if (rc)
		return rc;
	return chunk_count(decoder) == n && id >= 0 && id <= EXIT_CHUNK_ID_MAX ? 0 : CHUNK_DAMAGED;
}
