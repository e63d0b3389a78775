// SPDX-License-Identifier: GPL-2.0-only
/*
 * push.c - sends recordings to ClickHouse servers; see push.h
 */
#include "analyzer/push/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/push/ask.h"
#include "analyzer/push/parts.h"
#include "analyzer/query/db.h"
#include "base/array.h"
#include "base/hash.h"
#include "sql/clickhouse/make_text.h"

#define NS_PER_DAY INT64_C(86400000000000)

static const char *const table_names[PUSH_TABLES] = {
	[PUSH_REASON] = "reason",
	[PUSH_RUN] = "run",
	[PUSH_VM] = "vm",
	[PUSH_VCPU] = "vcpu",
	[PUSH_VCPU_STATE] = "vcpu_state",
	[PUSH_LOSS] = "loss",
	[PUSH_CROSSCHECK] = "crosscheck",
	[PUSH_ROLLUP] = "exit_rollup",
	[PUSH_HIST] = "exit_hist",
	[PUSH_EXIT] = "exit",
};

/* Every word of --without must be a column that can be left out. */
static int check_without(struct push *push, const char *list)
{
	while (list) {
		size_t length = strcspn(list, ",");

		if (!table_may_leave_out(clickhouse_schema, list, length))
			return app_fail(
				push->app,
				"--without %.*s: not a column that can be left out (such as rip, cr3, command)",
				(int)length, list);
		list = list[length] ? list + length + 1 : NULL;
	}
	return 0;
}

static int open_servers(struct push *push, const char *urls)
{
	while (urls) {
		size_t length = strcspn(urls, ",");

		if (push->targets == PUSH_SERVERS_MAX)
			return app_fail(push->app, "--to: more than %d servers", PUSH_SERVERS_MAX);
		if (server_open(&push->target[push->targets++].server, push->app,
				&push->options->server, urls, length))
			return -1;
		urls = urls[length] ? urls + length + 1 : NULL;
	}
	return 0;
}

int push_open(struct push *push, struct app *app, const struct push_options *options,
	      const char *urls)
{
	*push = (struct push){.app = app, .options = options};
	if (check_without(push, options->without) || open_servers(push, urls))
		return -1;

	for (int i = 0; i < PUSH_TABLES; i++) {
		if (table_find(clickhouse_schema, table_names[i], &push->table[i]))
			return app_fail(app, "table %s: not in the schema", table_names[i]);
		table_leave_out(&push->table[i], options->without);
	}
	return 0;
}

void push_close(struct push *push)
{
	for (unsigned int i = 0; i < push->targets; i++)
		server_close(&push->target[i].server);
	free(push->sent);
}

enum { AT_TABLE, AT_COLUMN, AT_TYPE, AT_COLUMNS };

/* Of all tables of exitscope on a server; an administrator may have added some. */
#define COLUMNS_MAX 10000

/* The type of a column on the server; NULL: it has no such column. */
static const char *type_there(const struct answer *columns, const char *table, const char *column)
{
	for (size_t i = 0; i < columns->rows; i++) {
		char *const *row = &columns->text[i * AT_COLUMNS];

		if (row[AT_TABLE] && !strcmp(row[AT_TABLE], table) && row[AT_COLUMN] &&
		    !strcmp(row[AT_COLUMN], column))
			return row[AT_TYPE];
	}
	return NULL;
}

/* Rows of another layout would be read as something else: RowBinary has no types in it. */
static int compare_columns(struct server *server, const struct table *table,
			   const struct answer *columns)
{
	for (unsigned int i = 0; i < table->columns; i++) {
		const struct column *column = &table->column[i];
		const char *type = type_there(columns, table->name, column->name);

		if (!type || !column_is_of(column, type))
			return app_fail(
				server->app,
				"%s: its table exitscope.%s is of another version: column %s (bring it up to date with --create)",
				server->url, table->name, column->name);
	}
	return 0;
}

static int check_columns(const struct push *push, struct server *server)
{
	struct answer columns;
	int rc = ask(server, clickhouse_columns, AT_COLUMNS, COLUMNS_MAX, &columns);

	if (!rc && !columns.rows)
		rc = app_fail(server->app,
			      "%s: it has no tables of exitscope (make them with --create)",
			      server->url);
	for (int i = 0; i < PUSH_TABLES && !rc; i++)
		rc = compare_columns(server, &push->table[i], &columns);
	answer_free(&columns);
	return rc;
}

