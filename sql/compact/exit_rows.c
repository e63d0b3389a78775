// SPDX-License-Identifier: GPL-2.0-only
/* exit_rows.c - the exits of a run database as one table; see exit_rows.h */
#ifdef EXITSCOPE_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#endif

#include <string.h>

#include "sql/chunk/chunk.h"
#include "sql/compact/columns.h"
#include "sql/compact/exit_rows.h"

#define COLUMN_VCPU 0
#define COLUMN_TSC  2
#define COLUMN_ROW  (-1)

/* What xBestIndex found; each of the first six has an argument, in this order. */
enum {
	PLAN_ROW = 0x01,      /* rowid = ? */
	PLAN_ROW_FROM = 0x02, /* rowid >= ? */
	PLAN_ROW_TO = 0x04,   /* rowid <= ? */
	PLAN_VCPU = 0x08,     /* vcpu = ? */
	PLAN_TSC_FROM = 0x10, /* tsc >= ? */
	PLAN_TSC_TO = 0x20,   /* tsc <= ? */
	PLAN_ARGUMENTS = 6,
	PLAN_DOWN = 0x40, /* ORDER BY rowid DESC */
};

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
	const struct exit_rows_damage *damage;
	char *schema;
	bool is_busy; /* a statement of ours is running */
};

enum phase { PHASE_ROWS, PHASE_CHUNKS, PHASE_END };

struct cursor {
	sqlite3_vtab_cursor base;
	enum phase phase;
	bool is_down;
	int64_t from; /* rowids, both included */
	int64_t to;
	sqlite3_stmt *rows;
	sqlite3_stmt *chunks;
	int plan; /* that @rows and @chunks were prepared for; -1: none */

	/* The open chunk. Its blob is the present row's of @chunks. */
	struct chunk_decoder *decoder;
	bool is_open;
	int64_t chunk;
	int64_t vcpu;
	int64_t at; /* in the chunk; @first and @last: those within @from and @to */
	int64_t first;
	int64_t last;
	const uint64_t *columns[EXIT_COLUMNS_MAX]; /* decoded so far */
};

static int declare(sqlite3 *db)
{
	sqlite3_str *text = sqlite3_str_new(db);
	char *sql;
	int rc;

	sqlite3_str_appendall(text, "CREATE TABLE x (vcpu INTEGER");
	for (int i = 0; i < exit_column_count; i++)
		sqlite3_str_appendf(text, ", %s INTEGER", exit_columns[i].name);
	sqlite3_str_appendall(text, ")");
	sql = sqlite3_str_finish(text);
	rc = sql ? sqlite3_declare_vtab(db, sql) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return rc ? rc : sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
}

/* The argument is the database of the file; main where there is none. */
static int connect(sqlite3 *db, void *damage, int argc, const char *const *argv,
		   sqlite3_vtab **table, char **error)
{
	struct table *t;
	int rc = declare(db);

	(void)error;
	if (rc)
		return rc;

	t = sqlite3_malloc(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct table){
		.db = db,
		.damage = damage,
		.schema = sqlite3_mprintf("%s", argc > 3 ? argv[3] : "main"),
	};
	*table = &t->base;
	if (t->schema)
		return SQLITE_OK;

	sqlite3_free(t);
	return SQLITE_NOMEM;
}

static int disconnect(sqlite3_vtab *table)
{
	sqlite3_free(((struct table *)table)->schema);
	sqlite3_free(table);
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)table;
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){.phase = PHASE_END, .plan = -1, .decoder = chunk_decoder_new()};
	*cursor = &c->base;
	if (c->decoder)
		return SQLITE_OK;

	sqlite3_free(c);
	return SQLITE_NOMEM;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;

	sqlite3_finalize(c->rows);
	sqlite3_finalize(c->chunks);
	chunk_decoder_free(c->decoder);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The bit of a condition that is of use; 0: it is not. */
static int plan_of(const struct sqlite3_index_constraint *c)
{
	bool is_from = c->op == SQLITE_INDEX_CONSTRAINT_GE || c->op == SQLITE_INDEX_CONSTRAINT_GT;
	bool is_to = c->op == SQLITE_INDEX_CONSTRAINT_LE || c->op == SQLITE_INDEX_CONSTRAINT_LT;
	bool is_equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;

	if (!c->usable)
		return 0;
	if (c->iColumn == COLUMN_VCPU)
		return is_equal ? PLAN_VCPU : 0;
	if (c->iColumn == COLUMN_TSC && (is_from || is_to))
		return is_from ? PLAN_TSC_FROM : PLAN_TSC_TO;
	if (c->iColumn != COLUMN_ROW)
		return 0;
	if (is_equal)
		return PLAN_ROW;
	if (is_from)
		return PLAN_ROW_FROM;
	return is_to ? PLAN_ROW_TO : 0;
}

