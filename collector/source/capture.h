/* SPDX-License-Identifier: GPL-2.0-only */
/* capture.h - records from a capture file */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_CAPTURE_H
#define EXITSCOPE_COLLECTOR_SOURCE_CAPTURE_H

#include "collector/source/source.h"

/*
 * A capture file, plain or gzip-compressed (see capture_file.h). Returns 0 or -errno with words in
 * @fault.
 */
int source_capture_open(const char *path, struct source **source, struct fault *fault);

#endif
