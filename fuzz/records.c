// SPDX-License-Identifier: GPL-2.0-only
/* records.c - fuzz target: a capture file, stored in a database as the collector does it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/source.h"
#include "fuzz/input.h"
#include "sql/store/store.h"

/* Some items are enough to have all kinds of them; a flush costs a write. */
#define ITEMS_MAX 2000

static int store_item(struct store *store, const struct source_item *item)
{
	int vcpu = item->vcpu;

	switch (item->kind) {
	case SOURCE_VCPU:
		return store_add_vcpu(store, &item->info, &vcpu);
	case SOURCE_RECORDS:
		return store_append(store, vcpu, item->records, item->count);
	case SOURCE_END_VCPU:
		return store_end_vcpu(store, vcpu, &item->end);
	default:
		return 0;
	}
}

static void store_source(struct source *source, struct store *store, bool raw)
{
	struct source_item item;
	struct fault fault = {""};
	bool begun = false;

	for (int i = 0; i < ITEMS_MAX; i++) {
		if (source_next(source, &item, &fault) || item.kind == SOURCE_FINISHED)
			break;
		if (!begun) {
			struct store_run run = run_info_store(&source->info, "capture", raw);

			if (store_begin(store, &run))
				return;
			begun = true;
		}
		if (store_item(store, &item) || (i % 7 == 0 && store_flush(store)))
			break;
	}
	if (begun)
		store_finish(store, "complete", source->info.tsc_end, source->info.ended_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct source *source;
	struct store *store;
	struct fault fault = {""};

	if (source_capture_open(input_file(data, size), &source, &fault))
		return 0;

	snprintf(path, sizeof(path), "/dev/shm/exitscope-records-%d", getpid());
	if (store_open(path, &store)) {
		perror(path);
		abort();
	}
	store_source(source, store, size % 4);
	store_close(store);
	source_close(source);
	unlink(path);
	return 0;
}
