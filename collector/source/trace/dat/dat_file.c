// SPDX-License-Identifier: GPL-2.0-only
/* dat_file.c - reads trace.dat files: the file, its pages */
#include "collector/source/trace/dat/dat_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/dat/dat_header.h"
#include "collector/source/trace/dat/dat_unpack.h"
#include "collector/source/trace/whole_file.h"

/* Whether exits can be read; else one line for the cause. */
static int check(const struct dat_file *f, struct fault *fault)
{
	bool x86 = !*f->machine || strstr(f->machine, "86");
	int rc = kvm_event_formats_check(&f->formats);

	if (rc == -ENOEXEC || !x86)
		return fault_set(
			fault, -ENOEXEC,
			"%s: no x86 kvm_exit: it was recorded on %s, whose exit reasons are others",
			f->path, x86 ? "an arm64 host or the like" : f->machine);
	if (f->is_text)
		return fault_set(
			fault, -ENOTSUP,
			"%s: holds text of a latency tracer (trace-cmd report %s > FILE, then import FILE)",
			f->path, f->path);
	if (rc == -ENOENT)
		return fault_set(
			fault, rc,
			"%s: the recorded kernel had no kvm events (load kvm, then trace-cmd record -e kvm:kvm_exit -e kvm:kvm_entry)",
			f->path);
	if (rc)
		return fault_set(fault, rc,
				 "%s: damaged: the format of kvm_exit has no field exit_reason",
				 f->path);
	return 0;
}

int dat_file_open(struct dat_file *file, const char *path, struct fault *fault)
{
	int rc;

	memset(file, 0, sizeof(*file));
	file->path = path;
	file->long_bytes = 8;
	rc = whole_file_map(path, &file->data, &file->size);
	if (!rc)
		rc = dat_header_read(file);

	if (rc == -EBADMSG)
		fault_set(
			fault, rc,
			"%s: damaged or cut off (if trace-cmd was killed: trace-cmd restore -o FILE %s.cpu*, then import FILE)",
			path, path);
	else if (rc == -ENOTSUP)
		fault_set(
			fault, rc,
			"%s: written by a newer trace-cmd, compressed in an unknown way or on a big-endian host (trace-cmd convert, or trace-cmd report %s > FILE, then import FILE)",
			path, path);
	else if (rc)
		fault_set(fault, rc, "%s: %s", path, strerror(-rc));
	else
		rc = check(file, fault);
	if (rc)
		dat_file_close(file);
	return rc;
}

void dat_file_close(struct dat_file *file)
{
	for (size_t i = 0; i < file->buffer_count; i++) {
		free(file->buffers[i].cpus);
		free(file->buffers[i].busy);
		free(file->buffers[i].lost_of);
	}
	free(file->buffers);
	names_free(&file->names);
	whole_file_unmap(file->data, file->size);
	memset(file, 0, sizeof(*file));
}

int dat_pages_begin(struct dat_pages *pages, const struct dat_file *file,
		    const struct dat_buffer *buffer, const struct dat_cpu *cpu)
{
	struct cursor c = cursor_of(file->data, file->size, cpu->offset, cpu->size);

	free(pages->chunk);
	*pages = (struct dat_pages){
		.file = file,
		.buffer = buffer,
		.cpu = cpu,
		.at = cpu->offset,
		.end = cpu->offset + cpu->size,
	};
	if (c.bad)
		return -EBADMSG;
	if (buffer->compressed && cpu->size) {
		pages->chunks = cursor_u32(&c);
		pages->at += 4;
		pages->end += 4; /* trace-cmd does not count the number of chunks in */
		return c.bad || pages->end > file->size ? -EBADMSG : 0;
	}
	return 0;
}

static int unpack_chunk(struct dat_pages *p)
{
	struct cursor c = cursor_of(p->file->data, p->file->size, p->at, p->end - p->at);
	int rc;

	free(p->chunk);
	p->chunk_at = p->chunk_end = 0;
	rc = dat_unpack(p->file->compression, &c, &p->chunk, &p->chunk_end);
	p->at = (uint64_t)(c.at - p->file->data);
	p->chunks--;
	return rc;
}

int dat_pages_next(struct dat_pages *pages, const unsigned char **page, size_t *bytes)
{
	size_t size = pages->buffer->page_bytes;

	if (!pages->buffer->compressed) {
		*bytes = pages->end - pages->at < size ? pages->end - pages->at : size;
		*page = pages->file->data + pages->at;
		pages->at += *bytes;
		return *bytes ? 1 : 0;
	}

	while (pages->chunk_at == pages->chunk_end) {
		int rc;

		if (!pages->chunks || (pages->cpu->cut && pages->at == pages->end))
			return 0;
		rc = unpack_chunk(pages);
		if (rc)
			return rc;
	}
	*bytes = pages->chunk_end - pages->chunk_at;
	if (*bytes > size)
		*bytes = size;
	*page = pages->chunk + pages->chunk_at;
	pages->chunk_at += *bytes;
	return 1;
}

void dat_pages_end(struct dat_pages *pages)
{
	free(pages->chunk);
	memset(pages, 0, sizeof(*pages));
}