/* Conditions only skip what can't fit; SQLite itself tests every row again. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *index)
{
	int plan = 0;
	int arguments = 0;

	(void)table;
	for (int bit = 0; bit < PLAN_ARGUMENTS; bit++) {
		for (int i = 0; i < index->nConstraint && !(plan >> bit & 1); i++) {
			if (plan_of(&index->aConstraint[i]) != 1 << bit)
				continue;
			index->aConstraintUsage[i].argvIndex = ++arguments;
			plan |= 1 << bit;
		}
	}
	if (index->nOrderBy == 1 && index->aOrderBy[0].iColumn == COLUMN_ROW) {
		index->orderByConsumed = 1;
		plan |= index->aOrderBy[0].desc ? PLAN_DOWN : 0;
	}

	index->idxNum = plan;
	index->estimatedRows = plan & PLAN_ROW ? 1 : 100000000 >> 2 * arguments;
	index->estimatedCost = plan & PLAN_ROW ? 100 : (double)index->estimatedRows;
	if (plan & PLAN_ROW)
		index->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
	return SQLITE_OK;
}

/* Keeps a message for the statement that reads this table; frees it later. */
static void set_message(struct table *t, char *message)
{
	sqlite3_free(t->base.zErrMsg);
	t->base.zErrMsg = message;
}

static int fail(struct cursor *c, int rc)
{
	struct table *t = (struct table *)c->base.pVtab;

	set_message(t, sqlite3_mprintf("exit_rows: %s", sqlite3_errmsg(t->db)));
	return rc;
}

/*
 * Steps a statement of ours. Somebody may have made a file whose table exit is this virtual table:
 * then it would run for ever.
 */
static int step(struct cursor *c, sqlite3_stmt *stmt)
{
	struct table *t = (struct table *)c->base.pVtab;
	int rc;

	if (t->is_busy) {
		set_message(t, sqlite3_mprintf("exit_rows: table exit reads itself"));
		return SQLITE_ERROR;
	}
	t->is_busy = true;
	rc = sqlite3_step(stmt);
	t->is_busy = false;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? rc : fail(c, rc);
}

/* Whether the file has a table (not a view, which would be expanded) of that name and column. */
static bool has_column(const struct table *t, const char *name, const char *column)
{
	return !sqlite3_table_column_metadata(t->db, t->schema, name, column, NULL, NULL, NULL,
					      NULL, NULL);
}

static bool has_table(const struct table *t, const char *name)
{
	return has_column(t, name, NULL);
}

/*
 * The two statements. Parameters: ?1 and ?2 first and last rowid or chunk, ?3 vCPU, ?4 and ?5
 * TSCs. NULL: no memory.
 */
static char *make_rows_sql(const struct table *t, int plan)
{
	sqlite3_str *text = sqlite3_str_new(t->db);

	/* A file of an older version lacks columns. */
	sqlite3_str_appendall(text, "SELECT rowid, vcpu");
	for (int i = 0; i < exit_column_count; i++)
		sqlite3_str_appendf(text, ", %s",
				    has_column(t, "exit", exit_columns[i].name)
					    ? exit_columns[i].name
					    : "NULL");
	sqlite3_str_appendf(
		text, " FROM \"%w\".exit WHERE rowid BETWEEN ?1 AND ?2%s%s%s ORDER BY rowid%s",
		t->schema, plan & PLAN_VCPU ? " AND vcpu = ?3" : "",
		plan & PLAN_TSC_FROM ? " AND tsc >= ?4" : "",
		plan & PLAN_TSC_TO ? " AND tsc <= ?5" : "", plan & PLAN_DOWN ? " DESC" : "");
	return sqlite3_str_finish(text);
}

static char *make_chunks_sql(const struct table *t, int plan)
{
	return sqlite3_mprintf(
		"SELECT id, vcpu, n, data FROM \"%w\".exit_chunk WHERE id BETWEEN ?1 AND ?2%s%s%s ORDER BY id%s",
		t->schema, plan & PLAN_VCPU ? " AND vcpu = ?3" : "",
		plan & PLAN_TSC_FROM ? " AND last_tsc >= ?4" : "",
		plan & PLAN_TSC_TO ? " AND first_tsc <= ?5" : "", plan & PLAN_DOWN ? " DESC" : "");
}

/* Prepares @sql, which it frees. */
static int prepare_one(struct cursor *c, char *sql, sqlite3_stmt **stmt)
{
	struct table *t = (struct table *)c->base.pVtab;
	int rc = sql ? sqlite3_prepare_v3(t->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL)
		     : SQLITE_NOMEM;

	sqlite3_free(sql);
	return rc ? fail(c, rc) : SQLITE_OK;
}

