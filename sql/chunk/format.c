// SPDX-License-Identifier: GPL-2.0-only
/* format.c - the table of fields: one row each says how it is coded */
#include "sql/chunk/format.h"

#include <errno.h>
#include <zlib.h>

#define FIELD(field, coding)                                                                       \
	{                                                                                          \
#field, offsetof(struct kvm_exit_record, field),                                   \
			sizeof(((struct kvm_exit_record *)0)->field), coding                       \
	}

const struct chunk_field_format chunk_fields[CHUNK_FIELDS] = {
	[CHUNK_SEQ] = FIELD(seq, CHUNK_COUNTER),
	[CHUNK_TSC] = FIELD(tsc, CHUNK_TIME),
	[CHUNK_GUEST_RIP] = FIELD(guest_rip, CHUNK_IN_RIPS),
	[CHUNK_GUEST_CR3] = FIELD(guest_cr3, CHUNK_PREVIOUS),
	[CHUNK_QUALIFICATION] = FIELD(qualification, CHUNK_LIKE_LAST),
	[CHUNK_INFO2] = FIELD(info2, CHUNK_LIKE_LAST),
	[CHUNK_KEY] = FIELD(key, CHUNK_LIKE_LAST),
	[CHUNK_KEY_AUX] = FIELD(key_aux, CHUNK_IN_TUPLE),
	[CHUNK_CYCLES] = FIELD(cycles, CHUNK_SUM),
	[CHUNK_HANDLER_CYCLES] = FIELD(handler_cycles, CHUNK_PART),
	[CHUNK_HALTED_CYCLES] = FIELD(halted_cycles, CHUNK_PART),
	[CHUNK_USERSPACE_CYCLES] = FIELD(userspace_cycles, CHUNK_PART),
	[CHUNK_PREEMPTED_CYCLES] = FIELD(preempted_cycles, CHUNK_PART),
	[CHUNK_REASON] = FIELD(reason, CHUNK_IN_TUPLE),
	[CHUNK_FLAGS] = FIELD(flags, CHUNK_IN_TUPLE),
	[CHUNK_INTR_INFO] = FIELD(intr_info, CHUNK_IN_TUPLE),
	[CHUNK_ERROR_CODE] = FIELD(error_code, CHUNK_IN_TUPLE),
	[CHUNK_PCPU] = FIELD(pcpu, CHUNK_PREVIOUS),
	[CHUNK_VCPU_ID] = FIELD(vcpu_id, CHUNK_IN_TUPLE),
	[CHUNK_USER_REASON] = FIELD(user_reason, CHUNK_IN_TUPLE),
	[CHUNK_ISA] = FIELD(isa, CHUNK_IN_TUPLE),
	[CHUNK_RUN_ERRNO] = FIELD(run_errno, CHUNK_IN_TUPLE),
	[CHUNK_POLLED_CYCLES] = FIELD(polled_cycles, CHUNK_AS_IS),
	[CHUNK_VALUE] = FIELD(value, CHUNK_LIKE_LAST),
	[CHUNK_REQUESTS] = FIELD(requests, CHUNK_LIKE_LAST),
	[CHUNK_ENTRY_EVENT] = FIELD(entry_event, CHUNK_IN_TUPLE),
	[CHUNK_ENTRY_ERROR_CODE] = FIELD(entry_error_code, CHUNK_IN_TUPLE),
	[CHUNK_RESERVED_0] = FIELD(reserved[0], CHUNK_PREVIOUS),
	[CHUNK_RESERVED_1] = FIELD(reserved[1], CHUNK_PREVIOUS),
	[CHUNK_RESERVED_2] = FIELD(reserved[2], CHUNK_PREVIOUS),
	[CHUNK_RESERVED_3] = FIELD(reserved[3], CHUNK_PREVIOUS),
};

uint32_t chunk_crc(const unsigned char *data, size_t bytes)
{
	const unsigned char *rest = data + CHUNK_AT_COUNT;
	uLong crc = crc32_z(0, data, CHUNK_AT_CRC);

	return (uint32_t)crc32_z(crc, rest, bytes - CHUNK_AT_COUNT);
}

const char *chunk_strerror(int rc)
{
	switch (rc) {
	case 0:
		return "no error";
	case CHUNK_DAMAGED:
		return "damaged";
	case CHUNK_FUTURE:
		return "written by a later version";
	case -ENOMEM:
		return "out of memory";
	default:
		return "invalid argument";
	}
}
