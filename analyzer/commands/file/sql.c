// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer sql - any query, with the project's SQL functions
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/file/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "sql/functions.h"

/* Everything on stdin, with a NUL; NULL: it could not be read. */
static char *read_stdin(struct app *app)
{
	char *text = NULL;
	size_t room = 0;

	if (getdelim(&text, &room, '\0', stdin) >= 0)
		return text;

	/* At the end of the file getdelim() has not written to its buffer. */
	free(text);
	if (!ferror(stdin))
		return strdup("");
	app_fail(app, "standard input: %s", strerror(errno));
	return NULL;
}

static int print_rows(struct app *app, struct out *out, sqlite3_stmt *stmt, int n)
{
	char name[16] = "rows";

	if (n)
		snprintf(name, sizeof(name), "rows%d", n + 1);
	return out_sql_rows(out, app, name, stmt);
}

/* All statements, one after another. */
static int run_sql(struct app *app, struct out *out, const char *sql)
{
	sqlite3_stmt *stmt;
	int rc = 0, n = 0;

	while (!rc && *sql) {
		if (sqlite3_prepare_v2(app->db, sql, -1, &stmt, &sql))
			return app_fail(app, "sql: %s", sqlite3_errmsg(app->db));
		if (stmt)
			rc = print_rows(app, out, stmt, n++);
		sqlite3_finalize(stmt);
	}
	if (!rc && !n)
		return app_fail(app, "sql: no query (analyzer sql --help)");
	return rc;
}

static int sql(struct app *app, const struct options *opt)
{
	const char *word = opt->n_words ? opt->words[0] : "-";
	char *text = strcmp(word, "-") ? strdup(word) : read_stdin(app);
	struct out out;
	int rc;

	if (!text)
		return *app->error ? -1 : app_fail(app, "out of memory");
	if (functions_register(app->db) || db_allow_own_views(app)) {
		free(text);
		return app_fail_sql(app);
	}
	out_begin(&out, &opt->style, 0);
	rc = run_sql(app, &out, text);
	free(text);
	return out_end(&out, app, rc < 0);
}

const struct cmd cmd_sql = {
	.name = "sql",
	.summary = "any SQL query on the views",
	.usage = "[QUERY] [OPTION...]",
	.help = help_sql,
	.options = OPT_NO_TIME,
	.words = 1,
	.run = sql,
};
