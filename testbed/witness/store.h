/* SPDX-License-Identifier: GPL-2.0-only */
/* store.h - the CPU's counts in table crosscheck, for analyzer verify */
#ifndef TESTBED_WITNESS_STORE_H
#define TESTBED_WITNESS_STORE_H

#include "testbed/witness/judge.h"

/*
 * Replaces the rows of source cpu (sql/schema.sql says what each is). The recording was opened
 * for writing, and judged. Returns 0, or -1 with SQLite's message in @why.
 */
int store_counts(struct judgement *judgement, char *why, size_t why_bytes);

#endif
