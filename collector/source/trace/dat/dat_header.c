// SPDX-License-Identifier: GPL-2.0-only
/* dat_header.c - reads what stands before and around the pages of a trace.dat file */
#include "collector/source/trace/dat/dat_header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/source/trace/dat/dat_cut.h"
#include "collector/source/trace/dat/dat_options.h"
#include "collector/source/trace/dat/dat_unpack.h"
#include "collector/source/trace/format_list.h"

#define MAGIC	      "\x17\x08\x44tracing"
#define TAG_BYTES     10 /* "options  ", "latency  ", "flyrecord", with their 0 */
#define CPU_BYTES     16 /* of a CPU in version 6: the place of its pages */
#define MOST_CPUS     65536U
#define MOST_SECTIONS 1024 /* of options, against circles */

/* header_page says how long a long is; header_event says nothing new. */
static void read_page_header(struct dat_file *f, struct cursor *c)
{
	struct event_format format;
	const struct event_field *commit;

	cursor_text(c);
	for (int i = 0; i < 2; i++) {
		uint64_t size = cursor_u64(c);
		const char *text = cursor_take(c, size);

		if (!i && text) {
			event_format_parse(&format, text, size);
			commit = event_format_find(&format, "commit");
			f->long_bytes = commit && commit->size == 4 ? 4 : 8;
			cursor_text(c);
		}
	}
}

/* "PID NAME" lines. */
static int read_names(struct dat_file *f, struct cursor *c)
{
	uint64_t size = cursor_u64(c);
	const char *at = cursor_take(c, size);
	const char *end = at ? at + size : NULL;
	int rc = 0;

	while (at < end && !rc) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);
		char line[64] = "";
		unsigned int pid;
		int name;

		memcpy(line, at, length < sizeof(line) - 1 ? length : sizeof(line) - 1);
		if (sscanf(line, "%u %n", &pid, &name) == 1)
			rc = names_set(&f->names, pid, line + name);
		at += length + 1;
	}
	return rc;
}

/* @count CPUs; @with_ids: each begins with its number, else they are 0, 1, ... */
static int read_cpus(struct dat_buffer *buffer, struct cursor *c, uint32_t count, bool with_ids)
{
	if (count > MOST_CPUS || c->bad)
		return -EBADMSG;
	free(buffer->cpus);
	buffer->cpu_count = 0;
	buffer->cpus = calloc(count + 1, sizeof(*buffer->cpus));
	if (!buffer->cpus)
		return -ENOMEM;

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		struct dat_cpu *cpu = &buffer->cpus[buffer->cpu_count++];

		cpu->cpu = with_ids ? cursor_u32(c) : i;
		cpu->offset = cursor_u64(c);
		cpu->size = cursor_u64(c);
	}
	return c->bad ? -EBADMSG : 0;
}

/*
 * Version 6, between the places of the pages and the pages: u64 size and ftrace's file trace_clock
 * of this instance. The option has that of the top one, or nothing.
 */
static void read_clock(const struct dat_file *f, struct dat_buffer *buffer, struct cursor c)
{
	uint64_t bytes = cursor_u64(&c), at = (uint64_t)(c.at - f->data);
	const char *text;

	snprintf(buffer->clock, sizeof(buffer->clock), "%s", f->clock);
	for (size_t i = 0; i < buffer->cpu_count; i++) {
		const struct dat_cpu *cpu = &buffer->cpus[i];

		if (cpu->size && (bytes > cpu->offset || at > cpu->offset - bytes))
			return; /* pages stand here */
	}
	text = cursor_take(&c, bytes);
	if (text)
		dat_option_clock(text, bytes, buffer->clock, sizeof(buffer->clock));
}

/* Version 6: "flyrecord", the places of the CPUs' pages, and the clock. */
static int read_flyrecord(struct dat_file *f, struct cursor *c, const char *name, uint32_t cpus)
{
	const char *tag = cursor_take(c, TAG_BYTES);
	struct dat_buffer *buffer;

	if (!tag)
		return -EBADMSG;
	if (!memcmp(tag, "latency", 7)) {
		f->is_text = true;
		return 0;
	}
	if (memcmp(tag, "flyrecord", 9))
		return -EBADMSG;
	buffer = dat_option_buffer(f, name);
	if (!buffer)
		return -ENOMEM;
	if (read_cpus(buffer, c, cpus, false))
		return -EBADMSG;
	read_clock(f, buffer, *c);
	dat_cut_pages(f, buffer);
	return 0;
}

