// SPDX-License-Identifier: GPL-2.0-only
/*
 * parts.c - which rows of each table a server does not have yet; see parts.h
 *
 * A table of few rows is sent as a whole when it has changed since. Intervals are sent in their
 * order for each vCPU: its exits are recorded in the order of time, so only the last interval can
 * have changed since it was sent, and it is sent again if it has. A TSC that went back breaks that
 * order; the sum of all intervals shows it when the run has ended. Exits are sent in the order of
 * their rowids.
 *
 * No statement is open while something is sent: a server may be away for hours, and a reader would
 * keep the collector's write-ahead log growing.
 */
#include "analyzer/push/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/push/hist.h"
#include "analyzer/push/statements.h"
#include "analyzer/query/db.h"
#include "analyzer/query/time/states.h"
#include "analyzer/query/vms.h"
#include "base/hash.h"

/* Columns of rows that are looked at on their way: of the intervals, of exit_rollup, of exit. */
enum { SLOT = HIST_SLOT, ROLLUP_EXITS = 10, EXIT_ID = 2, EXIT_VCPU = 5, EXIT_SEQ = 6 };

static int read_cursor(struct batch *batch, struct cursor *cursor)
{
	return cursor_read(batch->push->app, batch->push->cursors, batch->target->server.url,
			   batch_cursor_key(batch), cursor);
}

/* Nothing of a table was sent, or with @vcpu of this vCPU's rows in it. */
static struct cursor new_cursor(const struct batch *batch, enum push_table which, int64_t vcpu)
{
	const char *table = batch->push->table[which].name;
	struct cursor cursor = {.position = 0};

	if (vcpu)
		snprintf(cursor.part, sizeof(cursor.part), "%s %" PRId64, table, vcpu);
	else
		snprintf(cursor.part, sizeof(cursor.part), "%s", table);
	return cursor;
}

/* The columns of a query that has those of the batch's table. */
static void read_row(const struct batch *batch, sqlite3_stmt *stmt, struct value *value)
{
	for (unsigned int i = 0; i < batch->push->table[batch->table].columns; i++)
		value[i] = value_of(stmt, (int)i);
}

static int put_row(struct batch *batch, sqlite3_stmt *stmt)
{
	struct value value[TABLE_COLUMNS_MAX];

	read_row(batch, stmt, value);
	return batch_put(batch, value);
}

