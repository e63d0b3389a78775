// SPDX-License-Identifier: GPL-2.0-only
/*
 * summary.c - top of a report: what was run, how complete the recording
 * is, what stands out
 */
#include <inttypes.h>
#include <string.h>

#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/findings/findings.h"
#include "analyzer/report/queries.h"
#include "analyzer/report/report.h"

/* One fact in large letters. Begin, write its value, end. */
static void tile_begin(struct html *h, const char *name)
{
	html_put(h, "<div class=\"tile\"><dt>%s</dt><dd>", name);
}

static void tile_end(struct html *h, const char *note)
{
	html_put(h, "</dd>");
	if (note) {
		html_put(h, "<dd class=\"sub\">");
		html_text(h, note);
		html_put(h, "</dd>");
	}
	html_put(h, "</div>\n");
}

static void put_coverage_tile(struct report *report)
{
	const struct run *run = report->run;
	char text[128], dropped[UNITS_TEXT], unread[UNITS_TEXT];
	bool knows_unread = run_knows_unread(run);

	tile_begin(&report->html, "Coverage");
	if (run->shown_exits + run->shown_dropped)
		html_put_share(&report->html, out_coverage(run));
	else
		html_put(&report->html, "–");
	snprintf(text, sizeof(text), "%s dropped%s%s%s", units_count(run->shown_dropped, dropped),
		 knows_unread ? ", " : "",
		 knows_unread ? units_count(run->shown_unread, unread) : "",
		 knows_unread ? " before the recording" : "");
	tile_end(&report->html, text);
}

static void put_tiles(struct report *report)
{
	const struct run *run = report->run;
	struct html *h = &report->html;
	double seconds = report_seconds(report, agg_rate_time(run, BY_REASON, NULL));
	char text[64], share[UNITS_TEXT], length[UNITS_TEXT], rate[UNITS_TEXT];

	html_put(h, "<dl class=\"tiles\">\n");

	tile_begin(h, "VM exits");
	html_put_count(h, group_exits(&report->total));
	snprintf(text, sizeof(text), "of %u reason%s", report->reasons,
		 report->reasons == 1 ? "" : "s");
	tile_end(h, text);

	tile_begin(h, "Exits per second");
	if (agg_has_rate(run, BY_REASON, NULL))
		html_text(h, units_real((double)group_exits(&report->total) / seconds, rate));
	else
		html_put(h, "–");
	snprintf(text, sizeof(text), "over %s", units_ns(seconds * 1e9, length));
	tile_end(h, text);

	tile_begin(h, "Time in exits");
	if (run->no_durations)
		html_put(h, "–");
	else
		html_put_duration(h, (double)report->total.cycles);
	snprintf(text, sizeof(text), "%s of it halted",
		 report->total.halted
			 ? units_share(report_share(report->total.halted, report->total.cycles),
				       share)
			 : "none");
	if (run->no_durations)
		snprintf(text, sizeof(text), "not recorded");
	tile_end(h, run->has_split || run->no_durations ? text : NULL);

	tile_begin(h, "vCPUs");
	html_put(h, "%u", run->n_vcpus);
	snprintf(text, sizeof(text), "%s, source %.32s", run->isa == 1 ? "VMX" : "SVM",
		 run->source);
	tile_end(h, text);

	put_coverage_tile(report);
	html_put(h, "</dl>\n");
}

static void notice(struct html *h, const char *title, const char *text)
{
	html_put(h, "<p class=\"notice\"><strong>%s</strong> ", title);
	html_text(h, text);
	html_put(h, "</p>\n");
}

static void put_notices(struct report *report)
{
	const struct run *run = report->run;
	struct html *h = &report->html;
	char text[256];

	if (!strcmp(run->environment, "emulated"))
		notice(h, "Emulated machine.",
		       "Counts and their order are real, times and latencies are not: in Bochs a cycle is one instruction, so that they show how much code ran, in QEMU's TCG they are the emulator's own.");
	if (!strcmp(run->state, "interrupted") || !strcmp(run->state, "recording"))
		notice(h, "Not a complete run.",
		       run->state[0] == 'i'
			       ? "The recording was cut off; what was written until then is shown."
			       : "It is still being recorded, or its collector died.");

	/* What is missing in the numbers. */
	if (run->shown_dropped)
		notice(h, "Exits are missing.",
		       run->has_totals && run_is_whole(run)
			       ? "Records were lost: a ring was full, or there was no memory for one. Counts and rates by reason include those exits, by KVM's totals; times, sub-keys and everything over time are of what was recorded. The timeline marks where the others are missing."
			       : "Records were lost: a ring was full, there was no memory for one, or an imported recording lacks events. Counts are of what was recorded; the timeline marks where the others are missing.");
	if (run->shown_unseen) {
		out_unseen_text(run, text, sizeof(text));
		notice(h, "VMs are missing.", text);
	}
	if (run->filtered)
		notice(h, "Filtered.", "Exits were left out on request while recording.");
	if (run->no_durations)
		notice(h, "No durations.",
		       "The recording says when exits took place and not how long they took, or where their time went: only counts are known.");
	else if (!run->has_split)
		notice(h, "No split of time.",
		       "This source does not split time into handler, halted, user space and preempted.");
	switch (run->has_raw) {
	case RAW_NONE:
		notice(h, "Sums only.",
		       "Single exits were not kept (--no-raw): no slowest exits, no sub-keys.");
		break;
	case RAW_LAST:
		notice(h, "Only the last single exits.",
		       "Older ones were removed (--keep-raw, --keep-rows): slowest exits and sub-keys are of the last ones; counts, times and distributions are of all exits.");
		break;
	case RAW_EVENTS:
		notice(h, "Single exits around events only.",
		       "The recording kept those around its triggers (collector --trigger): slowest exits and sub-keys are of them alone; counts, times and distributions are of all exits.");
		break;
	case RAW_ALL:
		break;
	}

	/* What the options chose. */
	out_window_text(run, text, sizeof(text));
	if (*text)
		notice(h, "Window:", text);
	out_filter_text(run, text, sizeof(text));
	if (*text)
		notice(h, "Filter (shares are of what passes it):", text);
}

