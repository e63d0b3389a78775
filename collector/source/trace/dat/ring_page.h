/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ring_page.h - the events of one page of ftrace's ring buffer
 *
 * As trace-cmd stores it (Documentation/trace/ring-buffer-design.rst and
 * include/linux/ring_buffer.h of the kernel):
 *
 *	u64 time stamp, long commit (bytes of events; flags in bits 30 and 31), events
 *
 * and each event: type_len (5 bits), time since the one before (27 bits), data. All
 * lengths are checked: the page comes from a file of somebody else. (libtraceevent's
 * kbuffer trusts them.)
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_RING_PAGE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_RING_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * @at, @end: events that were not read yet
 * @ts: time of the last event read; at first that of the page
 * @missed: events were lost before this page; @lost: how many, 0: it is not said
 */
struct ring_page {
	const unsigned char *at;
	const unsigned char *end;
	uint64_t ts;
	bool missed;
	uint64_t lost;
};

/*
 * ring_page_begin - read a page's header
 * @long_bytes: size of a long of that kernel, 4 or 8
 *
 * Return 0, or -EBADMSG if its header doesn't fit into @bytes.
 */
int ring_page_begin(struct ring_page *page, const unsigned char *data, size_t bytes,
		    unsigned int long_bytes);

/*
 * ring_page_next - the next event with data
 *
 * Return 1 with its data, and its time in page->ts; 0: the end; -EBADMSG.
 */
int ring_page_next(struct ring_page *page, const unsigned char **data, size_t *bytes);

#endif
