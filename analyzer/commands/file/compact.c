// SPDX-License-Identifier: GPL-2.0-only
/*
 * compact.c - analyzer compact, analyzer expand: exits as chunks, or as rows again
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/commands/file/commands.h"
#include "analyzer/output/outfile.h"
#include "analyzer/query/db.h"
#include "sql/compact/copy.h"

/* The copy gets no more read rights than the database: it is new, and still empty. */
static int limit_rights(struct app *app, const char *temp, const char *path)
{
	struct stat from, to;

	if (stat(app->path, &from) || stat(temp, &to) ||
	    chmod(temp, to.st_mode & (S_IRUSR | S_IWUSR | from.st_mode) & 0777))
		return app_fail(app, "%s: %s (it was not written)", path, strerror(errno));
	return 0;
}

/* Fills the new file, for outfile_replace(); @arg: the struct copy. */
static int make_file(struct app *app, const char *temp, const char *path, void *arg)
{
	struct copy *copy = arg;
	int rc;

	if (limit_rights(app, temp, path))
		return -1;

	rc = sqlite3_open_v2(temp, &copy->to, SQLITE_OPEN_READWRITE, NULL);
	if (rc)
		rc = app_fail(app, "%s: %s", path, sqlite3_errmsg(copy->to));
	else if (compact_copy(copy))
		rc = app_fail(app, "%s: %s (%s was not written)", app->path, copy->error, path);
	if (sqlite3_close(copy->to) && !rc)
		rc = app_fail(app, "%s: it could not be closed", path);
	return rc;
}

/* What an exit takes in a file, all tables included. */
static void put_file(struct out *out, const char *path, int64_t exits)
{
	struct stat st = {0};

	stat(path, &st);
	out_text(out, path);
	out_int(out, exits);
	out_int(out, st.st_size);
	if (exits)
		out_real(out, (double)st.st_size / (double)exits);
	else
		out_none(out);
}

static int print_sizes(struct app *app, const struct options *opt, const char *path, int64_t exits)
{
	static const struct out_column columns[] = {
		{"file", "FILE", OUT_TEXT, 0},
		{"exits", "EXITS", OUT_COUNT, 0},
		{"bytes", "BYTES", OUT_COUNT, 0},
		{"bytes_per_exit", "BYTES/EXIT", OUT_REAL, 0},
	};
	struct out out;

	out_begin(&out, &opt->style, 0);
	out_table(&out, "files", columns, sizeof(columns) / sizeof(columns[0]));
	put_file(&out, app->path, exits);
	put_file(&out, path, exits);
	out_table_end(&out);
	return out_end(&out, app, false);
}

static int copy_file(struct app *app, const struct options *opt, const char *name,
		     enum copy_form form)
{
	struct copy copy = {.form = form};
	struct stat st;

	if (opt->n_words != 2)
		return app_fail(app, "%s: name a database and a new file (analyzer %s --help)",
				name, name);
	app->path = opt->words[0];
	if (!stat(opt->words[1], &st))
		return app_fail(app, "%s: the file exists (name a new one)", opt->words[1]);
	if (db_open(app, app->path, &app->db))
		return -1;
	if (app->written)
		return app_fail(app, "%s: it is being recorded (wait until the collector ends)",
				app->path);

	copy.from = app->db;
	if (outfile_replace(app, opt->words[1], make_file, &copy))
		return -1;
	return print_sizes(app, opt, opt->words[1], copy.exits);
}

static int compact(struct app *app, const struct options *opt)
{
	return copy_file(app, opt, "compact", COPY_TO_CHUNKS);
}

static int expand(struct app *app, const struct options *opt)
{
	return copy_file(app, opt, "expand", COPY_TO_ROWS);
}

const struct cmd cmd_compact = {
	.name = "compact",
	.summary = "a copy of a database whose exits take few bytes",
	.usage = "FILE NEW_FILE [OPTION...]",
	.help = help_compact,
	.options = OPT_NO_TIME | OPT_NO_DB,
	.words = 2,
	.run = compact,
};

const struct cmd cmd_expand = {
	.name = "expand",
	.summary = "the way back: each exit as a row of table exit",
	.usage = "FILE NEW_FILE [OPTION...]",
	.help = help_expand,
	.options = OPT_NO_TIME | OPT_NO_DB,
	.words = 2,
	.run = expand,
};
