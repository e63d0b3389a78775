/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_file.h - the layout of perf.data files, as far as kvm events need it
 *
 * See tools/perf/Documentation/perf.data-file-format.txt of the kernel. All
 * offsets and sizes come from the file and are checked before use.
 *
 * RETURN VALUES: 0 or -errno; -EBADMSG: damaged or cut off; -ENOTSUP: written
 * with an option that this reader doesn't know (compressed, piped, big endian).
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tep_handle;

/*
 * @data, @size: the whole file, mapped
 * @sample_type: PERF_SAMPLE_* of all events
 * @sample_id_all: other records end with who and when, too
 * @at, @end: records from here to there
 */
struct perf_file {
	const unsigned char *data;
	uint64_t size;
	uint64_t sample_type;
	bool sample_id_all;
	uint64_t at;
	uint64_t end;
	struct tep_handle *tep;
};

enum perf_record_kind { PERF_FILE_OTHER, PERF_FILE_SAMPLE, PERF_FILE_LOST, PERF_FILE_ROUND };

/*
 * One record.
 * @time: ns of perf's clock; @pid: process; @tid: thread
 * @raw, @raw_size: of a sample: the tracepoint's own data
 * @lost: of PERF_FILE_LOST: how many events
 */
struct perf_record {
	enum perf_record_kind kind;
	uint64_t time;
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	const unsigned char *raw;
	uint32_t raw_size;
	uint64_t lost;
};

/* Maps @path and reads its headers, with the formats of the kvm events. */
int perf_file_open(struct perf_file *file, const char *path);

/* 1: a record; 0: the end; -EBADMSG, -ENOTSUP. */
int perf_file_next(struct perf_file *file, struct perf_record *record);

void perf_file_close(struct perf_file *file);

#endif
