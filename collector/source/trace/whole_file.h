/* SPDX-License-Identifier: GPL-2.0-only */
/* whole_file.h - a file from elsewhere, mapped as a whole */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_WHOLE_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_WHOLE_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Map the file at @path for reading: @data, @size bytes.
 * 0; -EBADMSG: it is empty; -EISDIR; or another -errno.
 */
int whole_file_map(const char *path, const unsigned char **data, uint64_t *size);

/* Where another file follows that begins with the @bytes bytes of @magic; 0: nowhere. */
uint64_t whole_file_next(const unsigned char *data, uint64_t size, const void *magic, size_t bytes);

/* @data may be NULL. */
void whole_file_unmap(const unsigned char *data, uint64_t size);

#endif