/* Reads up to a batch of rows of a table that is sent as a whole. */
static int read_page(struct batch *batch, const char *sql, uint64_t offset)
{
	struct app *app = batch->push->app;
	char page[4096];
	sqlite3_stmt *stmt;
	int rc;

	snprintf(page, sizeof(page), "SELECT * FROM (%s) LIMIT %" PRIu64 " OFFSET %" PRIu64, sql,
		 batch->push->options->batch_rows, offset);
	if (db_prepare(app, &stmt, page))
		return -1;
	sqlite3_bind_int64(stmt, 1, batch->run->id);
	sqlite3_bind_int64(stmt, 2, batch->key);
	sqlite3_bind_int64(stmt, 3, batch->ver);
	sqlite3_bind_int64(stmt, 4, batch->ended);
	sqlite3_bind_int(stmt, 5, table_leaves_out(&batch->push->table[PUSH_RUN], "command"));
	sqlite3_bind_int(stmt, 6, table_leaves_out(&batch->push->table[PUSH_VM], "name"));
	sqlite3_bind_int(stmt, 7, table_leaves_out(&batch->push->table[PUSH_VM], "comm"));

	while ((rc = db_step(app, stmt)) > 0) {
		rc = put_row(batch, stmt);
		if (rc)
			break;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* Sends what is in the batch, all of a table, if it differs from what was sent. */
static int send_if_changed(struct batch *batch, struct cursor *cursor, uint64_t count,
			   uint64_t hash)
{
	if (!count || (cursor->position == (int64_t)count && cursor->hash == (int64_t)hash)) {
		rows_cut(&batch->rows, 0, 0);
		return 0;
	}
	cursor->position = (int64_t)count;
	cursor->hash = (int64_t)hash;
	return batch_move(batch, cursor) || batch_flush(batch) ? -1 : 0;
}

/* Sends a table that has more rows than a batch, all of it. */
static int send_pages(struct batch *batch, const char *sql, uint64_t count)
{
	for (uint64_t at = 0; at < count; at += batch->push->options->batch_rows) {
		if (read_page(batch, sql, at) || batch_flush(batch))
			return -1;
	}
	return 0;
}

static int send_whole(struct batch *batch, enum push_table table, const char *sql)
{
	uint64_t hash = 0, count = 0, most = batch->push->options->batch_rows, last;
	struct cursor cursor;

	batch->table = table;
	cursor = new_cursor(batch, table, 0);
	if (read_cursor(batch, &cursor))
		return -1;

	do {
		rows_cut(&batch->rows, 0, 0);
		if (read_page(batch, sql, count))
			return -1;
		last = batch->rows.count;
		count += last;
		hash = hash_mix(hash, rows_hash(batch->rows.data, batch->rows.bytes));
	} while (last == most);

	if (batch->rows.count < count && cursor.hash != (int64_t)hash) {
		rows_cut(&batch->rows, 0, 0);
		if (send_pages(batch, sql, count))
			return -1;
	}
	return send_if_changed(batch, &cursor, count, hash);
}

/* Whether what a VM is called may not leave the host. */
static bool is_label_left_out(const struct batch *batch, const struct vm_ref *vm)
{
	const struct table *table = &batch->push->table[PUSH_VM];

	if (table_leaves_out(table, "name"))
		return true;
	/* A VM may be called by its comm, with a number after it where several are. */
	return table_leaves_out(table, "comm") && *vm->comm &&
	       !strncmp(vm->label, vm->comm, strlen(vm->comm));
}

/* What a VM is called: by its number (written to @number), if that is left out. */
static const char *label_of(const struct batch *batch, int64_t id, char number[32])
{
	const struct vm_ref *vm = vms_find(batch->run, id);

	snprintf(number, 32, "%" PRId64, id);
	return vm && !is_label_left_out(batch, vm) ? vm->label : number;
}

/* The row of table vcpu_state. */
static int put_state(struct batch *batch, const struct value *host, const struct states *states,
		     const struct state_row *row)
{
	char number[32];
	const char *label = label_of(batch, row->vm, number);
	struct value value[] = {
		{.kind = VALUE_INTEGER, .integer = batch->key},
		{.kind = VALUE_INTEGER, .integer = row->vm},
		{.kind = VALUE_INTEGER, .integer = row->vcpu},
		*host,
		{.kind = VALUE_TEXT, .text = label, .length = strlen(label)},
		{.kind = VALUE_INTEGER, .integer = batch->run->tsc_khz},
		{.kind = VALUE_INTEGER, .integer = states->has_polled},
		{.kind = VALUE_REAL, .real = row->wall},
		{.kind = VALUE_REAL, .real = row->part[STATE_GUEST]},
		{.kind = VALUE_REAL, .real = row->part[STATE_HANDLER]},
		{.kind = VALUE_REAL, .real = row->part[STATE_USER]},
		{.kind = VALUE_REAL, .real = row->part[STATE_POLLED]},
		{.kind = VALUE_REAL, .real = row->part[STATE_HALTED]},
		{.kind = VALUE_REAL, .real = row->part[STATE_WAITING]},
		{.kind = row->is_certain ? VALUE_REAL : VALUE_NULL,
		 .real = row->part[STATE_UNKNOWN]},
		{.kind = VALUE_INTEGER, .integer = batch->ver},
	};

	return batch_put(batch, value);
}

static int put_states(struct batch *batch, const struct states *states)
{
	struct app *app = batch->push->app;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, "SELECT host FROM run WHERE id = ?1"))
		return -1;
	sqlite3_bind_int64(stmt, 1, batch->run->id);
	rc = db_step(app, stmt);
	if (rc > 0) {
		struct value host = value_of(stmt, 0);

		rc = 0;
		for (unsigned int i = 0; !rc && i < states->rows; i++)
			rc = put_state(batch, &host, states, &states->row[i]);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* States of vCPUs, where the recording knows the parts of time. */
static int send_states(struct batch *batch)
{
	struct app *app = batch->push->app;
	struct states states;
	struct cursor cursor;
	uint64_t hash;
	int rc;

	if (!batch->run->has_split || batch->run->no_durations)
		return 0;
	batch->table = PUSH_VCPU_STATE;
	cursor = new_cursor(batch, PUSH_VCPU_STATE, 0);
	if (read_cursor(batch, &cursor))
		return -1;
	rc = states_read(app, batch->run, true, &states);
	if (!rc)
		rc = put_states(batch, &states);
	states_free(&states);
	if (rc)
		return -1;

	hash = rows_hash(batch->rows.data, batch->rows.bytes);
	return send_if_changed(batch, &cursor, batch->rows.count, hash);
}

/*
 * struct intervals - the intervals of a vCPU that are being read
 * @had: the cursor, as it was
 * @is_open: rows of interval @slot are in the batch from byte @first_byte and row @first_row on
 * @exits: of that interval
 * @before: exits of the intervals before it
 * @hist: room for one histogram
 */
struct intervals {
	struct batch *batch;
	struct cursor had;
	bool is_open;
	int64_t slot;
	size_t first_byte;
	uint64_t first_row;
	int64_t exits;
	int64_t before;
	struct hist *hist;
};

/* All rows of the open interval are in the batch. Leaves it out if the server has it. */
static int end_interval(struct intervals *at)
{
	struct rows *rows = &at->batch->rows;
	struct cursor now = at->had;

	if (!at->is_open)
		return 0;
	now.position = at->slot;
	now.hash = (int64_t)rows_hash(rows->data + at->first_byte, rows->bytes - at->first_byte);
	now.total = at->before;
	at->is_open = false;
	at->before += at->exits;

	if (now.position == at->had.position && now.hash == at->had.hash) {
		rows_cut(rows, at->first_byte, at->first_row);
		return 0;
	}
	at->had = now;
	return batch_move(at->batch, &now);
}

/* Adds a row of an interval. 1: not added, as the interval is a new one and the batch is full. */
static int put_interval(struct intervals *at, int64_t exits, const struct value *value)
{
	int64_t slot = value[SLOT].integer;

	if (!at->is_open || slot != at->slot) {
		if (end_interval(at))
			return -1;
		if (batch_is_full(at->batch))
			return 1;
		at->is_open = true;
		at->slot = slot;
		at->first_byte = at->batch->rows.bytes;
		at->first_row = at->batch->rows.count;
		at->exits = 0;
	}
	at->exits += exits;
	return batch_put(at->batch, value);
}

static int put_rollup(struct intervals *at, sqlite3_stmt *stmt)
{
	struct value value[TABLE_COLUMNS_MAX];

	read_row(at->batch, stmt, value);
	return put_interval(at, value[ROLLUP_EXITS].integer, value);
}

static int put_hist(struct intervals *at, sqlite3_stmt *stmt)
{
	struct app *app = at->batch->push->app;
	struct value value[HIST_VALUES];

	if (hist_read(at->hist, stmt, value))
		return app_fail(app, "%s: a histogram of its table exit_hist is damaged",
				app->path);
	return put_interval(at, 0, value);
}

/* Reads intervals into the batch, from the last one that was sent on. 1: the batch is full. */
static int read_intervals(struct intervals *at, int64_t vcpu)
{
	struct batch *batch = at->batch;
	struct app *app = batch->push->app;
	bool is_rollup = batch->table == PUSH_ROLLUP;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, is_rollup ? push_sql_exit_rollup : push_sql_exit_hist))
		return -1;
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, batch->key);
	sqlite3_bind_int64(stmt, 3, batch->day);
	sqlite3_bind_int64(stmt, 4, at->had.hash ? at->had.position : INT64_MIN);
	at->before = at->had.total;

	while ((rc = db_step(app, stmt)) > 0) {
		rc = is_rollup ? put_rollup(at, stmt) : put_hist(at, stmt);
		if (rc)
			break;
	}
	sqlite3_finalize(stmt);
	return rc ? rc : end_interval(at);
}

