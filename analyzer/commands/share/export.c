// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - analyzer export: a run for other programs
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/options/guest.h"
#include "analyzer/commands/options/other_run.h"
#include "analyzer/commands/share/commands.h"
#include "analyzer/export/export.h"
#include "analyzer/output/outfile.h"
#include "analyzer/query/db.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/where.h"

enum { EXTRA_FORMAT, EXTRA_AGAINST, EXTRA_SYMBOLS, EXTRA_SLIDE, EXTRA_GUEST };

static const struct extra_option extra[] = {
	{"format", "FORMAT",
	 "csv, json, ndjson, folded, openmetrics, prometheus, perfetto or rows"},
	{"against", "RUN", "folded: a run, or FILE[:RUN], to compare with"},
	{"symbols", "FILE", "folded: the guest's System.map, kallsyms or ELF file"},
	{"slide", "OFFSET", "offset that KASLR added, or auto (default)"},
	GUEST_OPTIONS,
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
	[FORMAT_OPENMETRICS] = export_openmetrics,
	[FORMAT_PROMETHEUS] = export_prometheus,
	[FORMAT_PERFETTO] = export_perfetto,
};

/* What write_export() works on. */
struct export_work {
	enum format format;
	const char *symbols;
	const char *slide;
	struct app *against;
};

/* With the symbols of the guest's kernel, whose offset each boot has its own. */
static int write_folded(struct app *app, FILE *file, const struct export_work *work)
{
	struct symbols symbols = {0}, other = {0};
	struct app *against = work->against;
	double guessed;
	int rc = symbols_open(app, work->symbols, work->slide, &symbols, &guessed);

	if (!rc && against) {
		rc = symbols_open(against, work->symbols, work->slide, &other, &guessed);
		if (rc)
			app_fail(app, "%s", against->error);
	}
	if (!rc)
		rc = export_folded(app, work->symbols ? &symbols : NULL, against,
				   work->symbols ? &other : NULL, file);
	symbols_free(&other);
	symbols_free(&symbols);
	return rc;
}

static int write_export(struct app *app, FILE *file, const void *arg)
{
	const struct export_work *work = arg;

	if (work->format == FORMAT_FOLDED)
		return write_folded(app, file, work);
	return put[work->format](app, file);
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

/* Options of one format with another one. */
static int check_options(struct app *app, const struct options *opt, enum format format)
{
	const char *path = opt->output ? opt->output : "-";

	/* All options after --format are of folded. */
	for (int i = EXTRA_FORMAT + 1; extra[i].name && format != FORMAT_FOLDED; i++)
		if (opt->extra[i])
			return app_fail(app, "export: --%s: only with --format folded",
					extra[i].name);

	if (opt->extra[EXTRA_SLIDE] && !opt->extra[EXTRA_SYMBOLS])
		return app_fail(app, "export: --slide: only with --symbols");

	if (!strcmp(path, "-") &&
	    (format == FORMAT_ROWS || (format == FORMAT_PERFETTO && isatty(STDOUT_FILENO))))
		return app_fail(app, "export: --format %s is not a text: name a file with --output",
				format_names[format]);
	return 0;
}

/* The run is open. */
static int export_run(struct app *app, const struct options *opt, struct export_work *work)
{
	bool single = work->format != FORMAT_OPENMETRICS && work->format != FORMAT_PROMETHEUS;
	const char *path = opt->output ? opt->output : "-";

	if ((single && run_rows(app, &app->run)) || check_exits(app, single))
		return -1;
	if (work->format == FORMAT_ROWS)
		return outfile_replace(app, path, export_rows, NULL);
	return outfile_write(app, path, write_export, work);
}

/* The same, with a run to compare with. */
static int export_against(struct app *app, const struct options *opt, struct export_work *work)
{
	char *word = strdup(opt->extra[EXTRA_AGAINST]);
	struct app against;
	int rc;

	if (!word)
		return app_fail(app, "out of memory");
	rc = other_run_open(app, word, &against);
	if (!rc && run_rows(&against, &against.run))
		rc = app_fail(app, "%s", against.error);
	if (!rc && against.run.isa != app->run.isa)
		rc = app_fail(app,
			      "export: one run is of VMX, the other of SVM: their reasons differ");
	if (!rc) {
		against.run.regions = app->run.regions;
		work->against = &against;
		rc = export_run(app, opt, work);
	}
	other_run_close(&against);
	free(word);
	return rc;
}

static int export(struct app *app, const struct options *opt)
{
	struct export_work work = {
		.symbols = opt->extra[EXTRA_SYMBOLS],
		.slide = opt->extra[EXTRA_SLIDE],
	};
	struct guest guest;
	int format, rc;

	if (!opt->extra[EXTRA_FORMAT])
		return app_fail(
			app,
			"export: in what format? (--format csv, json, ndjson, folded, openmetrics, prometheus, perfetto or rows)");
	format = choice_parse(app, "--format", opt->extra[EXTRA_FORMAT], format_names);
	if (format < 0 || check_options(app, opt, (enum format)format) ||
	    run_open(app, app->filter.run, &app->run))
		return -1;

	work.format = (enum format)format;
	rc = guest_open(app, opt->extra + EXTRA_GUEST, &guest);
	if (!rc)
		rc = opt->extra[EXTRA_AGAINST] ? export_against(app, opt, &work)
					       : export_run(app, opt, &work);
	guest_close(app, &guest);
	return rc;
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