/* What was run: name and column of view runs. */
static const struct {
	const char *name;
	const char *column;
} facts[] = {
	{"Command", "command"},
	{"Started (UTC)", "started"},
	{"Host", "host"},
	{"Kernel", "kernel"},
	{"CPU", "cpu_model"},
	{"Microcode", "microcode"},
	{"Environment", "environment"},
	{"EPT / NPT", "ept"},
	{"VPID", "vpid"},
	{"Unrestricted guest", "unrestricted_guest"},
	{"Nested", "nested"},
	{"Collector", "collector"},
	{"TSC frequency (kHz)", "tsc_khz"},
};

#define FACTS (sizeof(facts) / sizeof(facts[0]))

static void put_facts(struct html *h, sqlite3_stmt *stmt)
{
	html_put(h, "<dl class=\"facts\">\n");
	for (size_t i = 0; i < FACTS; i++) {
		const char *value = (const char *)sqlite3_column_text(stmt, (int)i);

		if (!value || !*value)
			continue;
		html_put(h, "<div%s><dt>%s</dt><dd>", i ? "" : " class=\"whole\"", facts[i].name);
		html_text(h, value);
		html_put(h, "</dd></div>\n");
	}
	html_put(h, "</dl>\n");
}

/* Every module parameter, from the run's JSON; the module's name as it stands there. */
static int put_parameters(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int rc, n = 0;

	if (db_prepare(report->app, &stmt, report_sql_parameters))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);

	while ((rc = db_step(report->app, stmt)) > 0) {
		if (!n++)
			html_put(
				h,
				"<details><summary>Module parameters</summary><ul class=\"params\">\n");
		html_put(h, "<li><code>");
		html_text(h, (const char *)sqlite3_column_text(stmt, 0));
		html_put(h, "=");
		html_text(h, (const char *)sqlite3_column_text(stmt, 1));
		html_put(h, "</code></li>\n");
	}

	sqlite3_finalize(stmt);
	if (n)
		html_put(h, "</ul></details>\n");
	return rc;
}

void html_put_head(struct report *report)
{
	struct html *h = &report->html;

	html_put(h, "<header>\n<p class=\"kicker\">VM exits · run %" PRId64 "</p>\n<h1>",
		 report->run->id);
	html_text(h, report->run->label);
	html_put(h, "</h1>\n");
	put_tiles(report);
	put_notices(report);
	html_put(h, "</header>\n");
}

int html_put_facts(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	char sql[512] = "SELECT ";
	int rc;

	html_section(h, "run", "What was run");
	for (size_t i = 0; i < FACTS; i++)
		snprintf(sql + strlen(sql), sizeof(sql) - strlen(sql), "%s%s", i ? ", " : "",
			 facts[i].column);
	snprintf(sql + strlen(sql), sizeof(sql) - strlen(sql), " FROM runs WHERE run = ?1");
	if (db_prepare(report->app, &stmt, sql))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);
	rc = db_step(report->app, stmt);
	if (rc > 0)
		put_facts(h, stmt);
	sqlite3_finalize(stmt);
	if (rc < 0 || put_parameters(report))
		return -1;
	html_section_end(h);
	return 0;
}

/* The reason with the most time; @busy: without halted time. */
static const struct report_reason *most_time(const struct report *report, bool busy)
{
	const struct report_reason *most = &report->reason[0];

	for (unsigned int i = 1; i < report->reasons; i++) {
		const struct group *g = report->reason[i].group, *m = most->group;

		if (g->cycles - (busy ? g->halted : 0) > m->cycles - (busy ? m->halted : 0))
			most = &report->reason[i];
	}
	return most;
}

static void strong(struct html *h, const char *name)
{
	html_put(h, "<strong>");
	html_text(h, name);
	html_put(h, "</strong>");
}