static int prepare(struct cursor *c, int plan)
{
	const struct table *t = (struct table *)c->base.pVtab;
	int rc = SQLITE_OK;

	sqlite3_finalize(c->rows);
	sqlite3_finalize(c->chunks);
	c->rows = NULL;
	c->chunks = NULL;
	c->is_open = false;
	c->plan = -1;

	/* A file of an older version has no chunks. */
	if (has_table(t, "exit"))
		rc = prepare_one(c, make_rows_sql(t, plan), &c->rows);
	if (!rc && has_table(t, "exit_chunk"))
		rc = prepare_one(c, make_chunks_sql(t, plan), &c->chunks);
	if (!rc)
		c->plan = plan;
	return rc;
}

/* The chunk that a rowid is in; those of rows are below every chunk. */
static int64_t chunk_of(int64_t row)
{
	return row < EXIT_CHUNK_ROWS ? -1 : (row - EXIT_CHUNK_ROWS) / CHUNK_RECORDS_MAX;
}

static int64_t row_of(const struct cursor *c, int64_t at)
{
	return exit_chunk_row(c->chunk, at);
}

/* Says that the chunk that is the present row of @chunks can't be read. */
static int report(struct cursor *c, const char *why)
{
	struct table *t = (struct table *)c->base.pVtab;

	if (t->damage) {
		t->damage->report(t->damage->context, c->chunk, sqlite3_column_int64(c->chunks, 2),
				  why);
		return SQLITE_OK;
	}
	set_message(t, sqlite3_mprintf("exit_rows: chunk %lld: %s", c->chunk, why));
	return SQLITE_CORRUPT_VTAB;
}

/* Opens the chunk that is the present row of @chunks; c->is_open false: it is damaged. */
static int open_chunk(struct cursor *c)
{
	int rc;

	c->chunk = sqlite3_column_int64(c->chunks, 0);
	c->vcpu = sqlite3_column_int64(c->chunks, 1);
	memset(c->columns, 0, sizeof(c->columns));

	rc = exit_chunk_open(c->decoder, c->chunk, sqlite3_column_int64(c->chunks, 2),
			     sqlite3_column_blob(c->chunks, 3),
			     (size_t)sqlite3_column_bytes(c->chunks, 3));
	c->is_open = !rc;
	return rc ? report(c, chunk_strerror(rc)) : SQLITE_OK;
}

/* Finds which exits of the open chunk are within the bounds. */
static void bound_chunk(struct cursor *c)
{
	c->first = 0;
	c->last = (int64_t)chunk_count(c->decoder) - 1;
	if (c->from > row_of(c, 0))
		c->first = c->from - row_of(c, 0);
	if (c->to < row_of(c, c->last))
		c->last = c->to - row_of(c, 0);
	c->at = c->is_down ? c->last : c->first;
}

/* Goes to the next chunk that has an exit to show. SQLITE_DONE: there is none. */
static int next_chunk(struct cursor *c)
{
	for (;;) {
		int rc;

		/* The blob of the chunk goes with its row. */
		c->is_open = false;
		rc = c->chunks ? step(c, c->chunks) : SQLITE_DONE;
		if (rc != SQLITE_ROW)
			return rc;
		rc = open_chunk(c);
		if (rc)
			return rc;
		if (!c->is_open)
			continue;
		bound_chunk(c);
		if (c->first <= c->last)
			return SQLITE_OK;
	}
}

