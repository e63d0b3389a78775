// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - single exits as CSV, JSON, or plain tables of SQLite
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/export/export.h"
#include "analyzer/export/queries.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/where.h"
#include "sql/schema.h"

static int put_exits(struct app *app, FILE *file, enum out_format format)
{
	sqlite3_stmt *stmt;
	struct out out;
	int rc;

	if (where_prepare(app, &app->run, export_sql_rows_exits, &stmt))
		return -1;

	out_begin_file(&out, file, &(struct out_style){.format = format}, app->run.tsc_khz);
	out.json.flat = 2; /* an exit, a line */
	if (format == OUT_JSON)
		out_run(&out, "run", &app->run);
	rc = out_sql_rows(&out, app, "exits", stmt);
	sqlite3_finalize(stmt);
	return out_end(&out, app, rc < 0);
}

int export_csv(struct app *app, FILE *file)
{
	return put_exits(app, file, OUT_CSV);
}

int export_json(struct app *app, FILE *file)
{
	return put_exits(app, file, OUT_JSON);
}

/* Run @sql, with run->id as ?1 if it has one. */
static int execute(struct app *app, const char *sql)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, sql))
		return -1;
	if (sqlite3_bind_parameter_count(stmt))
		sqlite3_bind_int64(stmt, 1, app->run.id);
	while ((rc = db_step(app, stmt)) > 0)
		;
	sqlite3_finalize(stmt);
	return rc;
}

/* Our views, not those of the file; what they read is in database run alone. */
static int add_views(struct app *from, struct app *to)
{
	int64_t version = SCHEMA_VERSION;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(to, &stmt, "PRAGMA run.user_version"))
		return -1;
	rc = db_step(to, stmt);
	if (rc > 0)
		version = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);

	if (rc > 0 && (schema_add_tables(to->db, version, "run") ||
		       schema_add_views(to->db, NULL) || db_add_chunks(from, to->db, "run")))
		rc = app_fail_sql(to);
	return rc < 0 ? -1 : 0;
}

/* Open @temp as to->db and attach what @from reads as database "run". */
static int open_both(struct app *from, struct app *to, const char *temp)
{
	const char *name = sqlite3_db_filename(from->db, "main");
	char *uri = db_uri(name,
			   sqlite3_uri_boolean(name, "immutable", 0) ? "?immutable=1" : "?mode=ro");
	sqlite3_stmt *stmt;
	int rc;

	if (!uri)
		return app_fail(to, "out of memory");
	rc = sqlite3_open_v2(temp, &to->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL);
	if (!rc)
		rc = schema_harden(to->db);
	/* Our own new file, which needs no journal. */
	if (!rc)
		rc = sqlite3_db_config(to->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (!rc && sqlite3_busy_timeout(to->db, 5000) == SQLITE_OK)
		rc = db_prepare(to, &stmt, "ATTACH ?1 AS run");
	else
		rc = app_fail_sql(to);
	if (!rc) {
		sqlite3_bind_text(stmt, 1, uri, -1, SQLITE_STATIC);
		rc = db_step(to, stmt);
		sqlite3_finalize(stmt);
	}
	free(uri);

	return rc ? rc : add_views(from, to);
}

/* The filter's condition works on "exit e" of the attached database. */
static int copy_exits(struct app *app)
{
	sqlite3_stmt *stmt;
	int rc;

	if (where_prepare(app, &app->run, export_sql_rows_copy, &stmt))
		return -1;
	rc = db_step(app, stmt);
	sqlite3_finalize(stmt);
	return rc;
}

int export_rows(struct app *app, const char *temp, const char *path, void *unused)
{
	static const char *const tables[] = {
		"CREATE TABLE main.runs AS SELECT * FROM temp.runs WHERE run = ?1",
		"CREATE TABLE main.vms AS SELECT * FROM temp.vms WHERE run = ?1",
		"CREATE TABLE main.coverage AS SELECT * FROM temp.coverage WHERE run = ?1",
		"CREATE TABLE main.losses AS SELECT * FROM temp.losses WHERE run = ?1",
		"CREATE TABLE main.reasons AS SELECT * FROM temp.reasons",
		"CREATE INDEX main.exits_reason ON exits (reason_name)",
		"COMMIT",
	};
	struct app to = *app;
	int rc;

	(void)unused;
	to.db = NULL;
	to.path = path; /* for messages */
	rc = open_both(app, &to, temp);
	/* Nobody reads it before it is whole: no journal, no waiting for the disk. */
	if (!rc &&
	    sqlite3_exec(to.db,
			 "PRAGMA main.journal_mode = OFF; PRAGMA main.synchronous = OFF; BEGIN",
			 NULL, NULL, NULL))
		rc = app_fail_sql(&to);
	if (!rc)
		rc = copy_exits(&to);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !rc; i++)
		rc = execute(&to, tables[i]);

	if (sqlite3_close(to.db) && !rc)
		rc = app_fail(&to, "%s: it could not be closed", path);
	if (rc)
		memcpy(app->error, to.error, sizeof(app->error));
	return rc;
}
