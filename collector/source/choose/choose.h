/* SPDX-License-Identifier: GPL-2.0-only */
/* choose.h - the best source of records that this host has */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_CHOOSE_H
#define EXITSCOPE_COLLECTOR_SOURCE_CHOOSE_H

#include <stdbool.h>

/* From the best to the least; SOURCE_BEST: the first that the host has. */
enum source_choice { SOURCE_BEST, SOURCE_RING, SOURCE_BPF, SOURCE_TRACEFS };

/* A source's name as --source takes it. */
extern const char *const source_choice_names[];

/*
 * Chooses the best source of this host. @why: in one line, why this one and not a better one, or
 * what each lacks. Reads below @root ("" except in tests) and changes nothing: it does not mount
 * tracefs, as --source tracefs does.
 * Returns SOURCE_BEST if the host has none.
 */
enum source_choice source_choose(const char *root, char *why, int bytes);

/*
 * Whether this host lacks @choice (SOURCE_RING to SOURCE_TRACEFS); @why: what it lacks and
 * the way out, in one line.
 */
bool source_lacks(enum source_choice choice, const char *root, char *why, int bytes);

#endif
