/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * functions.h - SQL functions for run databases
 *
 *	percentile(VALUE, P)	aggregate: the P-th percentile (0 to 100) of all
 *				values that are not NULL, with linear interpolation
 *				between neighbours; NULL when there are none
 *	bucket_percentile(BUCKET, N, P)
 *				aggregate: the same of a histogram (view histograms
 *				or interval_histograms), in cycles; off by less than 0.8 %
 *	reason_name(REASON [, ISA])
 *				name of a full or basic exit reason; ISA 1 VMX (if left
 *				out), 2 SVM. As reason_name in the views
 *	cycles_to_ns(CYCLES, TSC_KHZ)
 *				ns, rounded down; NULL where an argument is NULL
 *	hist_buckets(TEXT)	table-valued: bucket and n of a text of table
 *				exit_hist_packed; an error where it is none
 *
 * Built into "analyzer sql"; for other programs a loadable extension:
 *	sqlite> .load bazel-bin/sql/extension/exitscope_ext
 */
#ifndef EXITSCOPE_SQL_FUNCTIONS_H
#define EXITSCOPE_SQL_FUNCTIONS_H

#include <sqlite3.h>

/* Make the functions known to a connection. Returns a code of SQLite. */
int functions_register(sqlite3 *db);

#endif
