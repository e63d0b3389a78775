// SPDX-License-Identifier: GPL-2.0-only
/*
 * db.c - open a run database for reading; see db.h
 */
#include "analyzer/query/db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "sql/chunk/chunk.h"
#include "sql/hist_table.h"
#include "sql/journal.h"
#include "sql/schema.h"
#include "sql/store/writer.h"

int app_fail(struct app *app, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(app->error, sizeof(app->error), format, ap);
	va_end(ap);
	return -1;
}

int app_fail_sql(struct app *app)
{
	int rc = sqlite3_errcode(app->db);

	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return app_fail(
			app, "%s: the database is damaged: %s (sqlite3's .recover may save rows)",
			app->path, sqlite3_errmsg(app->db));
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return app_fail(app, "%s: another program has locked the database", app->path);
	return app_fail(app, "%s: %s", app->path, sqlite3_errmsg(app->db));
}

int db_step(struct app *app, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : app_fail_sql(app);
}

char *db_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return strdup(text ? (const char *)text : "");
}

/* What can be said about the file before SQLite reads it. */
static int check_file(struct app *app, const char *path)
{
	char magic[16];
	struct stat st;
	FILE *file;
	size_t n;

	if (stat(path, &st))
		return app_fail(app,
				"%s: %s (record one with collector --db %s, or name it with --db)",
				path, strerror(errno), path);
	if (!S_ISREG(st.st_mode))
		return app_fail(app, "%s: not a file (--db names a run database)", path);
	file = fopen(path, "rb");
	if (!file)
		return app_fail(app, "%s: %s", path, strerror(errno));
	n = fread(magic, 1, sizeof(magic), file);
	fclose(file);
	if (!n)
		return app_fail(app, "%s: the file is empty (record with collector --db)", path);
	if (n < sizeof(magic) || memcmp(magic, "SQLite format 3", sizeof(magic)))
		return app_fail(app, "%s: not an SQLite database", path);
	return 0;
}