/* Version 6, an instance: where it is, its name, its CPUs if they are others. */
static int take_instance(struct dat_file *f, struct cursor data)
{
	uint64_t offset = cursor_u64(&data);
	const char *name = cursor_text(&data);
	uint32_t cpus = cursor_left(&data) >= 4 ? cursor_u32(&data) : f->cpu_count;
	struct cursor c;

	if (data.bad)
		return -EBADMSG;
	if (dat_cut_instance(f, offset, TAG_BYTES + CPU_BYTES * (uint64_t)cpus))
		return 0;
	c = cursor_of(f->data, f->size, offset, f->size - offset);
	return read_flyrecord(f, &c, name, cpus);
}

/* Instances come after the clock, so they are taken in a second @turn. */
static int take_options_v6(struct dat_file *f, struct cursor *c, int turn)
{
	unsigned int option;
	int rc = 0;

	while (!rc && (option = cursor_u16(c)) != DAT_OPTION_DONE) {
		uint32_t bytes = cursor_u32(c);
		const unsigned char *at = cursor_take(c, bytes);
		struct cursor data = {at, at ? at + bytes : at, false};

		if (!at)
			return -EBADMSG;
		if (option == DAT_OPTION_BUFFER)
			rc = turn ? take_instance(f, data) : 0;
		else if (!turn)
			rc = dat_option_take(f, option, data);
	}
	return c->bad ? -EBADMSG : rc;
}

static int read_v6(struct dat_file *f, struct cursor *c)
{
	struct cursor options;
	int rc;

	read_page_header(f, c);
	format_list_skip_ftrace(c);
	format_list_read(c, &f->formats);
	for (int i = 0; i < 2; i++) /* kallsyms, printk */
		cursor_take(c, cursor_u32(c));
	rc = read_names(f, c);
	f->cpu_count = cursor_u32(c);
	if (rc || c->bad)
		return rc ? rc : -EBADMSG;

	options = *c;
	if (cursor_left(c) >= TAG_BYTES && !memcmp(c->at, "options", 7)) {
		cursor_take(c, TAG_BYTES);
		options = *c;
		rc = take_options_v6(f, c, 0);
		if (!rc)
			rc = take_options_v6(f, &options, 1);
	}
	return rc ? rc : read_flyrecord(f, c, "", f->cpu_count);
}

/*
 * A section of version 7: id, flags, description, size, data. @unpacked: for free(),
 * NULL if it is not compressed.
 */
static int open_section(const struct dat_file *f, uint64_t offset, struct cursor *data,
			unsigned char **unpacked)
{
	struct cursor c =
		cursor_of(f->data, f->size, offset, offset < f->size ? f->size - offset : 0);
	uint16_t flags;
	uint64_t size;
	size_t bytes;
	int rc;

	*unpacked = NULL;
	cursor_u16(&c);
	flags = cursor_u16(&c);
	cursor_u32(&c);
	size = cursor_u64(&c);
	if (c.bad || size > cursor_left(&c))
		return -EBADMSG;
	*data = (struct cursor){c.at, c.at + size, false};
	if (!(flags & SECTION_COMPRESSED))
		return 0;
	rc = dat_unpack(f->compression, data, unpacked, &bytes);
	if (!rc)
		*data = (struct cursor){*unpacked, *unpacked + bytes, false};
	return rc;
}

/* Read a section that an option points to. */
static int read_section(struct dat_file *f, unsigned int option, uint64_t offset)
{
	unsigned char *unpacked;
	struct cursor c;
	int rc = open_section(f, offset, &c, &unpacked);

	if (rc)
		return rc;
	if (option == DAT_OPTION_HEADER_INFO)
		read_page_header(f, &c);
	else if (option == DAT_OPTION_EVENT_FORMATS)
		format_list_read(&c, &f->formats);
	else
		rc = read_names(f, &c);
	free(unpacked);
	return c.bad ? -EBADMSG : rc;
}

