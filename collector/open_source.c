// SPDX-License-Identifier: GPL-2.0-only
/* open_source.c - opens the source of records that the command line chose; see open_source.h */
#include "collector/open_source.h"

#include <errno.h>

#include "collector/host/names.h"
#include "collector/source/bpf/bpf.h"
#include "collector/source/capture.h"
#include "collector/source/device.h"
#include "collector/source/trace/import/import.h"
#include "collector/source/trace/tracefs.h"

static int open_bpf(const struct options *o, struct source **source, struct fault *fault)
{
	const struct bpf_options options = {
		.tgid = o->device.tgid,
		.names = o->device.vm,
		.cr3 = o->device.cr3,
		.counts_only = o->counts_only,
		.counts_ms = o->rollup_ms,
		.ring_records = o->ring_records,
		.filter = o->filter,
	};

	return source_bpf_open(&options, source, fault);
}

int open_source(const struct options *o, struct source **source, struct fault *fault)
{
	if (o->from)
		return source_capture_open(o->from, source, fault);
	if (o->import)
		return source_import_open(o->import, o->import_kind, o->tsc_khz, source, fault);
	if ((o->device.tgid || o->device.vm) && !names_have_host_ids(""))
		return fault_set(
			fault, -EINVAL,
			"--vm: process ids of this container are not the host's (give it those: --pid=host, or record all)");

	switch (o->source) {
	case SOURCE_TRACEFS:
		return source_tracefs_open(o->trace_buffer_kb, source, fault);
	case SOURCE_BPF:
		return open_bpf(o, source, fault);
	case SOURCE_BEST:
	case SOURCE_RING:
		break;
	}
	return source_device_open(&o->device, source, fault);
}
