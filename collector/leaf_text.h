/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaf_text.h - readings of the exit statistics' CPUID leaves as a guest printed
 * them: lines of testbed/leaf_reader --raw or of Debian's cpuid -r,
 *
 *	0x4ffffffd 0x0a: eax=0x00000064 ebx=0x00000000 ecx=0x00000000 edx=0x00000000
 *
 * with anything before them (a console's prefix); all other lines are left out.
 */
#ifndef EXITSCOPE_COLLECTOR_LEAF_TEXT_H
#define EXITSCOPE_COLLECTOR_LEAF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/store/store.h"

/* Whether @line holds a reading. */
bool leaf_text_line(const char *line, struct store_leaf *leaf);

/* All readings of a file; free *@leaves. 0 or -errno; -EPROTO: there is none. */
int leaf_text_read(const char *path, struct store_leaf **leaves, size_t *count);

#endif
