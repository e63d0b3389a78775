/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reason.h - exit reasons as they are grouped and named
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_REASON_H
#define EXITSCOPE_ANALYZER_QUERY_REASON_H

#include <stddef.h>

#include "analyzer/query/app.h"

#define REASON_FAILED_ENTRY 0x80000000LL /* VMX exit reason, bit 31 */

/*
 * What exits are grouped by: the basic reason, and apart from it those of failed
 * VM entries. The other flags (bus lock, enclave) make no group of their own.
 */
static inline int64_t reason_key(int isa, int64_t reason)
{
	return isa == 1 ? (reason & (0xffff | REASON_FAILED_ENTRY)) : reason;
}

/* Basic reason or exit code of a key. */
static inline int64_t reason_basic(int isa, int64_t key)
{
	return isa == 1 ? (key & 0xffff) : key;
}

/*
 * Name of a key, as column reason_name of the views has it. @text holds it.
 * Returns @text, or NULL with app->error.
 */
const char *reason_name(struct app *app, int isa, int64_t key, char *text, size_t size);

/* Turn --reason (numbers and names) into run->reason. */
int reason_filter(struct app *app, struct run *run);

/* Whether the filter of @run lets exits of @key through. */
bool reason_passes(const struct run *run, int64_t key);

#endif
