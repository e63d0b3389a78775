/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capture_file.h - a recording as a file, as it came off the device
 *
 * FORMAT (little endian, no padding beyond what the structs show)
 *	struct capture_header
 *	blocks: struct capture_block, then block.bytes bytes
 *	  CAPTURE_TEXT		"name=value": a text of run_info.h
 *	  CAPTURE_VCPU		struct capture_vcpu; numbered from 0 as they come
 *	  CAPTURE_NAMES		struct store_identity of block.vcpu: what its host called it
 *	  CAPTURE_RECORDS	struct kvm_exit_record[] of block.vcpu in seq order
 *	  CAPTURE_END_VCPU	struct capture_end and capture_end.slots times
 *				struct capture_slot; no block of this vCPU follows
 *	  CAPTURE_FINISH	struct capture_finish; the file ends after it
 * The whole may be gzip-compressed. Texts come before the first vCPU. A file without
 * CAPTURE_FINISH was cut off, where it ends or where only zeros follow; what stands before is read.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_CAPTURE_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "collector/host/fault.h"
#include "collector/host/run_info.h"
#include "collector/source/source.h"

#define CAPTURE_MAGIC	0x5041435845564b00ULL /* "\0KVEXCAP" */
#define CAPTURE_VERSION 2U

/*
 * Version 1 had records of 128 bytes, the begin of today's: without polled_cycles, value,
 * requests and entry_event. They are read as 0, and no flag says that they are valid; without the
 * text "features" they are unknown.
 */
#define CAPTURE_VERSION_1_RECORD_BYTES 128U

/* A later version may have longer records, up to this; what is new is at their end. */
#define CAPTURE_RECORD_BYTES_MAX 1024U

enum capture_kind {
	CAPTURE_TEXT = 1,
	CAPTURE_VCPU,
	CAPTURE_RECORDS,
	CAPTURE_END_VCPU,
	CAPTURE_FINISH,
	CAPTURE_NAMES,
};

struct capture_header {
	uint64_t magic;
	uint32_t version;
	uint32_t record_bytes; /* sizeof(struct kvm_exit_record); in version 1: 128 */
	uint32_t isa;
	uint32_t tsc_khz;
	uint64_t tsc_start;
	int64_t started_ns;
	uint64_t reserved[3];
};

struct capture_block {
	uint32_t kind;
	uint32_t vcpu;
	uint64_t bytes;
};

/* Fields as in struct store_vcpu. */
struct capture_vcpu {
	uint64_t vm_id;
	uint64_t ring_id;
	uint64_t first_seq;
	uint32_t tgid;
	uint32_t vcpu_id;
	char comm[32]; /* ends with a 0 */
};

/* Fields as in struct store_vcpu_end. */
struct capture_end {
	uint64_t end_seq;
	uint64_t filtered;
	uint64_t unread;
	uint64_t vmfail;
	uint32_t open_exits;
	uint32_t ended;
	uint32_t slots;
	uint32_t tid; /* 0 in version 1 */
};

/* The totals of one slot; slots that are all zero are left out. */
struct capture_slot {
	uint64_t slot;
	struct kvm_exit_total total;
};

struct capture_finish {
	uint64_t tsc_end;
	int64_t ended_ns;
};

_Static_assert(sizeof(struct capture_header) == 64, "no padding");
_Static_assert(sizeof(struct capture_block) == 16, "no padding");
_Static_assert(sizeof(struct capture_vcpu) == 64, "no padding");
_Static_assert(sizeof(struct capture_end) == 48, "no padding");
_Static_assert(sizeof(struct capture_slot) == 136, "no padding");
_Static_assert(sizeof(struct capture_finish) == 16, "no padding");
_Static_assert(sizeof(struct store_identity) == 448, "no padding");

struct capture;

/*
 * Create @path, which must not exist (-EEXIST); compressed if its name ends in .gz. Returns 0 or
 * -errno, as all calls here; -EIO where zlib gives no reason.
 */
int capture_create(const char *path, struct capture **capture);

/* Write the header and the texts; before the first item. */
int capture_begin(struct capture *capture, const struct run_info *info);

/* Write SOURCE_VCPU, SOURCE_NAMES, SOURCE_RECORDS or SOURCE_END_VCPU; -EINVAL: another kind. */
int capture_write(struct capture *capture, const struct source_item *item);

/* Write the end of the run; nothing may follow. */
int capture_finish(struct capture *capture, const struct run_info *info);

/* Close the file (NULL: none). It is removed if it was never finished, unless @keep. */
int capture_close(struct capture *capture, bool keep);

#endif