static int next_row(struct cursor *c)
{
	int rc = c->rows ? step(c, c->rows) : SQLITE_DONE;

	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Goes on in the present phase, and to the second one when the first has nothing more. */
static int advance(struct cursor *c)
{
	enum phase second = c->is_down ? PHASE_ROWS : PHASE_CHUNKS;
	int rc;

	for (;;) {
		rc = c->phase == PHASE_ROWS ? next_row(c) : next_chunk(c);
		if (rc != SQLITE_DONE)
			return rc;
		if (c->phase == second) {
			c->phase = PHASE_END;
			return SQLITE_OK;
		}
		c->phase = second;
	}
}

static int next(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;

	/* There is one exit of a rowid; its chunk stays open for the next rowid. */
	if (c->from == c->to) {
		c->phase = PHASE_END;
		return SQLITE_OK;
	}
	if (c->phase == PHASE_CHUNKS) {
		c->at += c->is_down ? -1 : 1;
		if (c->at >= c->first && c->at <= c->last)
			return SQLITE_OK;
	}
	return advance(c);
}

static void bind(struct cursor *c, int parameter, sqlite3_value *value)
{
	if (c->rows)
		sqlite3_bind_value(c->rows, parameter, value);
	if (c->chunks)
		sqlite3_bind_value(c->chunks, parameter, value);
}

static void bind_range(sqlite3_stmt *stmt, int64_t from, int64_t to)
{
	if (!stmt)
		return;
	sqlite3_bind_int64(stmt, 1, from);
	sqlite3_bind_int64(stmt, 2, to);
}

/* Takes the arguments of the plan. Bounds of the rowid that are not integers bound nothing. */
static void take_arguments(struct cursor *c, int plan, sqlite3_value **argv)
{
	c->from = INT64_MIN;
	c->to = INT64_MAX;
	for (int bit = 0; bit < PLAN_ARGUMENTS; bit++) {
		sqlite3_value *value;

		if (!(plan >> bit & 1))
			continue;
		value = *argv++;
		if (1 << bit == PLAN_VCPU)
			bind(c, 3, value);
		else if (1 << bit == PLAN_TSC_FROM)
			bind(c, 4, value);
		else if (1 << bit == PLAN_TSC_TO)
			bind(c, 5, value);
		else if (sqlite3_value_type(value) == SQLITE_INTEGER) {
			int64_t row = sqlite3_value_int64(value);

			if (1 << bit != PLAN_ROW_TO && row > c->from)
				c->from = row;
			if (1 << bit != PLAN_ROW_FROM && row < c->to)
				c->to = row;
		}
	}
}

/* A join finds exit after exit by its rowid; most are in the chunk that is open. */
static bool stays_in_chunk(const struct cursor *c)
{
	return c->is_open && c->from == c->to && chunk_of(c->from) == c->chunk;
}

static int filter(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
		  sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)cursor;
	int rc = SQLITE_OK;

	(void)name;
	(void)argc;
	if (plan == PLAN_ROW && c->plan == plan) {
		take_arguments(c, plan, argv);
		if (stays_in_chunk(c)) {
			bound_chunk(c);
			c->phase = c->first <= c->last ? PHASE_CHUNKS : PHASE_END;
			return SQLITE_OK;
		}
	}

	if (c->plan != plan)
		rc = prepare(c, plan);
	if (rc)
		return rc;
	sqlite3_reset(c->rows);
	sqlite3_reset(c->chunks);
	c->is_open = false;

	take_arguments(c, plan, argv);
	bind_range(c->rows, c->from, c->to);
	bind_range(c->chunks, chunk_of(c->from), chunk_of(c->to));

	c->is_down = plan & PLAN_DOWN;
	c->phase = c->is_down ? PHASE_CHUNKS : PHASE_ROWS;
	return advance(c);
}

static int at_end(sqlite3_vtab_cursor *cursor)
{
	return ((struct cursor *)cursor)->phase == PHASE_END;
}

/* The value of a field of the present exit of the chunk. */
static int get_field(struct cursor *c, int number, uint64_t *value)
{
	int rc = 0;

	if (!c->columns[number])
		rc = chunk_column(c->decoder, exit_columns[number].field, &c->columns[number]);
	if (!rc)
		*value = c->columns[number][c->at];
	return rc;
}

/* Where the flags are in exit_columns[]. */
#define FLAGS 3

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int number)
{
	struct cursor *c = (struct cursor *)cursor;
	uint64_t value = 0;
	uint64_t flags = 0;
	int rc = 0;

	if (c->phase == PHASE_ROWS) {
		sqlite3_result_value(context, sqlite3_column_value(c->rows, number + 1));
		return SQLITE_OK;
	}
	if (number == COLUMN_VCPU) {
		sqlite3_result_int64(context, c->vcpu);
		return SQLITE_OK;
	}

	number--;
	if (exit_columns[number].null == EXIT_NULL_UNLESS_FLAG) {
		rc = get_field(c, FLAGS, &flags);
		if (!rc && !(flags & exit_columns[number].flag))
			return SQLITE_OK;
	}
	if (!rc)
		rc = get_field(c, number, &value);
	if (rc) {
		/* Its checksum was right: somebody made it so. */
		report(c, chunk_strerror(rc));
		return rc < 0 ? SQLITE_NOMEM : SQLITE_CORRUPT_VTAB;
	}
	if (value || exit_columns[number].null != EXIT_NULL_IF_ZERO)
		sqlite3_result_int64(context, (sqlite3_int64)value);
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
	struct cursor *c = (struct cursor *)cursor;

	*row = c->phase == PHASE_ROWS ? sqlite3_column_int64(c->rows, 0) : row_of(c, c->at);
	return SQLITE_OK;
}

int exit_rows_register(sqlite3 *db, const struct exit_rows_damage *damage)
{
	static const sqlite3_module module = {
		.xCreate = connect,
		.xConnect = connect,
		.xBestIndex = best_index,
		.xDisconnect = disconnect,
		.xDestroy = disconnect,
		.xOpen = open_cursor,
		.xClose = close_cursor,
		.xFilter = filter,
		.xNext = next,
		.xEof = at_end,
		.xColumn = column,
		.xRowid = rowid,
	};

	return sqlite3_create_module(db, "exit_rows", &module, (void *)damage);
}
