// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - analyzer export: a run for other programs
 */
#include <string.h>
#include <unistd.h>

#include "analyzer/commands/choice.h"
#include "analyzer/commands/commands.h"
#include "analyzer/export/export.h"
#include "analyzer/output/outfile.h"
#include "analyzer/query/agg.h"
#include "analyzer/query/db.h"
#include "analyzer/query/where.h"

enum { EXTRA_FORMAT };

static const struct extra_option extra[] = {
	{"format", "FORMAT",
	 "csv, json, ndjson, folded, openmetrics, prometheus, perfetto or rows"},
	{0},
};

enum format {
	FORMAT_CSV,
	FORMAT_JSON,
	FORMAT_NDJSON,
	FORMAT_FOLDED,
	FORMAT_OPENMETRICS,
	FORMAT_PROMETHEUS,
	FORMAT_PERFETTO,
	FORMAT_ROWS
};

static const char *const format_names[] = {
	"csv", "json", "ndjson", "folded", "openmetrics", "prometheus", "perfetto", "rows", NULL};

static int (*const put[])(struct app *app, FILE *file) = {
	[FORMAT_CSV] = export_csv,
	[FORMAT_JSON] = export_json,
	[FORMAT_NDJSON] = export_ndjson,
	[FORMAT_FOLDED] = export_folded,
	[FORMAT_OPENMETRICS] = export_openmetrics,
	[FORMAT_PROMETHEUS] = export_prometheus,
	[FORMAT_PERFETTO] = export_perfetto,
};

static int write_export(struct app *app, FILE *file, const void *arg)
{
	const enum format *format = arg;

	return put[*format](app, file);
}

/* Whether there is anything to export: -1 with app->error if not. */
static int check_exits(struct app *app, bool single)
{
	struct agg agg = {0};
	sqlite3_stmt *stmt;
	int rc;

	if (single) {
		if (where_prepare(app, &app->run, "SELECT 1 FROM exit e WHERE %s LIMIT 1", &stmt))
			return -1;
		rc = db_step(app, stmt);
		sqlite3_finalize(stmt);
	} else {
		rc = agg_read(app, &app->run, BY_REASON, 0, &agg);
		rc = rc ? rc : agg.groups > 0;
		agg_free(&agg);
	}
	return rc > 0 ? 0 : rc < 0 ? -1 : run_nothing(app);
}

static int export(struct app *app, const struct options *opt)
{
	const char *path = opt->output ? opt->output : "-";
	bool single;
	int format;

	if (!opt->extra[EXTRA_FORMAT])
		return app_fail(
			app,
			"export: in what format? (--format csv, json, ndjson, folded, openmetrics, prometheus, perfetto or rows)");
	format = choice_parse(app, "--format", opt->extra[EXTRA_FORMAT], format_names);
	if (format < 0)
		return -1;
	if (!strcmp(path, "-") &&
	    (format == FORMAT_ROWS || (format == FORMAT_PERFETTO && isatty(STDOUT_FILENO))))
		return app_fail(app, "export: --format %s is not a text: name a file with --output",
				format_names[format]);
	single = format != FORMAT_OPENMETRICS && format != FORMAT_PROMETHEUS;
	if (run_open(app, app->filter.run, &app->run) || (single && run_rows(app, &app->run)) ||
	    check_exits(app, single))
		return -1;
	if (format == FORMAT_ROWS)
		return outfile_replace(app, path, export_rows, NULL);
	return outfile_write(app, path, write_export, &(enum format){(enum format)format});
}

const struct cmd cmd_export = {
	.name = "export",
	.summary =
		"a run for other programs: CSV, JSON, flame graphs, Prometheus, Perfetto, SQLite",
	.usage = "--format FORMAT [--output FILE] [OPTION...]",
	.help = help_export,
	.options = OPT_FILTER | OPT_OUTPUT,
	.extra = extra,
	.run = export,
};
