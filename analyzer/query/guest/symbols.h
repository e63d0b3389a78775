/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * symbols.h - names of guest addresses, from System.map, kallsyms or an ELF file
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_SYMBOLS_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_SYMBOLS_H

#include "analyzer/query/app.h"

struct symbol {
	uint64_t address;
	uint64_t size; /* 0: unknown, up to the next one */
	const char *name;
};

/*
 * struct symbols - sorted by address; one name per address
 * @text: what the names point into
 * @slide: added to every address of the file (KASLR)
 */
struct symbols {
	struct symbol *symbol;
	size_t n;
	char *text;
	size_t text_bytes;
	uint64_t slide;
};

/* Read @path. -1 with app->error, also when it has no symbol of code. */
int symbols_load(struct app *app, const char *path, struct symbols *symbols);
void symbols_free(struct symbols *symbols);

/* The symbol that @address is in, and how far; NULL: none. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address,
				  uint64_t *offset);

/* "name+0x12", or "" where there is none. */
const char *symbols_name(const struct symbols *symbols, uint64_t address, char *text, size_t size);

/*
 * Guess the slide of a kernel with KASLR: exits by HLT, RDMSR, WRMSR, CPUID, IN
 * and OUT are in functions whose names show it. Sets symbols->slide, a multiple of
 * 2 MiB up to 1 GiB, and *share: of these exits, how many fit. Needs rows.
 */
int symbols_guess_slide(struct app *app, const struct run *run, struct symbols *symbols,
			double *share);

/*
 * What --symbols FILE and --slide OFFSET|auto of a command ask for. NULL @path:
 * nothing. *guessed: the share of symbols_guess_slide(), or -1.
 */
int symbols_open(struct app *app, const char *path, const char *slide, struct symbols *symbols,
		 double *guessed);

#endif