/* Whether intervals before the last one that was sent have changed since: 1 or 0, or -1. */
static int has_older_exits(struct batch *batch, int64_t vcpu, const struct cursor *cursor)
{
	struct app *app = batch->push->app;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt,
		       "SELECT coalesce(sum(n), 0) FROM exit_rollup WHERE vcpu = ?1 AND slot < ?2"))
		return -1;
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, cursor->position);
	rc = db_step(app, stmt);
	if (rc > 0)
		rc = sqlite3_column_int64(stmt, 0) != cursor->total;
	sqlite3_finalize(stmt);
	return rc;
}

/* Begins with the first interval again, of the histograms too, if older ones have changed. */
static int check_older(struct batch *batch, int64_t vcpu, struct cursor *cursor)
{
	struct cursor begin[] = {new_cursor(batch, PUSH_ROLLUP, vcpu),
				 new_cursor(batch, PUSH_HIST, vcpu)};
	int changed = 0;

	if (batch->table == PUSH_ROLLUP && batch->ended && cursor->hash)
		changed = has_older_exits(batch, vcpu, cursor);
	if (changed <= 0)
		return changed;

	*cursor = begin[0];
	return cursors_write(batch->push->app, batch->push->cursors, batch->target->server.url,
			     batch->key, begin, 2);
}