static int pragma(sqlite3 *db, const char *name, int64_t *value)
{
	char sql[64];
	sqlite3_stmt *stmt;
	int rc;

	snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*value = sqlite3_column_int64(stmt, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return rc;
}

char *db_uri(const char *path, const char *query)
{
	char *uri = malloc(3 * strlen(path) + strlen(query) + 6);
	char *out = uri;

	if (!uri)
		return NULL;
	out += sprintf(out, "file:");
	for (; *path; path++)
		out += sprintf(out, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
	sprintf(out, "%s", query);
	return uri;
}

/* A write-ahead log that holds something, so that an immutable open misses it. */
static bool has_wal(const char *path)
{
	char *name = malloc(strlen(path) + 5);
	struct stat st;
	bool is;

	if (!name)
		return true;
	sprintf(name, "%s-wal", path);
	is = !stat(name, &st) && st.st_size > 0;
	free(name);
	return is;
}

/*
 * What the statements of our commands do: read. A bug of ours that would let text of a
 * database through ends here.
 */
static int authorize_reading(void *unused, int action, const char *a, const char *b,
			     const char *database, const char *view)
{
	(void)unused, (void)database, (void)view;

	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
		return SQLITE_OK;
	/* How json_tree() declares its columns; the connection can't write. */
	case SQLITE_UPDATE:
		return sqlite3_stricmp(a, "sqlite_master") ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_FUNCTION:
		return sqlite3_stricmp(b, "load_extension") ? SQLITE_OK : SQLITE_DENY;
	}
	return SQLITE_DENY;
}

/* The user's own statements may do more, but no view of the file in them. */
static int authorize_query(void *unused, int action, const char *a, const char *b,
			   const char *database, const char *view)
{
	if (!view && action != SQLITE_FUNCTION)
		return SQLITE_OK;
	return authorize_reading(unused, action, a, b, database, view);
}

/* Makes the views of ours that @sql reads, or all for NULL. Nothing of the file is read. */
static int add_views(sqlite3 *db, const char *sql)
{
	int rc = sqlite3_set_authorizer(db, NULL, NULL);

	if (!rc)
		rc = schema_add_views(db, sql);
	return rc ? rc : sqlite3_set_authorizer(db, authorize_reading, NULL);
}

int db_prepare(struct app *app, sqlite3_stmt **stmt, const char *sql)
{
	*stmt = NULL;
	if (schema_lacks_view(app->db, sql) && add_views(app->db, sql))
		return app_fail_sql(app);
	return sqlite3_prepare_v2(app->db, sql, -1, stmt, NULL) ? app_fail_sql(app) : 0;
}

int db_allow_own_views(struct app *app)
{
	int rc = add_views(app->db, NULL);

	if (!rc)
		rc = sqlite3_db_config(app->db, SQLITE_DBCONFIG_ENABLE_VIEW, 1, NULL);
	if (!rc)
		rc = sqlite3_set_authorizer(app->db, authorize_query, NULL);
	return rc ? app_fail_sql(app) : 0;
}

/*
 * Opens the file, to write it only if @query says so (mode=rw); nothing of it is read but what
 * pragmas need.
 */
static int open_uri(const char *path, const char *query, sqlite3 **db, int64_t *id)
{
	char *uri = db_uri(path, query);
	int rc;

	*db = NULL;
	if (!uri)
		return SQLITE_NOMEM;

	rc = sqlite3_open_v2(uri, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
			     NULL);
	free(uri);
	if (!rc)
		rc = sqlite3_busy_timeout(*db, 5000);
	if (!rc)
		rc = schema_harden(*db);
	return rc ? rc : pragma(*db, "application_id", id);
}

/*
 * Takes back what a program that was killed has half written, as SQLite does for all that may write
 * the file. An immutable open would read the half.
 */
static int roll_back(struct app *app, const char *path)
{
	int rc = journal_names_another(path);
	sqlite3 *db;
	int64_t id;

	if (rc)
		return app_fail(
			app, "%s-journal: %s", path,
			rc < 0 ? strerror(-rc)
			       : "belongs to a transaction of several files, which no collector makes (let the program that made it roll it back)");

	rc = open_uri(path, "?mode=rw", &db, &id);
	if (rc)
		app_fail(
			app,
			"%s: a transaction was cut off, and can't be rolled back here: %s (copy the file with its -journal)",
			path, sqlite3_errstr(rc));
	sqlite3_close(db);
	return rc ? -1 : 0;
}

/* Notes a damaged chunk, once for all statements that meet it. */
static void note_damage(void *context, int64_t chunk, int64_t exits, const char *why)
{
	struct app *app = context;
	int64_t *more;

	(void)why;
	for (size_t i = 0; i < app->n_damaged; i++) {
		if (app->damaged[i] == chunk)
			return;
	}
	more = array_reserve(app->damaged, app->n_damaged, 1, sizeof(*more));
	if (!more)
		return;
	app->damaged = more;
	more[app->n_damaged++] = chunk;
	if (exits > 0 && exits <= CHUNK_RECORDS_MAX)
		app->damaged_exits += exits;
}

int db_add_chunks(struct app *app, sqlite3 *db, const char *schema)
{
	int rc;

	app->on_damage = (struct exit_rows_damage){note_damage, app};
	rc = exit_rows_register(db, &app->on_damage);
	return rc ? rc : exit_rows_shadow(db, schema, &app->has_chunks);
}

/* Our tables must be ours; our views are taken from the program, not from the file. */
static int trust_schema(struct app *app, const char *path, sqlite3 *db, int64_t version)
{
	int rc = schema_check(db, version, SCHEMA_READ);

	if (!rc)
		rc = schema_add_tables(db, version, "main");
	if (!rc)
		rc = hist_table_register(db);
	if (!rc)
		rc = db_add_chunks(app, db, "main");
	if (!rc)
		rc = sqlite3_set_authorizer(db, authorize_reading, NULL);
	if (!rc)
		return 0;

	if (rc == SCHEMA_TABLE)
		return app_fail(
			app,
			"%s: its tables differ from those that the collector makes (was it changed by another program?)",
			path);
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return app_fail(app, "%s: the database is damaged: %s", path, sqlite3_errmsg(db));
	return app_fail(app, "%s: %s", path, rc < 0 ? strerror(-rc) : sqlite3_errmsg(db));
}

int db_open(struct app *app, const char *path, sqlite3 **db)
{
	int64_t id = 0, version = 0;
	int rc;

	*db = NULL;
	if (check_file(app, path))
		return -1;
	app->written = writer_alive(path) == 1;

	rc = open_uri(path, "?mode=ro", db, &id);

	/* A journal of a killed program. */
	if (rc && sqlite3_extended_errcode(*db) == SQLITE_READONLY_ROLLBACK) {
		sqlite3_close(*db);
		*db = NULL;
		if (roll_back(app, path))
			return -1;
		rc = open_uri(path, "?mode=ro", db, &id);
	}

	if ((rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY) && !has_wal(path)) {
		sqlite3_close(*db);
		rc = open_uri(path, "?mode=ro&immutable=1", db, &id);
	}
	if (!rc)
		rc = pragma(*db, "user_version", &version);

	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		app_fail(app, "%s: the database is damaged: %s", path, sqlite3_errmsg(*db));
	else if (rc == SQLITE_BUSY)
		app_fail(app, "%s: another program has locked the database", path);
	else if (rc)
		app_fail(app, "%s: %s", path, *db ? sqlite3_errmsg(*db) : "out of memory");
	else if (id != SCHEMA_APPLICATION_ID || version < 1)
		app_fail(app, "%s: an SQLite database, but not one of the collector's", path);
	else if (version > SCHEMA_VERSION)
		app_fail(app, "%s: made by a newer version (schema %lld, this program knows %d)",
			 path, (long long)version, SCHEMA_VERSION);
	else if (!trust_schema(app, path, *db, version))
		return 0;

	sqlite3_close(*db);
	*db = NULL;
	return -1;
}

static void take_nothing(sqlite3_context *context)
{
	(void)context;
}

int db_add_aggregate(struct app *app, const char *name, int args, db_take *take,
		     const void *context)
{
	if (sqlite3_create_function(app->db, name, args, SQLITE_UTF8, (void *)context, NULL, take,
				    take_nothing))
		return app_fail_sql(app);
	return 0;
}

void db_remove_aggregate(struct app *app, const char *name, int args)
{
	sqlite3_create_function(app->db, name, args, SQLITE_UTF8, NULL, NULL, NULL, NULL);
}

int db_run_pass(struct app *app, const struct db_pass *pass)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (db_add_aggregate(app, pass->name, pass->args, pass->take, pass->context))
		return -1;

	rc = db_prepare(app, &stmt, pass->sql);
	for (int i = 0; i < pass->values && !rc; i++)
		sqlite3_bind_int64(stmt, i + 1, pass->value[i]);
	if (!rc)
		rc = db_step(app, stmt);

	sqlite3_finalize(stmt);
	db_remove_aggregate(app, pass->name, pass->args);
	return rc < 0 ? -1 : 0;
}
