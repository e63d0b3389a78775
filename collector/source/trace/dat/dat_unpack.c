// SPDX-License-Identifier: GPL-2.0-only
/* dat_unpack.c - unpacks parts of trace.dat with libzstd and zlib */
#include "collector/source/trace/dat/dat_unpack.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>
#include <zstd.h>

/* trace-cmd makes chunks of some hundred KiB; the names of all symbols take 10 MiB. */
#define MOST_BYTES (64U << 20)

static bool unpack_zstd(const void *packed, size_t packed_bytes, unsigned char *data, size_t size)
{
	return ZSTD_decompress(data, size, packed, packed_bytes) == size;
}

static bool unpack_zlib(const void *packed, size_t packed_bytes, unsigned char *data, size_t size)
{
	uLongf got = size;

	return uncompress(data, &got, packed, packed_bytes) == Z_OK && got == size;
}

int dat_unpack(enum dat_compression how, struct cursor *cursor, unsigned char **unpacked,
	       size_t *bytes)
{
	uint32_t packed_bytes = cursor_u32(cursor);
	uint32_t size = cursor_u32(cursor);
	const void *packed = cursor_take(cursor, packed_bytes);
	unsigned char *data;
	bool good;

	*unpacked = NULL;
	if (!packed || size > MOST_BYTES)
		return -EBADMSG;
	if (how != DAT_ZLIB && how != DAT_ZSTD)
		return -ENOTSUP;
	data = malloc(size ? size : 1);
	if (!data)
		return -ENOMEM;

	good = how == DAT_ZSTD ? unpack_zstd(packed, packed_bytes, data, size)
			       : unpack_zlib(packed, packed_bytes, data, size);
	if (!good) {
		free(data);
		return -EBADMSG;
	}
	*unpacked = data;
	*bytes = size;
	return 0;
}
