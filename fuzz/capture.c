// SPDX-License-Identifier: GPL-2.0-only
/* capture.c - fuzz target: a capture file, plain or compressed */
#include "collector/source/capture.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source;
	struct fault fault = {""};

	if (!source_capture_open(input_file(data, size), &source, &fault))
		input_read_source(source, false);
	return 0;
}
