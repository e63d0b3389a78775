/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * push.h - sends recordings to ClickHouse servers
 *
 * HOW IT WORKS
 *
 *	run.sqlite ──► rows of a table ──► a batch ──► INSERT over HTTP ──► table push_cursor
 *	    ▲                                           again until accepted      │
 *	    └──────────── what the server does not have yet ◄─────────────────────┘
 *
 * The recording itself is what waits for a server that is away: nothing is read ahead. The cursor
 * moves after the server has accepted a batch, so each row arrives at least once, however the
 * program ends; it counts once, as rows with the same key are one (sql/clickhouse/schema.sql).
 * A run goes to one of the servers as a whole, chosen by its key and their hosts, and stays there.
 * While a server is away the others get their runs.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_PUSH_H
#define EXITSCOPE_ANALYZER_PUSH_PUSH_H

#include "analyzer/push/cursor.h"
#include "analyzer/push/server.h"
#include "analyzer/push/table.h"

#define PUSH_SERVERS_MAX 64

#define PUSH_BATCH_DEFAULT 200000
#define PUSH_BATCH_MIN	   1000
#define PUSH_BATCH_MAX	   500000

/* The tables of sql/clickhouse/schema.sql, in the order in which they are sent. */
enum push_table {
	PUSH_REASON,
	PUSH_RUN,
	PUSH_VM,
	PUSH_VCPU,
	PUSH_VCPU_STATE,
	PUSH_LOSS,
	PUSH_CROSSCHECK,
	PUSH_ROLLUP,
	PUSH_HIST,
	PUSH_EXIT,
	PUSH_TABLES
};

/*
 * struct push_options - what to send
 * @raw: single exits too
 * @again: what the servers have by the recording's own account too, as they may have lost it
 * @without: columns that are not sent, with commas between them; NULL: all are
 * @batch_rows: rows of a request
 */
struct push_options {
	bool raw;
	bool again;
	const char *without;
	uint64_t batch_rows;
	struct server_options server;
};

/* What was sent of a run; @server: where to; @is_begun: nothing of it is left to be forgotten. */
struct push_sent {
	int64_t run;
	bool is_begun;
	char label[128];
	const struct server *server;
	uint64_t rows[PUSH_TABLES];
	uint64_t bytes;
};

/* struct push_target - a server, and what it can do */
struct push_target {
	struct server server;
	bool is_known;
	bool has_token;
};

struct push {
	struct app *app;
	const struct push_options *options;
	struct push_target target[PUSH_SERVERS_MAX];
	unsigned int targets;
	struct table table[PUSH_TABLES];
	sqlite3 *cursors;
	bool is_waiting;	/* in this pass a server was away */
	struct push_sent *sent; /* one for each run */
	size_t n_sent;
};

/**
 * push_open - check what was asked for, before anything is sent
 * @urls: addresses of servers with commas between them
 *
 * Return: 0, or -1 with app->error; call push_close() in any case.
 */
int push_open(struct push *push, struct app *app, const struct push_options *options,
	      const char *urls);

/**
 * push_pass - send what the servers do not have yet, and record that they have it
 * @name: a run's number or label; NULL: all runs of the file
 * @is_over: set to whether all that was sent is of runs that have ended
 *
 * Waits for servers that are away, and sends the others what is new in the meantime. Opens the
 * database app->path and closes it again. Return: 0, or -1 with app->error.
 */
int push_pass(struct push *push, const char *name, bool *is_over);

void push_close(struct push *push);

#endif
