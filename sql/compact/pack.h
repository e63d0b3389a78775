/* SPDX-License-Identifier: GPL-2.0-only */
/* pack.h - rows of table exit become chunks */
#ifndef EXITSCOPE_SQL_COMPACT_PACK_H
#define EXITSCOPE_SQL_COMPACT_PACK_H

#include <sqlite3.h>

struct pack;

/*
 * @from: where the vCPUs are; @to: whose table exit_chunk is filled. The chunks of a vCPU have
 * ids in the order of its exits, those of several in the order of their first ones. NULL: no
 * memory.
 */
struct pack *pack_new(sqlite3 *from, sqlite3 *to);
void pack_free(struct pack *pack);

/* Before the first row. 0, or -1 with pack_error(). */
int pack_begin(struct pack *pack);

/* Adds the present row of "SELECT * FROM exit". 0, or -1 with pack_error(). */
int pack_row(struct pack *pack, sqlite3_stmt *row);

/* Writes what is left. 0, or -1 with pack_error(). */
int pack_finish(struct pack *pack);

const char *pack_error(const struct pack *pack);

#endif
