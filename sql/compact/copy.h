/* SPDX-License-Identifier: GPL-2.0-only */
/* copy.h - a run database as another one whose exits are all rows, or all chunks */
#ifndef EXITSCOPE_SQL_COMPACT_COPY_H
#define EXITSCOPE_SQL_COMPACT_COPY_H

#include <sqlite3.h>
#include <stdint.h>

enum copy_form { COPY_TO_ROWS, COPY_TO_CHUNKS };

/*
 * struct copy - what compact_copy() does
 * @from: a run database, opened for reading as schema.h says; names without a schema mean tables
 *	as they are now, and all of its exits (exit_rows_shadow())
 * @to: an empty database, which nobody else opens
 * @exits: set to how many were copied
 * @error: set to words if it fails
 */
struct copy {
	sqlite3 *from;
	sqlite3 *to;
	enum copy_form form;
	int64_t exits;
	char error[256];
};

/*
 * compact_copy() - copies all of our tables, and makes our views
 *
 * Tables and views that others added are left out. Exits of a vCPU keep their order; in chunks
 * they get other rowids (exit_rows.h), as rows they count from 1. An exit with a value that no
 * record can have is refused: it would not come back as it was.
 *
 * Return: 0, or -1 with @error.
 */
int compact_copy(struct copy *copy);

#endif
