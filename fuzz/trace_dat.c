// SPDX-License-Identifier: GPL-2.0-only
/* trace_dat.c - fuzz target: a recording of trace-cmd */
#include "collector/source/trace/dat/trace_dat.h"
#include "fuzz/input.h"

static void import(const uint8_t *data, size_t size, uint32_t tsc_khz)
{
	struct source *source;
	struct fault fault = {""};

	if (!source_trace_dat_open(input_file(data, size), tsc_khz, &source, &fault))
		input_read_source(source, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Times are ns, or TSC cycles; the other way is refused early. */
	import(data, size, 0);
	import(data, size, 2000000);
	return 0;
}
