// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer report - one page to look at: all of a run, as HTML without a network
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/commands/commands.h"
#include "analyzer/output/outfile.h"
#include "analyzer/query/db.h"
#include "analyzer/report/report.h"

enum { EXTRA_HTML };

static const struct extra_option extra[] = {
	{"html", true, "FILE to write (- is stdout)"},
	{NULL, false, NULL},
};

static int write_report(struct app *app, FILE *file)
{
	struct report *report = calloc(1, sizeof(*report));
	int rc;

	if (!report)
		return app_fail(app, "out of memory");
	report->app = app;
	report->run = &app->run;
	report->html =
		(struct html){.file = file, .cycles = app->opt.cycles, .tsc_khz = app->run.tsc_khz};
	rc = report_load(report);
	if (!rc)
		rc = html_put_report(report);
	report_free(report);
	free(report);
	return rc;
}

static int report(struct app *app)
{
	const char *path =
		app->opt.extra[EXTRA_HTML] ? app->opt.extra[EXTRA_HTML] : app->opt.output;
	if (!path)
		return app_fail(app,
				"report: where to? (--html report.html, or --html - for stdout)");
	if (run_open(app, app->opt.run, &app->run))
		return -1;
	/* Sums come from roll-ups: let everything be of the same whole intervals. */
	app->run.from = run_grid_from(&app->run);
	app->run.to = run_grid_to(&app->run);
	return outfile_write(app, path, write_report);
}

const struct cmd cmd_report = {
	.name = "report",
	.summary = "all of a run as one HTML page, to read, print or send",
	.usage = "--html FILE [OPTION...]",
	.help = "Writes one HTML file that needs nothing else, no network and no script: what was "
		"run,\n"
		"coverage, top exits, timeline, latency over time and by reason, where the time "
		"went,\n"
		"slowest exits, and cross-checks and capabilities where the run has them. It "
		"reads\n"
		"well on a phone and on paper, light or dark. --html - writes to stdout.\n"
		"\n"
		"Examples:\n"
		"  analyzer report --html report.html\n"
		"  analyzer report --run 2 --cycles --html run2.html\n"
		"  analyzer report --from 1s --to 3s --vcpu 0 --html boot.html",
	.options = OPT_FILTER | OPT_CYCLES,
	.extra = extra,
	.run = report,
};
