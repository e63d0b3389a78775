/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file_limit.h - a file that would exceed `ulimit -f` is an error, not the end
 */
#ifndef EXITSCOPE_BASE_FILE_LIMIT_H
#define EXITSCOPE_BASE_FILE_LIMIT_H

#include <stdbool.h>

#define FILE_LIMIT_HINT " (raise the limit: ulimit -f)"

/* From now on such a write fails with EFBIG; without this, SIGXFSZ ends the program. */
void file_limit_watch(void);

/* Whether one has failed so: SQLite keeps no error of a write that failed in COMMIT. */
bool file_limit_was_hit(void);

#endif
