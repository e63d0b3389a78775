/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_file.h - the layout of perf.data files, as far as kvm events need it
 *
 * See tools/perf/Documentation/perf.data-file-format.txt of the kernel. A file is read
 * with any options of perf record (-g, -d, -W, -z, other events, a pipe): of a sample
 * only what stands before the tracepoint's data must be understood. All offsets and
 * sizes come from the file and are checked before use.
 *
 * RETURN VALUES: 0 or -errno with words in a fault.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_PERF_PERF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "collector/host/fault.h"
#include "collector/source/trace/perf/perf_unpack.h"

/*
 * One event that was recorded.
 * @type, @config: as in perf_event_attr; of a tracepoint the config is its number
 * @sample_type, @read_format: PERF_SAMPLE_*, PERF_FORMAT_*
 * @period: of a sample, in events; with @is_frequency: samples per second
 * @overwrites: the buffer keeps the newest samples (perf record --overwrite)
 * @has_sideband: it also has records of names, mappings, threads and the like
 */
struct perf_attr {
	uint32_t type;
	uint64_t config;
	uint64_t sample_type;
	uint64_t read_format;
	uint64_t period;
	bool is_frequency;
	bool overwrites;
	bool has_sideband;
	bool sample_id_all;
};

struct perf_id {
	uint64_t id;
	size_t attr;
};

/* CPUs that kvm_exit was opened on; @any: on all, as it is of a thread. */
struct perf_cpus {
	uint64_t seen[64];
	uint32_t count;
	uint32_t first;
	bool any;
};

/* Texts and numbers of the feature sections. NULL, 0: not in the file. */
struct perf_features {
	char *hostname;
	char *kernel;
	char *cpu;
	char *arch;
	char *command;
	uint32_t cpus_online;
	int64_t wall_clock_ns; /* CLOCK_REALTIME at @clock_ns */
	uint64_t clock_ns;
	uint64_t first_ns; /* of the first and the last sample */
	uint64_t last_ns;
};

/* Bytes before the first record of what was written to a pipe. */
#define PERF_FILE_PIPE_HEADER 16

/*
 * @path: as given
 * @data, @size: the whole file, mapped
 * @attrs: the events; @ids: which event a sample is of
 * @at, @begin, @end: records from here to there
 * @next_at: where another recording follows, as of `cat a b`; 0: nowhere
 * @cpus: by the records before the first sample
 * @cut_at: where the file was cut off: of a pipe within a record, else after all records and their
 *	formats; 0: it was not read so far, or is whole
 */
struct perf_file {
	const char *path;
	const unsigned char *data;
	uint64_t size;
	struct perf_attr *attrs;
	size_t attr_count;
	struct perf_id *ids;
	size_t id_count;
	uint64_t begin;
	uint64_t at;
	uint64_t end;
	uint64_t next_at;
	uint64_t cut_at;
	bool has_headers; /* events that a pipe repeats are left out */
	struct perf_unpack unpack;
	struct kvm_event_formats formats;
	struct perf_cpus cpus;
	struct perf_features features;
};

enum perf_record_kind {
	PERF_FILE_OTHER,
	PERF_FILE_SAMPLE,
	PERF_FILE_LOST,		/* of the buffer, of any event */
	PERF_FILE_LOST_SAMPLES, /* of one event, over the whole recording */
	PERF_FILE_COMM,
	PERF_FILE_THROTTLED,   /* the kernel stopped an event, */
	PERF_FILE_UNTHROTTLED, /* and goes on */
	PERF_FILE_ROUND
};

/*
 * One record. Fields that its event was not recorded with are 0.
 * @attr: event of a sample, of PERF_FILE_LOST_SAMPLES and of throttling; NULL: unknown
 * @time: ns of perf's clock; @pid: process; @tid: thread
 * @period: events that a sample stands for
 * @raw, @raw_size: of a sample: the tracepoint's own data
 * @lost: how many events or samples
 * @comm: the thread's new name
 */
struct perf_record {
	enum perf_record_kind kind;
	const struct perf_attr *attr;
	uint64_t time;
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	uint64_t period;
	const unsigned char *raw;
	uint32_t raw_size;
	uint64_t lost;
	const char *comm;
};

/* Map @path and read its headers, with the formats of the kvm events. */
int perf_file_open(struct perf_file *file, const char *path, struct fault *fault);

/* 1: a record, valid until the next call; 0: the end; or -errno. */
int perf_file_next(struct perf_file *file, struct perf_record *record, struct fault *fault);

/* Begin again. */
void perf_file_rewind(struct perf_file *file);

/* The event of that tracepoint, NULL: it was not recorded. */
const struct perf_attr *perf_file_find(const struct perf_file *file, enum kvm_event_kind kind);

void perf_file_close(struct perf_file *file);

#endif
