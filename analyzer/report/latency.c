// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency.c - how long exits take: heat map over time, histogram per reason
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/report/report.h"
#include "analyzer/report/svg.h"

#define HEAT_LEVELS 7
#define HISTOGRAMS  30 /* at most */

/* Rows that hold exits: first and one past the last, with a row of air. */
static void find_rows(const struct report *report, int *low, int *high)
{
	*low = REPORT_ROWS;
	*high = 0;
	for (unsigned int i = 0; i < report->reasons; i++)
		for (int row = 0; row < REPORT_ROWS; row++) {
			if (!report->reason[i].row[0][row])
				continue;
			if (row < *low)
				*low = row;
			if (row >= *high)
				*high = row + 1;
		}
	if (*low > *high)
		*low = 0;
	if (*low > 0)
		--*low;
	if (*high < REPORT_ROWS)
		++*high;
}

/* One nanosecond, or one cycle, in cycles: what powers of ten are counted in. */
static double axis_unit(const struct report *report)
{
	return report->html.cycles ? 1 : (double)report->run->tsc_khz / 1e6;
}

static const char *duration_axis_name(const struct report *report)
{
	return report->html.cycles ? "exit to entry, cycles (logarithmic)"
				   : "exit to entry (logarithmic)";
}

/* The heat map of one reason, or of all (NULL). */
static void put_heat_map(struct report *report, const struct report_reason *only, int low, int high)
{
	const struct report_grid *grid = &report->heat_grid;
	int rows = high - low, columns = grid->columns;
	double from = report_seconds(report, grid->from);
	struct axis x, y;
	struct plot plot = {.summary = "Heat map: how many exits took how long, over the run.",
			    .class = "heat",
			    .x_name = "seconds since the start of the run",
			    .y_name = duration_axis_name(report),
			    .x = &x,
			    .y = &y,
			    .x_text = axis_text_plain,
			    .y_text = axis_text_duration,
			    .width = columns,
			    .height = rows};
	uint64_t *n = calloc((size_t)(rows * columns), sizeof(*n));
	uint8_t *level = calloc((size_t)(rows * columns), 1);
	uint64_t most = 1;

	for (unsigned int i = 0; n && level && i < report->reasons; i++)
		for (int cell = 0; (!only || only == &report->reason[i]) && cell < rows * columns;
		     cell++) {
			n[cell] += report->reason[i].heat[cell % columns][low + cell / columns];
			if (n[cell] > most)
				most = n[cell];
		}
	for (int cell = 0; n && level && cell < rows * columns; cell++)
		level[cell] = svg_level(n[cell], most, HEAT_LEVELS);
	axis_linear(&x, from, from + report_seconds(report, grid->width) * columns, 1, 8);
	axis_durations(&y, low, high, axis_unit(report));
	plot_begin(&report->html, &plot);
	if (n && level)
		svg_cells(&report->html, level, columns, rows, HEAT_LEVELS);
	plot_end(&report->html, &plot);
	html_put(&report->html, "<p class=\"ramp\">1 ");
	for (int i = 1; i <= HEAT_LEVELS; i++)
		html_put(&report->html, "<i style=\"background:var(--h%d)\"></i>", i);
	html_put(&report->html, " ");
	html_put_count(&report->html, most);
	html_put(&report->html, " exits in a cell (logarithmic)</p>\n");
	free(n);
	free(level);
}

/* The choice of a heat map: works without a script, the style sheet shows the chosen one. */
static void put_choice(struct report *report)
{
	struct html *h = &report->html;
	int k = 0;

	html_put(h, "<input type=\"radio\" name=\"heat\" id=\"heat0\" checked=\"checked\"/><label "
		    "for=\"heat0\">All "
		    "reasons</label>\n");
	for (unsigned int i = 0; i < report->reasons; i++) {
		if (!report->reason[i].color)
			continue;
		k++;
		html_put(
			h,
			"<input type=\"radio\" name=\"heat\" id=\"heat%d\"/><label for=\"heat%d\">",
			k, k);
		html_text(h, report->reason[i].name);
		html_put(h, "</label>\n");
	}
}

