/* SPDX-License-Identifier: GPL-2.0-only */
/* proc_file.h - a small file of /proc or /sys as text */
#ifndef EXITSCOPE_COLLECTOR_HOST_PROC_FILE_H
#define EXITSCOPE_COLLECTOR_HOST_PROC_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file, at most @bytes - 1 of it, and adds a 0. Returns its bytes without that, or -errno:
 * then @data is empty.
 */
ssize_t proc_file_read(const char *path, char *data, size_t bytes);

#endif