/* Asks a server, once, for its tables and what it can do. */
static int check_server(const struct push *push, struct push_target *target)
{
	struct server *server = &target->server;

	if (target->is_known)
		return 0;
	if (check_columns(push, server))
		return -1;
	if (ask_whether(server, clickhouse_has_token, &target->has_token))
		return -1;
	target->is_known = true;
	return 0;
}

/* Fills in batch->key and batch->day, which the recording gives, not the machine that sends it. */
static int read_identity(struct batch *batch)
{
	struct app *app = batch->push->app;
	uint64_t key = 0;
	sqlite3_stmt *stmt;
	int64_t day;

	if (db_prepare(
		    app, &stmt,
		    "SELECT started_ns, tsc_start, tsc_khz, id, isa, host, kernel FROM run WHERE id = ?1"))
		return -1;
	sqlite3_bind_int64(stmt, 1, batch->run->id);
	if (db_step(app, stmt) <= 0) {
		sqlite3_finalize(stmt);
		return app_fail_sql(app);
	}

	for (int i = 0; i < 5; i++)
		key = hash_mix(key, (uint64_t)sqlite3_column_int64(stmt, i));
	for (int i = 5; i < 7; i++) {
		const void *text = sqlite3_column_text(stmt, i);

		key = hash_mix(key, rows_hash(text, (size_t)sqlite3_column_bytes(stmt, i)));
	}
	day = sqlite3_column_int64(stmt, 0) / NS_PER_DAY;
	sqlite3_finalize(stmt);

	batch->key = (int64_t)key;
	batch->day = day >= 0 && day <= UINT16_MAX ? day : 0;
	return 0;
}

static bool has_same_host(const char *url, const char *other)
{
	const char *host, *other_host;
	size_t length = server_host(url, &host), other_length = server_host(other, &other_host);

	return length == other_length && !memcmp(host, other_host, length);
}

/* The server of the list that has a part of a run; @is_same: by the same URL. */
struct home {
	struct push *push;
	struct push_target *target;
	bool is_same;
};

/* A server may have another port or https by now; of two on one host the URL says which. */
static void see_home(void *context, const char *url)
{
	struct home *home = context;

	for (unsigned int i = 0; i < home->push->targets && !home->is_same; i++) {
		struct push_target *target = &home->push->target[i];

		home->is_same = !strcmp(target->server.url, url);
		if (home->is_same || (!home->target && has_same_host(target->server.url, url)))
			home->target = target;
	}
}

/*
 * The server that a run's key gives: the one whose host has the largest hash with it, so neither
 * the order of the list counts nor schemes and ports, and a further server takes over few runs.
 */
static struct push_target *target_of_key(struct push *push, int64_t key)
{
	struct push_target *best = NULL;
	uint64_t best_host = 0, best_url = 0;

	for (unsigned int i = 0; i < push->targets; i++) {
		struct push_target *target = &push->target[i];
		const char *name, *url = target->server.url;
		size_t length = server_host(url, &name);
		uint64_t host = hash_mix((uint64_t)key, rows_hash(name, length));
		uint64_t whole = hash_mix((uint64_t)key, rows_hash(url, strlen(url)));

		if (!best || host > best_host || (host == best_host && whole > best_url)) {
			best = target;
			best_host = host;
			best_url = whole;
		}
	}
	return best;
}

/* The server of a run: one that has a part of it, else the one that its key gives. */
static int choose_target(struct batch *batch)
{
	struct push *push = batch->push;
	struct home home = {.push = push};

	if (cursor_servers(push->app, push->cursors, batch->key, see_home, &home))
		return -1;
	batch->target = home.target ? home.target : target_of_key(push, batch->key);
	return 0;
}

/* What was sent of the run, by earlier passes of this program too. */
static struct push_sent *find_sent(struct push *push, const struct run *run)
{
	struct push_sent *more;

	for (size_t i = 0; i < push->n_sent; i++) {
		if (push->sent[i].run == run->id)
			return &push->sent[i];
	}
	more = array_reserve(push->sent, push->n_sent, 1, sizeof(*more));
	if (!more)
		return NULL;
	push->sent = more;
	more += push->n_sent++;
	*more = (struct push_sent){.run = run->id};
	return more;
}

