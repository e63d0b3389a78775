// SPDX-License-Identifier: GPL-2.0-only
/* perf_data.c - fuzz target: a recording of perf */
#include "collector/source/trace/perf/perf_data.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source;
	struct fault fault = {""};

	if (!source_perf_data_open(input_file(data, size), &source, &fault))
		input_read_source(source, true);
	return 0;
}
