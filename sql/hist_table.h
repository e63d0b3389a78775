/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hist_table.h - the table-valued function hist_buckets(TEXT): bucket, n
 *
 * The buckets of a column of table exit_hist_packed, faster than plain SQL reads them (view
 * interval_histograms). A damaged text is an error (SQLITE_CORRUPT); NULL has no rows.
 */
#ifndef EXITSCOPE_SQL_HIST_TABLE_H
#define EXITSCOPE_SQL_HIST_TABLE_H

#include <sqlite3.h>

/* Make the function known to a connection. Returns a code of SQLite. */
int hist_table_register(sqlite3 *db);

#endif