static int forget(const struct batch *batch)
{
	return cursors_forget(batch->push->app, batch->push->cursors, batch->target->server.url,
			      batch->key);
}

/* What the server is to be told of the run; all of it with push_options.again. */
static int send_run(struct batch *batch)
{
	struct push *push = batch->push;
	struct push_target *target = batch->target;
	bool is_first = push->options->again && !batch->sent->is_begun;

	if (check_server(push, target) || (is_first && forget(batch)))
		return -1;
	batch->sent->is_begun = true;
	return parts_send(batch);
}

/* Sends what is new of app->run, unless its server is away. */
static int push_run(struct push *push, bool *is_over)
{
	struct app *app = push->app;
	struct batch batch = {.push = push, .run = &app->run};
	int rc = 0;

	batch.ended = strcmp(app->run.state, "recording") != 0;
	batch.ver = 2 * (app->run.exits + app->run.dropped + app->run.filtered) + batch.ended;
	*is_over = *is_over && batch.ended;

	batch.sent = find_sent(push, &app->run);
	if (!batch.sent)
		return app_fail(app, "out of memory");
	if (read_identity(&batch) || choose_target(&batch))
		return -1;
	snprintf(batch.sent->label, sizeof(batch.sent->label), "%s", app->run.label);
	batch.sent->server = &batch.target->server;

	if (!batch.target->server.is_away)
		rc = send_run(&batch);
	batch_free(&batch);
	push->is_waiting = push->is_waiting || batch.target->server.is_away;
	return batch.target->server.is_away ? 0 : rc;
}

/* The numbers of all runs of the file. */
static int list_runs(struct app *app, int64_t **list, size_t *count)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, "SELECT id FROM run ORDER BY id"))
		return -1;
	while ((rc = db_step(app, stmt)) > 0) {
		int64_t *more = array_reserve(*list, *count, 1, sizeof(*more));

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		*list = more;
		more[(*count)++] = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int push_named(struct push *push, const char *name, bool *is_over)
{
	struct app *app = push->app;
	int rc = run_open(app, name, &app->run);

	if (!rc)
		rc = push_run(push, is_over);
	run_close(&app->run);
	app->run = (struct run){0};
	return rc;
}

static int push_runs(struct push *push, const char *name, bool *is_over)
{
	struct app *app = push->app;
	int64_t *list = NULL;
	size_t count = 0;
	int rc;

	if (name)
		return push_named(push, name, is_over);
	rc = list_runs(app, &list, &count);
	if (!rc && !count)
		rc = app_fail(app, "%s: no run in it (record one with collector --db)", app->path);
	for (size_t i = 0; !rc && i < count; i++) {
		char number[32];

		snprintf(number, sizeof(number), "%lld", (long long)list[i]);
		rc = push_named(push, number, is_over);
	}
	free(list);
	return rc;
}

/* Each server that is not away gets what it does not have yet. */
static int push_once(struct push *push, const char *name, bool *is_over)
{
	struct app *app = push->app;
	int rc;

	*is_over = true;
	push->is_waiting = false;
	for (unsigned int i = 0; i < push->targets; i++) {
		push->target[i].server.leave_when_away = push->targets > 1;
		push->target[i].server.is_away = false;
	}

	if (db_open(app, app->path, &app->db))
		return -1;
	rc = cursors_open(app, &push->options->server, &push->cursors);
	if (!rc)
		rc = push_runs(push, name, is_over);

	/* The last connection that may write removes the write-ahead log as it closes. */
	sqlite3_close(app->db);
	app->db = NULL;
	sqlite3_close(push->cursors);
	push->cursors = NULL;
	return rc;
}

int push_pass(struct push *push, const char *name, bool *is_over)
{
	const struct server_options *options = &push->options->server;
	int64_t pause_ns = SERVER_FIRST_PAUSE_NS;
	int rc;

	while (!(rc = push_once(push, name, is_over)) && push->is_waiting) {
		server_sleep(options, pause_ns);
		if (server_stopped(options))
			return app_fail(push->app, "stopped while a server is away");
		pause_ns = server_next_pause(pause_ns);
	}
	return rc;
}