static int send_intervals_of(struct batch *batch, int64_t vcpu, struct hist *hist)
{
	struct intervals at = {
		.batch = batch, .had = new_cursor(batch, batch->table, vcpu), .hist = hist};
	int rc;

	if (read_cursor(batch, &at.had) || check_older(batch, vcpu, &at.had))
		return -1;
	while ((rc = read_intervals(&at, vcpu)) > 0) {
		if (batch_flush(batch))
			return -1;
	}
	return rc;
}

static int send_intervals(struct batch *batch, enum push_table table)
{
	struct hist *hist = malloc(sizeof(*hist)); /* too large for a small stack */
	int rc = hist ? 0 : app_fail(batch->push->app, "out of memory");

	batch->table = table;
	for (unsigned int i = 0; i < batch->run->n_vcpus && !rc; i++)
		rc = send_intervals_of(batch, batch->run->vcpus[i].id, hist);
	free(hist);
	return rc ? rc : batch_flush(batch);
}

/* Which exit a row is of, whatever its number. Not 0. */
static int64_t exit_mark(sqlite3_stmt *stmt, int vcpu, int seq)
{
	uint64_t hash = hash_mix(1, (uint64_t)sqlite3_column_int64(stmt, vcpu));

	return (int64_t)(hash_mix(hash, (uint64_t)sqlite3_column_int64(stmt, seq)) | 1);
}

/* Reads the next batch of exits after the cursor, which it moves. */
static int read_exits(struct batch *batch, struct cursor *cursor)
{
	struct app *app = batch->push->app;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, push_sql_exit))
		return -1;
	sqlite3_bind_int64(stmt, 1, batch->run->id);
	sqlite3_bind_int64(stmt, 2, batch->key);
	sqlite3_bind_int64(stmt, 3, batch->day);
	sqlite3_bind_int64(stmt, 4, cursor->position);
	sqlite3_bind_int64(stmt, 5, (int64_t)batch->push->options->batch_rows);

	while ((rc = db_step(app, stmt)) > 0) {
		cursor->position = sqlite3_column_int64(stmt, EXIT_ID);
		cursor->total = exit_mark(stmt, EXIT_VCPU, EXIT_SEQ);
		rc = put_row(batch, stmt);
		if (rc)
			break;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * Begins with the first exit again if the rows have other numbers than when those up to the cursor
 * were sent: VACUUM does that. A recording that keeps the last rows alone loses the first ones.
 */
static int check_numbers(struct batch *batch, struct cursor *cursor)
{
	struct app *app = batch->push->app;
	sqlite3_stmt *stmt;
	int rc;

	if (!cursor->position)
		return 0;
	if (db_prepare(app, &stmt, push_sql_exit_position))
		return -1;
	sqlite3_bind_int64(stmt, 1, batch->run->id);
	sqlite3_bind_int64(stmt, 2, cursor->position);

	/* The last one of those up to the cursor, which is the one that was sent last. */
	rc = db_step(app, stmt);
	if (rc > 0 && (sqlite3_column_int64(stmt, 0) != cursor->position ||
		       (cursor->total && exit_mark(stmt, 1, 2) != cursor->total)))
		*cursor = new_cursor(batch, PUSH_EXIT, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

static int send_exits(struct batch *batch)
{
	uint64_t most = batch->push->options->batch_rows, read;
	struct cursor cursor;

	batch->table = PUSH_EXIT;
	cursor = new_cursor(batch, PUSH_EXIT, 0);
	if (read_cursor(batch, &cursor))
		return -1;
	if (cursor.hash)
		return 0;
	if (check_numbers(batch, &cursor))
		return -1;

	do {
		int64_t before = cursor.position;

		if (read_exits(batch, &cursor))
			return -1;
		read = batch->rows.count;
		cursor.hash = batch->ended && read < most;
		if (cursor.position == before && !cursor.hash)
			return 0;
		if (batch_move(batch, &cursor) || batch_flush(batch))
			return -1;
	} while (read == most);
	return 0;
}

int parts_send(struct batch *batch)
{
	static const struct {
		enum push_table table;
		const char *sql;
	} whole[] = {
		{PUSH_REASON, push_sql_reason}, {PUSH_RUN, push_sql_run},
		{PUSH_VM, push_sql_vm},		{PUSH_VCPU, push_sql_vcpu},
		{PUSH_LOSS, push_sql_loss},	{PUSH_CROSSCHECK, push_sql_crosscheck},
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		if (send_whole(batch, whole[i].table, whole[i].sql))
			return -1;
	}
	if (send_states(batch) || send_intervals(batch, PUSH_ROLLUP) ||
	    send_intervals(batch, PUSH_HIST))
		return -1;
	return batch->push->options->raw ? send_exits(batch) : 0;
}