/* Version 7: section, name, clock, size of a page, CPUs with their pages. */
static int take_buffer_v7(struct dat_file *f, struct cursor data)
{
	uint64_t offset = cursor_u64(&data);
	const char *name = cursor_text(&data);
	const char *clock = cursor_text(&data);
	uint32_t page_bytes = cursor_u32(&data);
	uint32_t count = cursor_u32(&data);
	struct cursor section = cursor_of(f->data, f->size, offset, 4);
	struct dat_buffer *buffer;

	if (data.bad || section.bad || !page_bytes)
		return -EBADMSG;
	buffer = dat_option_buffer(f, name);
	if (!buffer)
		return -ENOMEM;
	snprintf(buffer->clock, sizeof(buffer->clock), "%s", clock);
	buffer->page_bytes = page_bytes;
	cursor_u16(&section);
	buffer->compressed = cursor_u16(&section) & SECTION_COMPRESSED;
	return read_cpus(buffer, &data, count, true);
}

static int take_option_v7(struct dat_file *f, unsigned int option, struct cursor data)
{
	switch (option) {
	case DAT_OPTION_HEADER_INFO:
	case DAT_OPTION_EVENT_FORMATS:
	case DAT_OPTION_CMDLINES:
		return read_section(f, option, cursor_u64(&data));
	case DAT_OPTION_BUFFER:
		return take_buffer_v7(f, data);
	case DAT_OPTION_BUFFER_TEXT:
		f->is_text = true;
		return 0;
	}
	return dat_option_take(f, option, data);
}

/* The options of one section; *@next: where the next one is, 0: that was the last. */
static int read_options_v7(struct dat_file *f, uint64_t offset, uint64_t *next)
{
	unsigned char *unpacked;
	struct cursor c;
	int rc = open_section(f, offset, &c, &unpacked);

	*next = 0;
	while (!rc && cursor_left(&c)) {
		unsigned int option = cursor_u16(&c);
		uint32_t bytes = cursor_u32(&c);
		const unsigned char *at = cursor_take(&c, bytes);
		struct cursor data = {at, at ? at + bytes : at, false};

		if (!at) {
			rc = -EBADMSG;
		} else if (option == DAT_OPTION_DONE) {
			*next = cursor_u64(&data);
			f->options_end = unpacked ? 0 : (uint64_t)(c.end - f->data);
			break;
		} else {
			rc = take_option_v7(f, option, data);
		}
	}
	free(unpacked);
	return rc;
}

static int read_v7(struct dat_file *f, struct cursor *c)
{
	const char *compression = cursor_text(c);
	uint64_t offset;
	int rc = 0;

	cursor_text(c); /* version of the compression's library */
	offset = cursor_u64(c);
	if (c->bad || !offset) /* trace-cmd writes the place of the options last */
		return -EBADMSG;
	f->compression = !strcmp(compression, "zstd")	? DAT_ZSTD
			 : !strcmp(compression, "zlib") ? DAT_ZLIB
			 : !strcmp(compression, "none") ? DAT_NONE
							: DAT_OTHER;
	for (int i = 0; i < MOST_SECTIONS && offset && !rc; i++) {
		/* These options stand after a buffer, which they describe. */
		if (f->options_end && dat_is_cut(f, offset))
			return dat_cut_buffers(f);
		rc = read_options_v7(f, offset, &offset);
	}
	return rc;
}

int dat_header_read(struct dat_file *file)
{
	struct cursor c = cursor_of(file->data, file->size, 0, file->size);
	const char *magic = cursor_take(&c, 10);
	const char *version = cursor_text(&c);
	const unsigned char *flags = cursor_take(&c, 2);

	file->page_bytes = cursor_u32(&c);
	if (c.bad || memcmp(magic, MAGIC, 10) || !file->page_bytes)
		return -EBADMSG;
	file->version = (unsigned int)strtoul(version, NULL, 10);
	if (flags[0] || file->version < 6 || file->version > 7)
		return -ENOTSUP;
	return file->version == 6 ? read_v6(file, &c) : read_v7(file, &c);
}
