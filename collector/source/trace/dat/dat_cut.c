// SPDX-License-Identifier: GPL-2.0-only
/* dat_cut.c - finds the pages of a trace.dat file that was cut off; see dat_cut.h */
#include "collector/source/trace/dat/dat_cut.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "collector/source/trace/cursor.h"
#include "collector/source/trace/dat/dat_options.h"

bool dat_cut_instance(struct dat_file *file, uint64_t offset, uint64_t bytes)
{
	if (offset <= file->size && bytes <= file->size - offset)
		return false;
	file->cut_at = file->size;
	file->cut_others = true;
	return true;
}

void dat_cut_pages(struct dat_file *file, struct dat_buffer *buffer)
{
	size_t with_pages = 0;

	for (size_t i = 0; i < buffer->cpu_count; i++) {
		struct dat_cpu *cpu = &buffer->cpus[i];
		uint64_t left = cpu->offset < file->size ? file->size - cpu->offset : 0;

		with_pages += cpu->size > 0;
		if (!left)
			cpu->offset = 0;
		if (cpu->size <= left)
			continue;
		file->cut_at = file->size;
		cpu->size = left - left % buffer->page_bytes;
		cpu->cut = true;
	}
	if (file->cut_at && with_pages > 1)
		file->cut_others = true;
}

/* What stands before the data of a section: id, flags, description, size. */
static struct cursor section_at(const struct dat_file *f, uint64_t offset, unsigned int *id,
				unsigned int *flags, uint64_t *size)
{
	struct cursor c =
		cursor_of(f->data, f->size, offset, offset < f->size ? f->size - offset : 0);

	*id = cursor_u16(&c);
	*flags = cursor_u16(&c);
	cursor_u32(&c);
	*size = cursor_u64(&c);
	return c;
}

bool dat_is_cut(const struct dat_file *file, uint64_t offset)
{
	unsigned int id, flags;
	uint64_t size;
	struct cursor c = section_at(file, offset, &id, &flags, &size);

	return c.bad || size > cursor_left(&c);
}

/* One CPU's chunks from @cpu->offset on, up to where they or the file end. */
static int walk_chunks(struct dat_file *f, struct dat_cpu *cpu)
{
	struct cursor c = cursor_of(f->data, f->size, cpu->offset, f->size - cpu->offset);
	uint32_t chunks = cursor_u32(&c);

	for (uint32_t i = 0; i < chunks && !cpu->cut; i++) {
		struct cursor whole = c;
		uint32_t packed = cursor_u32(&whole);

		cursor_u32(&whole);
		cursor_take(&whole, packed);
		cpu->cut = whole.bad;
		if (!whole.bad)
			c = whole;
	}
	if (c.bad)
		return -EBADMSG;

	/* As trace-cmd counts it: without the number of chunks. */
	cpu->size = (uint64_t)(c.at - f->data) - cpu->offset - sizeof(chunks);
	return 0;
}

static int add_cpu(struct dat_buffer *b, const struct dat_cpu *cpu)
{
	struct dat_cpu *more = array_reserve(b->cpus, b->cpu_count, 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	b->cpus = more;
	more[b->cpu_count++] = *cpu;
	return 0;
}

/* All CPUs from @at on; there are as many as have events by the statistics. */
static int walk_cpus(struct dat_file *f, struct dat_buffer *b, uint64_t at)
{
	int rc = 0;

	for (size_t i = 0; i < b->busy_count && !rc; i++) {
		struct dat_cpu cpu = {.cpu = b->busy[i]};

		cpu.offset = (at + b->page_bytes - 1) / b->page_bytes * b->page_bytes;
		if (cpu.offset >= f->size || f->size - cpu.offset < sizeof(uint32_t))
			break;
		rc = walk_chunks(f, &cpu);
		if (!rc)
			rc = add_cpu(b, &cpu);
		at = cpu.offset + sizeof(uint32_t) + cpu.size;
		if (cpu.cut)
			break;
	}
	return rc;
}

/* The instance whose statistics are there and whose pages are not. */
static struct dat_buffer *next_buffer(struct dat_file *f)
{
	for (size_t i = 0; i < f->buffer_count; i++) {
		if (!f->buffers[i].cpus && f->buffers[i].busy_count)
			return &f->buffers[i];
	}
	return NULL;
}

int dat_cut_buffers(struct dat_file *file)
{
	unsigned int id, flags;
	uint64_t size;
	struct cursor c = section_at(file, file->options_end, &id, &flags, &size);
	struct dat_buffer *buffer = next_buffer(file);

	if (c.bad || id != DAT_OPTION_BUFFER || !(flags & SECTION_COMPRESSED) || !buffer)
		return -EBADMSG;

	file->cut_at = file->size;
	file->cut_others = buffer->busy_count > 1 || file->buffer_count > 1;
	buffer->compressed = true;
	if (!*buffer->clock)
		snprintf(buffer->clock, sizeof(buffer->clock), "%s", file->clock);
	return walk_cpus(file, buffer, (uint64_t)(c.at - file->data));
}
