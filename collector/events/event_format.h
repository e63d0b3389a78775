/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_format.h - where the fields of a trace event lie, by its format text
 *
 * The text is that of /sys/kernel/tracing/events/SYSTEM/EVENT/format, as trace-cmd
 * and perf store it in their files:
 *
 *	name: kvm_entry
 *	ID: 1482
 *	format:
 *		field:int common_pid;	offset:4;	size:4;	signed:1;
 *		field:unsigned int vcpu_id;	offset:8;	size:4;	signed:0;
 *
 *	print fmt: "vcpu %u", REC->vcpu_id
 *
 * Only name, ID and the field lines are read. The text comes from a file of
 * somebody else: "print fmt" holds expressions, and libtraceevent's parser of
 * these crashes on damaged ones.
 */
#ifndef EXITSCOPE_COLLECTOR_EVENTS_EVENT_FORMAT_H
#define EXITSCOPE_COLLECTOR_EVENTS_EVENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_FORMAT_FIELDS 40
#define EVENT_FORMAT_NAME   48

/*
 * @offset, @size: in bytes, from the beginning of the event; @size 0: no such field
 * @is_signed: sign-extend it
 */
struct event_field {
	char name[EVENT_FORMAT_NAME];
	uint32_t offset;
	uint32_t size;
	bool is_signed;
};

struct event_format {
	char name[EVENT_FORMAT_NAME];
	uint32_t id;
	size_t count;
	struct event_field fields[EVENT_FORMAT_FIELDS];
};

/*
 * event_format_parse - read a format text of @size bytes (no 0 at its end needed)
 *
 * Fields beyond EVENT_FORMAT_FIELDS and lines of another form are left out.
 * Return 0, or -EBADMSG if the text has no name or no ID.
 */
int event_format_parse(struct event_format *format, const char *text, size_t size);

/* The field @name, or NULL. */
const struct event_field *event_format_find(const struct event_format *format, const char *name);

/*
 * event_field_read - the number in a field of an event of @size bytes (little endian)
 *
 * Return 0 if the field is missing, is not a number of 1, 2, 4 or 8 bytes, or is not
 * wholly in the event.
 */
uint64_t event_field_read(const struct event_field *field, const void *data, size_t size);

/* Whether the event is long enough to hold the field. */
bool event_field_fits(const struct event_field *field, size_t size);

#endif
