/* SPDX-License-Identifier: GPL-2.0-only */
/* dat_unpack.h - what trace-cmd compressed with zlib or zstd */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_UNPACK_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_UNPACK_H

#include "collector/source/trace/cursor.h"
#include "collector/source/trace/dat/dat_file.h"

/*
 * dat_unpack - read "u32 packed bytes, u32 unpacked bytes, data" at @cursor
 * @unpacked: made, for free(); its size is *@bytes
 *
 * Return 0; -EBADMSG: damaged; -ENOTSUP: compressed in another way; -ENOMEM.
 */
int dat_unpack(enum dat_compression how, struct cursor *cursor, unsigned char **unpacked,
	       size_t *bytes);

#endif
