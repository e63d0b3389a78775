// SPDX-License-Identifier: GPL-2.0-only
/* perf_unpack.c - unpacks perf record -z with libzstd */
#include "collector/source/trace/perf/perf_unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

/* A piece is at most 64 KiB of records, perf's largest buffer 1 GiB; this is for a bomb. */
#define MOST_BYTES (256U << 20)

/* Room for a block more, at the end. */
static int make_room(struct perf_unpack *u, size_t block)
{
	size_t room = 2 * u->room > u->end + block ? 2 * u->room : u->end + block;
	unsigned char *more;

	if (u->end + block <= u->room)
		return 0;
	if (room > MOST_BYTES)
		return -EBADMSG;
	more = realloc(u->data, room);
	if (!more)
		return -ENOMEM;
	u->data = more;
	u->room = room;
	return 0;
}

int perf_unpack_add(struct perf_unpack *unpack, const void *piece, size_t bytes)
{
	ZSTD_inBuffer in = {.src = piece, .size = bytes};
	size_t block = ZSTD_DStreamOutSize();

	if (!unpack->stream)
		unpack->stream = ZSTD_createDStream();
	if (!unpack->stream)
		return -ENOMEM;

	/* What was not taken is less than a record. */
	if (unpack->first) {
		memmove(unpack->data, unpack->data + unpack->first, unpack->end - unpack->first);
		unpack->end -= unpack->first;
		unpack->first = 0;
	}

	for (bool full = false; in.pos < in.size || full;) {
		ZSTD_outBuffer out = {.size = block};
		int rc = make_room(unpack, block);

		if (rc)
			return rc;
		out.dst = unpack->data + unpack->end;
		if (ZSTD_isError(ZSTD_decompressStream(unpack->stream, &out, &in)))
			return -EBADMSG;
		unpack->end += out.pos;
		full = out.pos == out.size;
	}
	return 0;
}

void perf_unpack_reset(struct perf_unpack *unpack)
{
	if (unpack->stream)
		ZSTD_DCtx_reset(unpack->stream, ZSTD_reset_session_only);
	unpack->first = unpack->end = 0;
}

void perf_unpack_free(struct perf_unpack *unpack)
{
	ZSTD_freeDStream(unpack->stream);
	free(unpack->data);
	memset(unpack, 0, sizeof(*unpack));
}
