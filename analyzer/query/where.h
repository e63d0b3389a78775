/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * where.h - the filter options as an SQL condition on the rows of table exit
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_WHERE_H
#define EXITSCOPE_ANALYZER_QUERY_WHERE_H

#include "analyzer/query/app.h"

/*
 * Prepare a statement: @format is its SQL with one %s, where "vcpu IN (...) AND
 * ..." goes, for table exit named e. -1 with app->error, also when the run has
 * no rows at all.
 */
int where_prepare(struct app *app, const struct run *run, const char *format, sqlite3_stmt **stmt);

#endif
