// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer findings - what stands out, by which evidence, and what to do about it
 */
#include "analyzer/query/findings/findings.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/sums/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"

static const struct out_column columns[] = {
	{"rule", "RULE", OUT_TEXT, 0},	       {"vm", "VM", OUT_VM, 0},
	{"weight", "WEIGHT", OUT_SHARE, 0},    {"title", "TITLE", OUT_TEXT, 0},
	{"evidence", "EVIDENCE", OUT_TEXT, 0}, {"threshold", "THRESHOLD", OUT_TEXT, 0},
	{"remedy", "REMEDY", OUT_TEXT, 0},     {"source", "SOURCE", OUT_TEXT, 0},
};

/* For people: a paragraph each. */
static void put_text(struct out *out, const struct findings *findings)
{
	if (!findings->count)
		out_line(out, "Nothing stands out: no rule holds.");
	for (unsigned int i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->finding[i];
		char head[16];

		out_line(out, "%s", "");
		snprintf(head, sizeof(head), "%u. ", i + 1);
		out_wrapped(out, head, finding->title);
		out_wrapped(out, "   evidence:  ", finding->evidence);
		out_wrapped(out, "   rule:      ", finding->threshold);
		out_wrapped(out, "   to do:     ", finding->remedy);
		out_wrapped(out, "   source:    ", finding->source);
	}
	if (findings->n_limits)
		out_line(out, "%s", "");
}

static void put_rows(struct app *app, struct out *out, const struct findings *findings)
{
	out_table(out, "findings", columns, (int)(sizeof(columns) / sizeof(columns[0])));
	for (unsigned int i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->finding[i];

		out_text(out, finding->rule);
		out_vm(out, &app->run, finding->vm);
		out_real(out, finding->weight);
		out_text(out, finding->title);
		out_text(out, finding->evidence);
		out_text(out, finding->threshold);
		out_text(out, finding->remedy);
		out_text(out, finding->source);
	}
	out_table_end(out);
}

static int findings(struct app *app, const struct options *opt)
{
	struct findings findings = {NULL};
	struct out out;
	int rc;

	if (run_open(app, app->filter.run, &app->run))
		return -1;
	/* That no rule holds would be said of nothing. */
	if (!app->run.shown_exits && !app->run.shown_dropped)
		return run_nothing(app);
	rc = findings_read(app, &app->run, NULL, &findings);
	if (!rc) {
		out_begin(&out, &opt->style, app->run.tsc_khz);
		out_run(&out, "run", &app->run);
		if (out.format == OUT_TABLE && !opt->style.columns)
			put_text(&out, &findings);
		else
			put_rows(app, &out, &findings);
		for (unsigned int i = 0; i < findings.n_limits; i++)
			out_note(&out, "%s", findings.limits[i]);
		rc = out_end(&out, app, false);
	}
	findings_free(&findings);
	return rc;
}

const struct cmd cmd_findings = {
	.name = "findings",
	.summary = "what stands out, by which evidence, and what to do about it",
	.usage = "[OPTION...]",
	.help = help_findings,
	.options = OPT_FILTER | OPT_FORMAT,
	.run = findings,
};
