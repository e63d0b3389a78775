/* SPDX-License-Identifier: GPL-2.0-only */
/* fault.h - what went wrong, in words; the number is what calls return */
#ifndef EXITSCOPE_COLLECTOR_HOST_FAULT_H
#define EXITSCOPE_COLLECTOR_HOST_FAULT_H

/* "what: why (way out)", without the program's name and without a newline. */
struct fault {
	char text[512];
};

/*
 * Fills in @fault (the first words win) and returns @rc. Where a limit of the process is the
 * reason (-EMFILE, -ENOMEM, -EFBIG) and the words name no way out, that is added.
 */
int fault_set(struct fault *fault, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds words about what became of it. */
void fault_add(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
