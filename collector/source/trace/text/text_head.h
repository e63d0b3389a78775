/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_head.h - what stands before the time of a printed event: thread, process, CPU, instance
 *
 *	       qemu-1000    [003] d..2.		ftrace, trace-cmd report
 *	       qemu-1000    (    990) [003] d..2.	ftrace with record-tgid
 *	       qemu  990/1000  [003]		perf script
 *	    qemu-1000     3d..2.			ftrace with latency-format, trace-cmd report
 *	    qemu      1000   3			perf script -L
 *	    qemu   990/1000    3			the same with -F pid,tid,cpu
 *	vm1:        qemu-1000    [003]		trace-cmd report, of instance vm1
 *
 * The name stands right in 16 columns, of the latency formats in 8. It may hold anything: blanks,
 * colons, brackets, numbers.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_HEAD_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_INSTANCE_BYTES 64

/*
 * @comm: "": unknown
 * @cpu, @tgid: 0 where the text has none; @has_cpu: it has the CPU
 * @instance: of ftrace, "": the top one, or not said
 * @is_wide: something stands before the columns of the name, be it blanks
 */
struct text_head {
	char comm[16];
	uint32_t tid;
	uint32_t tgid;
	uint32_t cpu;
	char instance[TEXT_INSTANCE_BYTES];
	bool is_wide;
	bool has_cpu;
};

/* Read what stands from @text to @end. False: it names no thread. */
bool text_head_parse(const char *text, const char *end, struct text_head *head);

#endif
