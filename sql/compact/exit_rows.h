/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit_rows.h - virtual table exit_rows: the exits of a run database, rows and chunks alike
 *
 *	SELECT reason, count(*), sum(cycles) FROM exit_rows GROUP BY reason
 *
 * It has the columns and the rowid of table exit. First come the rows of table exit, then the
 * exits of table exit_chunk; the rowid of exit number i of chunk n is
 * EXIT_CHUNK_ROWS + n * CHUNK_RECORDS_MAX + i. Only the columns that a statement reads are
 * decoded. Conditions on vcpu, on tsc and on the rowid skip chunks, ORDER BY rowid costs nothing.
 */
#ifndef EXITSCOPE_SQL_COMPACT_EXIT_ROWS_H
#define EXITSCOPE_SQL_COMPACT_EXIT_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is called for a chunk that can't be read; @exits is how many it should have. Its exits are
 * left out. Without such a function the statement fails.
 */
struct exit_rows_damage {
	void (*report)(void *context, int64_t chunk, int64_t exits, const char *why);
	void *context;
};

/* Registers module exit_rows. @damage may be NULL; it must outlive @db. Returns what SQLite does.
 */
int exit_rows_register(sqlite3 *db, const struct exit_rows_damage *damage);

/*
 * exit_rows_shadow() - makes all statements read chunks too
 * @schema: the name of the file's database in @db, "main" or as it was attached
 *
 * Where the file has chunks, TEMP table exit stands for table exit from now on: names without a
 * schema mean it first, in the TEMP views, too.
 * @has_chunks: set to whether that is so; may be NULL
 *
 * Return: what SQLite returns.
 */
int exit_rows_shadow(sqlite3 *db, const char *schema, bool *has_chunks);

#endif
