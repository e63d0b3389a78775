// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer report - one page: all of a run, as HTML without a network
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/commands/share/commands.h"
#include "analyzer/output/outfile.h"
#include "analyzer/query/db.h"
#include "analyzer/report/report.h"

enum { EXTRA_HTML };

static const struct extra_option extra[] = {
	{"html", "FILE", "write to this file (- is stdout)"},
	{0},
};

static int write_report(struct app *app, FILE *file, const void *arg)
{
	const struct options *opt = arg;
	struct report *report = calloc(1, sizeof(*report));
	int rc;

	if (!report)
		return app_fail(app, "out of memory");
	report->app = app;
	report->run = &app->run;
	report->html = (struct html){
		.file = file, .cycles = opt->style.cycles, .tsc_khz = app->run.tsc_khz};
	rc = report_load(report);
	if (!rc)
		rc = html_put_report(report);
	report_free(report);
	free(report);
	return rc;
}

static int report(struct app *app, const struct options *opt)
{
	const char *path = opt->extra[EXTRA_HTML] ? opt->extra[EXTRA_HTML] : opt->output;
	if (!path)
		return app_fail(app,
				"report: where to? (--html report.html, or --html - for stdout)");
	if (run_open(app, app->filter.run, &app->run))
		return -1;
	return outfile_write(app, path, write_report, opt);
}

const struct cmd cmd_report = {
	.name = "report",
	.summary = "all of a run as one HTML page, to read, print or send",
	.usage = "--html FILE [OPTION...]",
	.help = help_report,
	.options = OPT_FILTER | OPT_CYCLES,
	.extra = extra,
	.run = report,
};
