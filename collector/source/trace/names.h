/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names.h - names of processes and threads, and which thread is of which process
 *
 * Those of the recording, never those of the machine that reads it.
 */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_NAMES_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. */
struct names {
	void *tree;
};

/* Thread @tid is called @comm (at most 15 letters count); the last call holds. -ENOMEM. */
int names_set(struct names *names, uint32_t tid, const char *comm);

/* The name of a process, else of a thread; "": neither is known. */
void names_get(const struct names *names, uint32_t tgid, uint32_t tid, char *comm, size_t bytes);

void names_free(struct names *names);

#endif
