/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dat_cut.h - what a trace.dat file has up to where it was cut off
 *
 * Version 6 has the places of all pages before the pages. Version 7 has them after those of each
 * instance, in options that such a file has lost. But the pages follow the options before: for one
 * CPU after the other, each from a multiple of the size of a page on, and if they are compressed
 * each CPU begins with the number of its chunks. Where they are not, a CPU's end can't be
 * distinguished from the next one's begin.
 *
 * All set file->cut_at if the file was cut off, and file->cut_others if pages of more than one CPU
 * were in it.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_CUT_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_CUT_H

#include "collector/source/trace/dat/dat_file.h"

#define SECTION_COMPRESSED 1U /* flag of a section */

/* Of version 6: whether the instance whose @bytes of places stand at @offset is not in the file. */
bool dat_cut_instance(struct dat_file *file, uint64_t offset, uint64_t bytes);

/* Of version 6: leaves the whole pages of @buffer that are in the file. */
void dat_cut_pages(struct dat_file *file, struct dat_buffer *buffer);

/* Of version 7: whether the section at @offset is not, or not as a whole, in the file. */
bool dat_is_cut(const struct dat_file *file, uint64_t offset);

/*
 * Of version 7: makes an instance of the pages after file->options_end. Its CPUs are those that
 * have events by its statistics, in turn. 0, -ENOMEM, or -EBADMSG: there are none, or they are not
 * compressed.
 */
int dat_cut_buffers(struct dat_file *file);

#endif
