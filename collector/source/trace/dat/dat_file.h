/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dat_file.h - the layout of trace-cmd's files, versions 6 and 7
 *
 * See trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5). libtracecmd reads them too, but
 * gives the formats of all events to libtraceevent, whose parser of "print fmt"
 * crashes on damaged ones. All offsets and sizes are checked before use.
 *
 * RETURN VALUES: 0 or -errno; -EBADMSG: damaged or cut off.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "collector/host/fault.h"
#include "collector/source/trace/names.h"

/* Where the pages of a CPU are; of a compressed buffer, its chunks. @cut: the file ends there */
struct dat_cpu {
	uint32_t cpu;
	uint64_t offset;
	uint64_t size;
	bool cut;
};

/* A CPU's lost events by its statistics. */
struct dat_lost {
	uint32_t cpu;
	uint64_t events;
};

/* Name of a clock that the file should have said and did not. */
#define DAT_CLOCK_UNKNOWN "?"

/*
 * One instance of ftrace.
 * @name: "": the top one, else that of a folder; @clock: ftrace's name of its clock, "": the file
 *	is of a trace-cmd that can't choose one
 * @lost: events that its statistics call overwritten or dropped, if @has_stats; @lost_of: of which
 *	CPUs
 * @busy: CPUs that have events by these statistics
 */
struct dat_buffer {
	char name[NAME_MAX + 1];
	char clock[16];
	uint32_t page_bytes;
	bool compressed;
	bool has_stats;
	uint64_t lost;
	struct dat_cpu *cpus;
	size_t cpu_count;
	uint32_t *busy;
	size_t busy_count;
	struct dat_lost *lost_of;
	size_t lost_count;
};

enum dat_compression { DAT_NONE, DAT_ZLIB, DAT_ZSTD, DAT_OTHER };

/*
 * @data, @size: the whole file, mapped
 * @long_bytes: size of a long in the kernel's buffers
 * @tsc_mult, @tsc_shift: TSC cycles * mult >> shift are ns; mult 0: not in the file
 * @wall_offset_ns: CLOCK_REALTIME - time stamps; 0: not in the file
 * @host, @kernel, @machine: of uname(2); "": not in the file
 * @cut_at: the file ends at that byte, before it should; 0: it is whole. What stands before is
 * there
 * @cut_others: events of other CPUs than those before the cut are missing, too
 * @options_end: where the last section of options ended (version 7)
 */
struct dat_file {
	const char *path;
	const unsigned char *data;
	uint64_t size;
	unsigned int version;
	uint32_t page_bytes;
	unsigned int long_bytes;
	uint32_t cpu_count;
	enum dat_compression compression;
	struct dat_buffer *buffers;
	size_t buffer_count;
	struct kvm_event_formats formats;
	struct names names;
	uint32_t tsc_mult;
	uint32_t tsc_shift;
	int64_t wall_offset_ns;
	char clock[16];
	char host[65];
	char kernel[65];
	char machine[65];
	uint64_t cut_at;
	bool cut_others;
	uint64_t options_end;
	char stats_of[NAME_MAX + 1]; /* the instance whose statistics come next */
	uint32_t stats_cpu;	     /* the CPU that they are of */
	bool is_text;		     /* it holds text instead of pages */
};

/* Map @path and read all but the pages; words in @fault. */
int dat_file_open(struct dat_file *file, const char *path, struct fault *fault);

void dat_file_close(struct dat_file *file);

/* How many events of a CPU were lost by its statistics; 0 also if there are none. */
uint64_t dat_lost_of(const struct dat_buffer *buffer, uint32_t cpu);

/*
 * The pages of one CPU, front to back.
 * @chunk: the unpacked part that the pages are in; NULL: they are in the file
 */
struct dat_pages {
	const struct dat_file *file;
	const struct dat_buffer *buffer;
	const struct dat_cpu *cpu;
	uint64_t at; /* in the file */
	uint64_t end;
	uint32_t chunks; /* that were not unpacked yet */
	unsigned char *chunk;
	size_t chunk_at;
	size_t chunk_end;
};

/* Begin with the first page. -EBADMSG. */
int dat_pages_begin(struct dat_pages *pages, const struct dat_file *file,
		    const struct dat_buffer *buffer, const struct dat_cpu *cpu);

/* 1: the next page of at most buffer->page_bytes bytes; 0: the end; -errno. */
int dat_pages_next(struct dat_pages *pages, const unsigned char **page, size_t *bytes);

void dat_pages_end(struct dat_pages *pages);

#endif
