/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_line.h - KVM's tracepoints as the tools print them, one line each
 *
 *	ftrace's file trace:
 *	  qemu-1000    [003] d..2.   196.701717: kvm_exit: vcpu 0 reason MSR_READ rip 0x1000 ...
 *	the same with the option record-tgid:
 *	  qemu-1000    (    990) [003] d..2.   196.701717: kvm_entry: vcpu 0, rip 0x1002
 *	trace-cmd report:
 *	  qemu-1000    [003]   196.701717: kvm_exit: reason EXIT_NPF rip 0x1000 info 6 10000
 *	perf script:
 *	  qemu  990/1000  [003]   196.701717101: kvm:kvm_msr: msr_read 277 = 0x70406
 *	where events were lost:
 *	  CPU:3 [LOST 198 EVENTS]   CPU:3 [198 EVENTS DROPPED]   CPU:3 [EVENTS DROPPED]
 *	  # entries-in-buffer/entries-written: 414/612   #P:4
 *	  ##### CPU 3 buffer started ####
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_LINE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_TEXT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/events/kvm_event.h"
#include "collector/source/trace/text/text_head.h"

enum text_line_kind {
	TEXT_NOTHING,
	TEXT_EVENT,	  /* .event, .head; of the event's time .is_count says if it is none */
	TEXT_OTHER,	  /* an event of another kind: .event.ts and .event.cpu */
	TEXT_LOST,	  /* .lost events on CPU .event.cpu, 0: how many is not said */
	TEXT_OVERWRITTEN, /* a buffer follows that has .present of .written events */
	TEXT_STARTED,	  /* of CPU .event.cpu, whose events before were overwritten */
	TEXT_UNREAD,	  /* it is of kvm_exit or kvm_entry, and can't be read */
	TEXT_SAMPLES_LOST /* .lost events on CPU .event.cpu up to now (perf script) */
};

/*
 * @event: its period is 0 where none is printed
 * @is_count: times are whole numbers: cycles of the TSC, or just the order
 * @has_cpu: .event.cpu was read
 * @has_ns: its time has more digits than those of us
 * @words: name and fields of an event, in the text that was parsed; NULL: it has no time or thread
 * @is_perf: the event is called kvm:kvm_exit and the like
 * @is_joined: of TEXT_UNREAD: it has several events, as the ends of lines were lost
 * @is_foreign: of TEXT_UNREAD: the line is one of another architecture's KVM
 * @has_bare_info: a kvm_exit with "info A B": by a kernel before 5.10, or by the plugin of
 *	trace-cmd and perf, of any kernel
 * @ends_early: a kvm_exit that lacks its last fields: the number that it ends with may be a part of
 *	one
 * @has_rip: a kvm_entry with rip, which kernels have from 5.10 on
 */
struct text_line {
	enum text_line_kind kind;
	struct kvm_event event;
	struct text_head head;
	uint64_t lost;
	uint64_t present;
	uint64_t written;
	const char *words;
	bool is_count;
	bool has_cpu;
	bool has_ns;
	bool is_perf;
	bool is_joined;
	bool is_foreign;
	bool has_bare_info;
	bool ends_early;
	bool has_rip;
};

/* What a line says; it may be of any kind and quality. */
void text_line_parse(const char *text, struct text_line *line);

/* A number for the words of a line: those with the same one are taken as the same. */
uint64_t text_line_print(const struct text_line *line);

#endif
