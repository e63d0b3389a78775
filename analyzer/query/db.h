/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * db.h - open a run database for reading, and find the run to show
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_DB_H
#define EXITSCOPE_ANALYZER_QUERY_DB_H

#include "analyzer/query/app.h"
#include "base/wrap.h"

/*
 * Open @path read-only as *db and refuse what is not a run database of a version
 * that this program knows. A collector may write it meanwhile. In a folder that
 * cannot be written the file is opened as immutable. A transaction that a killed program left half
 * written is rolled back first, as SQLite does, but not one that names another file
 * (sql/journal.h).
 *
 * The file may come from elsewhere: its tables must be defined as the collector
 * defines them, our views are this program's own (TEMP views), and statements can do
 * nothing but read (sql/schema.h).
 */
int db_open(struct app *app, const char *path, sqlite3 **db);

/*
 * Makes table exit of database @schema in @db mean the exits in its chunks, too; sets
 * app->has_chunks. Returns a code of SQLite. For another connection to a file that db_open() has
 * checked; @app must outlive it.
 */
int db_add_chunks(struct app *app, sqlite3 *db, const char *schema);

/* For statements of the user: views that somebody added to the file work too. */
int db_allow_own_views(struct app *app);

/* A path as a file: URI with @query after it, of the heap; NULL without memory. */
char *db_uri(const char *path, const char *query);

/* Prepare @sql on app->db, and make the views of ours that it reads (schema_add_views()). */
int db_prepare(struct app *app, sqlite3_stmt **stmt, const char *sql);

/* Step: 1 a row, 0 the end, -1 an error. */
int db_step(struct app *app, sqlite3_stmt *stmt);

/* Column as a string of the heap, "" for NULL; NULL only without memory. */
char *db_text(sqlite3_stmt *stmt, int column);

/*
 * Find the run that @name (a number or a label; NULL: the last one) means and
 * apply the filter options to it. Fills @run; free it with run_close().
 */
int run_open(struct app *app, const char *name, struct run *run);
void run_close(struct run *run);

/* Apply --from and --to of app->filter, as run_open() did: others than then. */
int run_set_window(struct app *app, struct run *run);

/* Whether the run's source counts the exits of a vCPU before it was recorded: our ring alone. */
bool run_knows_unread(const struct run *run);

/* Whether neither --from nor --to cuts the run. */
bool run_is_whole(const struct run *run);

/*
 * Time that the vCPUs of the filter lived between @from and @to (cycles since the
 * start), added up, in cycles.
 */
double run_vcpu_time(const struct run *run, int64_t from, int64_t to);

/* The life of a vCPU within the window, in cycles since the start; *@begin is not after *@end. */
void run_clip_life(const struct run *run, const struct vcpu_ref *vcpu, int64_t *begin,
		   int64_t *end);

/* Cycles from the start of the run to @tsc. That of a forged exit wraps around. */
static inline int64_t run_since(const struct run *run, int64_t tsc)
{
	return wrap_subtract(tsc, run->tsc_start);
}

/* Where interval @slot of @width cycles begins, in cycles since the start. Wraps around, too. */
static inline int64_t run_slot_begin(int64_t slot, int64_t width)
{
	return wrap_multiply(slot, width);
}

/* The vCPU (vcpu.id), of run->vcpus; NULL: it doesn't pass the filter. */
const struct vcpu_ref *run_find_vcpu(const struct run *run, int64_t id);

/* Whether the vCPU (vcpu.id) passes the filter. */
bool run_has_vcpu(const struct run *run, int64_t id);

/* The VM (vm.id) of a vCPU (vcpu.id) that passes the filter; -1: it doesn't pass. */
int64_t run_vm_of(const struct run *run, int64_t id);

/* Length of the part of the run that --from and --to leave, in cycles. */
int64_t run_length(const struct run *run);

/*
 * The window, in cycles since the start, moved out to whole intervals of the roll-ups
 * unless it is read from rows; INT64_MAX: to the end.
 */
int64_t run_grid_from(const struct run *run);
int64_t run_grid_to(const struct run *run);

/* Length of that part, in cycles. */
int64_t run_grid_length(const struct run *run);

/* Refuse a run that has no rows in table exit. */
int run_needs_rows(struct app *app, const struct run *run);

/*
 * Before rows of table exit are read: refuse a run that has none in the window, and begin
 * where they begin, if only those of the last minutes were kept.
 */
int run_rows(struct app *app, struct run *run);

/* Say that no exit passes the filter of app->run; always -1. */
int run_nothing(struct app *app);

/* Takes the values of a row; sqlite3_user_data() is the @context of db_add_aggregate(). */
typedef void db_take(sqlite3_context *context, int args, sqlite3_value **value);

/*
 * Adds an aggregate function that has no result, for statements that have many rows: SQLite hands
 * the values over as they are, which is a quarter faster than a row at a time by sqlite3_step().
 * Remove it before @context ends. 0, or -1 with app->error.
 */
int db_add_aggregate(struct app *app, const char *name, int args, db_take *take,
		     const void *context);
void db_remove_aggregate(struct app *app, const char *name, int args);

/*
 * The same for one statement that runs once
 * @name, @args, @take, @context: as for db_add_aggregate()
 * @sql: the statement; its values ?1 to ?@values are those of @value
 */
struct db_pass {
	const char *name;
	int args;
	db_take *take;
	const void *context;
	const char *sql;
	const int64_t *value;
	int values;
};

/* Hands all rows over. 0, or -1 with app->error. */
int db_run_pass(struct app *app, const struct db_pass *pass);

#endif
