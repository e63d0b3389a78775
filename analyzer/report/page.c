// SPDX-License-Identifier: GPL-2.0-only
/*
 * page.c - the page of a report around its sections
 */
#include "analyzer/report/report.h"

#include <string.h>

#include "analyzer/report/html_style.h"

/* No request leaves the page, also if a name in the database tries. */
#define POLICY "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

static void put_page_head(struct report *report)
{
	struct html *h = &report->html;

	html_put(
		h,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		"<meta name=\"generator\" content=\"analyzer report\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n<title>");
	html_put(h, "VM exits: ");
	html_text(h, report->run->label);
	html_put(h, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style_html);
}

static void put_contents(struct report *report)
{
	bool has_times = !report->run->no_durations;
	const struct {
		const char *id, *name;
		bool is_there;
	} parts[] = {{"states", "States", report_has_states(report)},
		     {"top", "Top exits", true},
		     {"timeline", "Timeline", true},
		     {"heat", "Latency over time", has_times},
		     {"latency", "Latency by reason", has_times},
		     {"split", "Time", report->run->has_split},
		     {"slowest", "Slowest", report->slows > 0},
		     {"vcpus", "vCPUs", true},
		     {"reasons", "Meaning", true}};

	html_put(&report->html, "<nav aria-label=\"Sections\">");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].is_there)
			html_put(&report->html, "<a href=\"#%s\">%s</a> ", parts[i].id,
				 parts[i].name);
	html_put(&report->html, "</nav>\n");
}

static void put_page_foot(struct report *report)
{
	struct html *h = &report->html;

	html_put(h, "<footer>\n<p>");
	if (h->cycles)
		html_put(h, "Durations are TSC cycles. ");
	if (!report->run->no_durations)
		html_put(
			h,
			"Duration: from a VM exit to the next VM entry of the same vCPU. Counts, sums and maxima are exact for what was recorded; percentiles come from log-linear histograms and are off by less than 0.8 %%.");
	html_put(h, "</p>\n<p>Made by <code>analyzer report</code> from <code>");
	html_text(h, report->app->path);
	html_put(h, "</code>.</p>\n</footer>\n</main>\n</body>\n</html>\n");
}

/* Of a recording without any exit: what was run, of which vCPUs. */
static int put_empty_report(struct report *report)
{
	struct html *h = &report->html;

	html_section(h, "findings", "No exits");
	html_note(
		h,
		"No VM exit was recorded: no VM ran, no vCPU left the guest, or the collector was told to leave these exits out.");
	html_section_end(h);

	if (html_put_facts(report) || (report->run->n_vcpus && html_put_vcpus(report)) ||
	    html_put_checks(report))
		return -1;
	put_page_foot(report);
	return 0;
}

int html_put_report(struct report *report)
{
	put_page_head(report);
	html_put_head(report);
	if (!report->reasons)
		return put_empty_report(report);

	put_contents(report);
	if (html_put_findings(report) || html_put_states(report) || html_put_facts(report))
		return -1;

	html_put_top(report);
	if (html_put_timeline(report))
		return -1;

	if (!report->run->no_durations) {
		html_put_heat(report);
		html_put_latency(report);
	}
	html_put_split(report);
	if (html_put_slowest(report) || html_put_subkeys(report) || html_put_vcpus(report) ||
	    html_put_checks(report) || html_put_capabilities(report) || html_put_glossary(report))
		return -1;

	put_page_foot(report);
	return 0;
}
