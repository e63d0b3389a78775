// SPDX-License-Identifier: GPL-2.0-only
/* ring_page.c - walks through a page of ftrace's ring buffer */
#include "collector/source/trace/dat/ring_page.h"

#include <errno.h>
#include <string.h>

#define MISSED_EVENTS (1U << 31) /* some were lost before this page */
#define MISSED_STORED (1U << 30) /* how many stands after the events */
#define COMMIT_MASK   ((1U << 27) - 1)

/* type_len; 1 to 28: words of data */
enum { TYPE_LENGTH_FOLLOWS = 0, TYPE_PADDING = 29, TYPE_TIME_EXTEND = 30, TYPE_TIME_STAMP = 31 };

#define DELTA_BITS   27
#define ABSOLUTE_TOP (0x1fULL << 59) /* bits that an absolute time stamp has no room for */

static uint32_t u32_at(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t long_at(const unsigned char *at, unsigned int long_bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, long_bytes);
	return value;
}

int ring_page_begin(struct ring_page *page, const unsigned char *data, size_t bytes,
		    unsigned int long_bytes)
{
	size_t header = sizeof(uint64_t) + long_bytes;
	uint32_t commit;

	if (bytes < header)
		return -EBADMSG;
	commit = u32_at(data + sizeof(uint64_t));
	if ((commit & COMMIT_MASK) > bytes - header)
		return -EBADMSG;

	page->ts = long_at(data, sizeof(uint64_t));
	page->at = data + header;
	page->end = page->at + (commit & COMMIT_MASK);
	page->missed = commit & MISSED_EVENTS;
	page->lost = 0;
	if (page->missed && commit & MISSED_STORED &&
	    (size_t)(data + bytes - page->end) >= long_bytes)
		page->lost = long_at(page->end, long_bytes);
	return 0;
}

/* Take @bytes bytes; false: the page ends before them. */
static bool take(struct ring_page *page, size_t bytes)
{
	if (bytes > (size_t)(page->end - page->at))
		return false;
	page->at += bytes;
	return true;
}

/* The event that @type says, after its first word. 1: it has data; 0: it has none. */
static int take_event(struct ring_page *page, uint32_t type, uint64_t delta,
		      const unsigned char **data, size_t *bytes)
{
	const unsigned char *word = page->at;
	uint32_t value = 0;

	if (type == TYPE_PADDING && !delta) { /* the rest of the page is empty */
		page->at = page->end;
		return 0;
	}
	if (type == TYPE_LENGTH_FOLLOWS || type >= TYPE_PADDING) {
		if (!take(page, sizeof(uint32_t)))
			return -EBADMSG;
		value = u32_at(word);
	}

	switch (type) {
	case TYPE_TIME_EXTEND:
		page->ts += ((uint64_t)value << DELTA_BITS) + delta;
		return 0;
	case TYPE_TIME_STAMP:
		page->ts = (page->ts & ABSOLUTE_TOP) | ((uint64_t)value << DELTA_BITS) | delta;
		return 0;
	case TYPE_PADDING: /* an event that was discarded; the length counts its own word */
		page->ts += delta;
		return value >= 4 && take(page, value - 4) ? 0 : -EBADMSG;
	case TYPE_LENGTH_FOLLOWS:
		if (value < 4)
			return -EBADMSG;
		*bytes = value - 4;
		break;
	default:
		*bytes = 4 * type;
	}

	page->ts += delta;
	*data = page->at;
	return take(page, (*bytes + 3) & ~(size_t)3) ? 1 : -EBADMSG;
}

int ring_page_next(struct ring_page *page, const unsigned char **data, size_t *bytes)
{
	int rc = 0;

	while (!rc && page->at < page->end) {
		uint32_t word;

		if (page->end - page->at < 4)
			return -EBADMSG;
		word = u32_at(page->at);
		page->at += 4;
		rc = take_event(page, word & 0x1f, word >> 5, data, bytes);
	}
	return rc;
}
