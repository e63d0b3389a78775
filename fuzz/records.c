// SPDX-License-Identifier: GPL-2.0-only
/* records.c - fuzz target: a capture file, stored in a database as the collector does it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/sink.h"
#include "collector/source/capture.h"
#include "fuzz/input.h"

/* Some items are enough to have all kinds of them; a flush costs a write. */
#define ITEMS_MAX 2000

static void store_source(struct source *source, struct sink *sink)
{
	struct source_item item;
	struct fault fault = {""};

	for (int i = 0; i < ITEMS_MAX; i++) {
		if (source_next(source, &item, &fault) || item.kind == SOURCE_FINISHED)
			break;
		if (sink_store(sink, &item, &fault) || (i % 7 == 0 && sink_flush(sink, &fault)))
			break;
	}
	sink_finish(sink, true, &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	const struct sink_options options = {.db = path, .raw = size % 4};
	struct source *source;
	struct sink sink;
	struct fault fault = {""};

	if (source_capture_open(input_file(data, size), &source, &fault))
		return 0;

	snprintf(path, sizeof(path), "/dev/shm/exitscope-records-%d", getpid());
	if (sink_open(&sink, &options, source, &fault)) {
		fprintf(stderr, "%s\n", fault.text);
		abort();
	}
	store_source(source, &sink);
	store_close(sink.store);
	source_close(source);
	unlink(path);
	return 0;
}