void html_put_heat(struct report *report)
{
	struct html *h = &report->html;
	int low, high;

	find_rows(report, &low, &high);
	html_section(h, "heat", "Latency over time");
	html_put(h, "<div class=\"pick\">\n");
	put_choice(report);
	html_put(h, "<div class=\"panes\">\n<figure>\n");
	put_heat_map(report, NULL, low, high);
	html_put(h, "</figure>\n");
	for (unsigned int i = 0; i < report->reasons; i++) {
		if (!report->reason[i].color)
			continue;
		html_put(h, "<figure>\n<figcaption class=\"paper\">");
		html_text(h, report->reason[i].name);
		html_put(h, "</figcaption>\n");
		put_heat_map(report, &report->reason[i], low, high);
		html_put(h, "</figure>\n");
	}
	html_put(h, "</div>\n</div>\n");
	html_section_end(h);
}

/* A vertical line at a duration. */
static void put_mark(struct html *h, const struct axis *x, uint64_t cycles, const char *class)
{
	html_put(h, "<path class=\"%s\" d=\"M%.1f 0V%g\"/>\n", class,
		 SVG_WIDTH * axis_at(x, (double)cycles), SVG_HEIGHT);
}

/* Rows @low to @high - 1 as shares of the fullest. */
static void profile(const uint64_t *row, int low, int high, double *share)
{
	uint64_t most = 1;

	for (int i = low; i < high; i++)
		if (row[i] > most)
			most = row[i];
	for (int i = low; i < high; i++)
		share[i - low] = (double)row[i] / (double)most;
}

static void put_histogram(struct report *report, const struct report_reason *reason,
			  const struct axis *x, int low, int high)
{
	const struct group *g = reason->group;
	struct html *h = &report->html;
	double total[REPORT_ROWS], handler[REPORT_ROWS]; /* shares */
	char class[8], summary[256], p50[UNITS_TEXT], p99[UNITS_TEXT];
	struct plot plot = {
		.summary = summary, .class = "small", .x = x, .x_text = axis_text_duration};

	profile(reason->row[0], low, high, total);
	profile(reason->row[1], low, high, handler);
	html_duration(h, (double)group_quantile(g, 0.5), p50);
	html_duration(h, (double)group_quantile(g, 0.99), p99);
	snprintf(summary, sizeof(summary),
		 "Histogram of durations of %s: median %s, 99th percentile %s", reason->name, p50,
		 p99);
	snprintf(class, sizeof(class), "c%d", reason->color);
	html_put(h, "<figure><figcaption>");
	html_text(h, reason->name);
	html_put(h, "<small>");
	html_put_count(h, g->n);
	html_put(h, " exits · p50 %s · p99 %s</small></figcaption>\n", p50, p99);
	plot_begin(h, &plot);
	svg_band(h, class, NULL, total, high - low);
	if (report->run->has_split)
		svg_band(h, "outline", NULL, handler, high - low);
	put_mark(h, x, group_quantile(g, 0.5), "mark");
	put_mark(h, x, group_quantile(g, 0.99), "mark p99");
	plot_end(h, &plot);
	html_put(h, "</figure>\n");
}

void html_put_latency(struct report *report)
{
	unsigned int n = report->reasons < HISTOGRAMS ? report->reasons : HISTOGRAMS;
	struct html *h = &report->html;
	struct axis x;
	int low, high;

	find_rows(report, &low, &high);
	axis_durations(&x, low, high, axis_unit(report));
	html_section(h, "latency", "Latency by reason");
	html_put(h,
		 "<p class=\"note\">How many exits took how long, from the exit to the next entry; "
		 "the same "
		 "logarithmic axis%s everywhere, each histogram as high as its own peak. Lines: "
		 "median and, dashed, "
		 "99th percentile.%s</p>\n<div class=\"multiples\">\n",
		 h->cycles ? " in cycles" : "",
		 report->run->has_split ? " Outline: KVM's handler alone, without halted, "
					  "user-space and preempted time."
					: "");
	for (unsigned int i = 0; i < n; i++)
		put_histogram(report, &report->reason[i], &x, low, high);
	html_put(h, "</div>\n");
	if (n < report->reasons)
		html_put(h, "<p class=\"note\">%u rarer reasons are in the table above.</p>\n",
			 report->reasons - n);
	html_section_end(h);
}
