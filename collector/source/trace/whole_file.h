/* SPDX-License-Identifier: GPL-2.0-only */
/* whole_file.h - a file from elsewhere, mapped as a whole */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_WHOLE_FILE_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_WHOLE_FILE_H

#include <stdint.h>

/*
 * Map the file at @path for reading: @data, @size bytes.
 * 0; -EBADMSG: it is empty; -EISDIR; or another -errno.
 */
int whole_file_map(const char *path, const unsigned char **data, uint64_t *size);

/* @data may be NULL. */
void whole_file_unmap(const unsigned char *data, uint64_t size);

#endif
