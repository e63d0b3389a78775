// SPDX-License-Identifier: GPL-2.0-only
/* symbols.c - fuzz target: System.map, kallsyms or an ELF file */
#include <string.h>

#include "analyzer/query/guest/symbols.h"
#include "fuzz/input.h"

static void look_up(const struct symbols *symbols, uint64_t address)
{
	char text[40];

	symbols_name(symbols, address, text, sizeof(text));
	INPUT_CHECK(memchr(text, 0, sizeof(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct app app;
	struct symbols symbols;

	if (!symbols_load(&app, input_file(data, size), &symbols)) {
		INPUT_CHECK(symbols.n);
		look_up(&symbols, 0);
		look_up(&symbols, UINT64_MAX);
		for (size_t i = 0; i < symbols.n && i < 1000; i++) {
			look_up(&symbols, symbols.symbol[i].address);
			look_up(&symbols, symbols.symbol[i].address - 1);
			look_up(&symbols, symbols.symbol[i].address + symbols.symbol[i].size);
		}
	} else {
		INPUT_CHECK(*app.error);
	}
	symbols_free(&symbols);
	return 0;
}