static void put_time_findings(struct report *report)
{
	const struct report_reason *all = most_time(report, false), *busy = most_time(report, true);
	const struct group *total = &report->total;
	struct html *h = &report->html;

	html_put(h, "<li>");
	strong(h, all->name);
	html_put(h, " takes the most time: ");
	html_put_share(h, report_share(all->group->cycles, total->cycles));
	html_put(h, " of all time between exit and entry");
	if (report->run->has_split && total->halted) {
		html_put(h, "; without the time that vCPUs were halted, %s",
			 all == busy ? "still " : "");
		strong(h, busy->name);
		html_put(h, " does, with ");
		html_put_share(h, report_share(busy->group->cycles - busy->group->halted,
					       total->cycles - total->halted));
	}
	html_put(h, ".</li>\n");
}

/* When the rate was highest. */
static void put_rate_finding(struct report *report)
{
	double width = report_seconds(report, report->grid.width);
	struct html *h = &report->html;
	char rate[UNITS_TEXT], over[UNITS_TEXT], text[256];
	int peak = 0;

	for (int i = 1; i < report->grid.columns; i++)
		if (report->column[i].n > report->column[peak].n)
			peak = i;
	snprintf(
		text, sizeof(text),
		"The rate was highest around %.*f %s after the start: %s exits per second (over %s%s).",
		report_decimals(report, report->grid.width),
		report_time(report, report->grid.from) +
			report_time(report, report->grid.width) * (peak + 0.5),
		report->unit->text, units_real((double)report->column[peak].n / width, rate),
		units_ns(width * 1e9, over),
		report->run->shown_dropped ? ", of recorded exits" : "");
	html_put(h, "<li>");
	html_text(h, text);
	html_put(h, "</li>\n");
}

static void put_longest_finding(struct report *report)
{
	const struct report_reason *longest = &report->reason[0];
	struct html *h = &report->html;

	for (unsigned int i = 1; i < report->reasons; i++)
		if (report->reason[i].group->max > longest->group->max)
			longest = &report->reason[i];
	html_put(h, "<li>The longest exit took ");
	html_put_duration(h, (double)longest->group->max);
	html_put(h, " (");
	strong(h, longest->name);
	html_put(h, ").");
	if (report->run->has_split) {
		html_put(h, " ");
		html_put_share(h, report_share(report->total.to_user, report->total.n));
		html_put(h, " of the exits went to user space, ");
		html_put_share(h, report_share(report->total.fastpath, report->total.n));
		html_put(h, " were handled on the fast path.");
	}
	html_put(h, "</li>\n");
}

/* What the rules of analyzer findings say: title, evidence, what to do. */
static int put_rules(struct report *report)
{
	struct html *h = &report->html;
	struct findings findings;
	int rc = 0;

	if (!report->run->filter.reason)
		rc = findings_read(report->app, report->run,
				   report->run->has_raw ? &report->keys : NULL, &findings);
	if (rc || report->run->filter.reason)
		return rc;

	if (findings.count)
		html_put(h, "<ol class=\"rules\">\n");
	for (unsigned int i = 0; i < findings.count; i++) {
		const struct finding *finding = &findings.finding[i];

		html_put(h, "<li>");
		strong(h, finding->title);
		html_put(h, "<p>");
		html_text(h, finding->evidence);
		html_put(h, ".</p>\n<p class=\"note\"><em>What to do: </em>");
		html_text(h, finding->remedy);
		html_put(h, " <em>Rule: </em>");
		html_text(h, finding->threshold);
		html_put(h, " (");
		html_text(h, finding->source);
		html_put(h, ").</p></li>\n");
	}
	if (findings.count)
		html_put(h, "</ol>\n");
	for (unsigned int i = 0; i < findings.n_limits; i++)
		html_put(h, "<p class=\"note\">%s</p>\n", findings.limits[i]);
	findings_free(&findings);
	return 0;
}

int html_put_findings(struct report *report)
{
	const struct report_reason *first = &report->reason[0],
				   *last = &report->reason[report->reasons - 1];
	struct html *h = &report->html;
	uint64_t three = 0, all = group_exits(&report->total);

	html_section(h, "findings", "What stands out");
	h->is_prose = true;
	if (put_rules(report))
		return -1;
	html_put(h, "<ul class=\"findings\">\n<li>");
	strong(h, first->name);
	html_put(h, " is the most frequent reason: ");
	html_put_share(h, report_share(group_exits(first->group), all));
	html_put(h, " of all exits");

	for (unsigned int i = 0; i < 3 && i < report->reasons; i++)
		three += group_exits(report->reason[i].group);

	if (report->reasons > 3) {
		html_put(h, "; the three most frequent are ");
		html_put_share(h, report_share(three, all));
		html_put(h, ". The least frequent is ");
		strong(h, last->name);
		html_put(h, " with ");
		html_put_count(h, group_exits(last->group));
	}
	html_put(h, ".</li>\n");

	if (!report->run->no_durations && report->total.n)
		put_time_findings(report);
	put_rate_finding(report);
	if (!report->run->no_durations && report->total.n)
		put_longest_finding(report);
	h->is_prose = false;
	html_put(h, "</ul>\n");
	html_section_end(h);
	return 0;
}
