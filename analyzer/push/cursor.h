/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cursor.h - how much of a recording a server has, kept in the recording itself
 *
 * Table push_cursor has a row for each server, run and part of it. It is written after the server
 * has accepted a batch, so a batch may be sent twice but none is left out.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_CURSOR_H
#define EXITSCOPE_ANALYZER_PUSH_CURSOR_H

#include "analyzer/push/server.h"
#include "analyzer/query/app.h"

#define CURSOR_PART_MAX 64

/*
 * struct cursor - how much of one part a server has
 * @position: of a table that is sent as a whole: its rows; of intervals: the last one; of exits:
 *	the last rowid
 * @hash: of what was sent, as a whole or of the last interval; of exits: 1 when the run has ended
 *	and all of them were sent
 * @total: of intervals: exits in those before the last one; of exits: a hash of the last one's vCPU
 *	and seq, as VACUUM gives rows other numbers; 0: none
 */
struct cursor {
	char part[CURSOR_PART_MAX];
	int64_t position;
	int64_t hash;
	int64_t total;
};

/*
 * cursors_open - open the recording @path a second time, to write table push_cursor
 *
 * The file may come from elsewhere: db_open() must have checked it, and a table push_cursor that is
 * not ours is refused. The table is made where it is missing. All that writes waits while another
 * program has locked the file, such as a collector that ends a long recording, until @options say
 * to stop. Return: 0, or -1 with app->error; *db is to be closed by the caller in any case.
 */
int cursors_open(struct app *app, const struct server_options *options, sqlite3 **db);

/* Read the cursor of cursor->part; all 0: nothing was sent. Return: 0, or -1 with app->error. */
int cursor_read(struct app *app, sqlite3 *db, const char *server, int64_t run,
		struct cursor *cursor);

/* Write @count cursors, all or none. Return: 0, or -1 with app->error. */
int cursors_write(struct app *app, sqlite3 *db, const char *server, int64_t run,
		  const struct cursor *cursor, size_t count);

/* Forget what @server has of @run, so that it is sent again. Return: as cursors_write(). */
int cursors_forget(struct app *app, sqlite3 *db, const char *server, int64_t run);

/*
 * Call @see with each server that has a part of @run, in the order of their URLs. They come from
 * the file. Return: 0, or -1 with app->error.
 */
int cursor_servers(struct app *app, sqlite3 *db, int64_t run,
		   void (*see)(void *context, const char *server), void *context);

#endif
