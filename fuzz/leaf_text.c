// SPDX-License-Identifier: GPL-2.0-only
/* leaf_text.c - fuzz target: CPUID leaves as a guest prints them, and a capture's VMX capabilities
 */
#include <stdlib.h>
#include <string.h>

#include "collector/host/vmx_msrs.h"
#include "collector/leaf_text.h"
#include "fuzz/input.h"

static int count_row(void *context, const struct vmx_caps_row *row)
{
	*(uint64_t *)context += row->cpu + row->msr + row->value;
	return 0;
}

static void parse_capabilities(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	uint64_t sum = 0;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	vmx_caps_parse(text, count_row, &sum);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_leaf *leaves = NULL;
	size_t count = 0;

	if (!leaf_text_read(input_file(data, size), &leaves, &count))
		INPUT_CHECK(count && leaves);
	free(leaves);

	parse_capabilities(data, size);
	return 0;
}
