/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_unpack.h - what perf record -z compressed
 *
 * Each record of type COMPRESSED holds a piece of one zstd stream. What it unpacks to
 * are records again; the last of them may end in the next piece.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_UNPACK_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. The unpacked bytes that were not taken: data[first .. end - 1]. */
struct perf_unpack {
	void *stream;
	unsigned char *data;
	size_t first;
	size_t end;
	size_t room;
};

/* Append what a piece unpacks to. -EBADMSG: damaged; -ENOMEM. */
int perf_unpack_add(struct perf_unpack *unpack, const void *piece, size_t bytes);

/* Forget all that was added. */
void perf_unpack_reset(struct perf_unpack *unpack);

void perf_unpack_free(struct perf_unpack *unpack);

#endif
