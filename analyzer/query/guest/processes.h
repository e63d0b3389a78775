/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * processes.h - processes of a guest by their page tables: --cr3-names
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_PROCESSES_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_PROCESSES_H

#include "analyzer/query/app.h"

/* The page table's address in CR3: without PCID, PWT, PCD (bits 11:0) and bit 63 (Intel SDM
 * 3, 2.5). */
#define PROCESS_TABLE(cr3) ((cr3)&UINT64_C(0x000ffffffffff000))

struct process {
	uint64_t table; /* PROCESS_TABLE() */
	const char *name;
};

/* By their tables; @text: what the names point into. All zero: none. */
struct processes {
	struct process *process;
	size_t n;
	char *text;
};

/**
 * processes_load - read a text with a line "CR3 NAME" for each process
 * @path: CR3 is hexadecimal; NAME goes on to the end of the line; '#' begins a comment.
 *	NULL: no processes
 *
 * Several lines for one process are fine, several names for one CR3 are not. Return: 0, or -1
 * with app->error.
 */
int processes_load(struct app *app, const char *path, struct processes *processes);
void processes_free(struct processes *processes);

/* The name of the process with that CR3; NULL: none is known. */
const char *processes_name(const struct processes *processes, uint64_t cr3);

#endif
