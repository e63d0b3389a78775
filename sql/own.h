/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * own.h - the definitions of our tables and views, one by one
 *
 * As schema.sql and views.sql have them. Known without SQLite, which takes longer to read them
 * than a short command takes in all.
 */
#ifndef EXITSCOPE_SQL_OWN_H
#define EXITSCOPE_SQL_OWN_H

#include <stddef.h>
#include <stdint.h>

/*
 * name:	of the table or view
 * sql:		"CREATE TABLE name ..." or "CREATE VIEW name ...", without a semicolon, as SQLite
 *		stores it
 */
struct own_definition {
	const char *name;
	const char *sql;
};

/* Table @i, from 0 on, of schema @version (1 to SCHEMA_VERSION); NULL after the last one. */
const struct own_definition *own_table(int64_t version, size_t i);

/* View @i, from 0 on; NULL after the last one. A view reads only those before it. */
const struct own_definition *own_view(size_t i);

/* The definition of table @name in schema @version; NULL: there is none. */
const char *own_table_sql(int64_t version, const char *name);

#endif
