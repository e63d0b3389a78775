// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeline.c - exits and their time over the run
 */
#include <math.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/series.h"
#include "analyzer/report/report.h"
#include "analyzer/report/svg.h"

#define STRIP_LEVELS 7
#define PHASES	     32 /* at most */

/* The time axis, in the unit of the run, and one up to @most above it. */
static void make_axes(const struct report *report, double most, double unit, struct axis *x,
		      struct axis *y)
{
	double from = report_time(report, report->grid.from);

	axis_linear(x, from, from + report_time(report, report->grid.width) * report->grid.columns,
		    1, 8);
	axis_linear(y, 0, most, unit, 4);
	axis_round_up(y);
}

/* The next band of a stack, which grew from @from to @to, if it did. */
static void put_band(struct report *report, const char *class, double from[], const double to[])
{
	size_t size = (size_t)report->grid.columns * sizeof(*from);

	if (memcmp(from, to, size))
		svg_band(&report->html, class, from, to, report->grid.columns);
	memcpy(from, to, size);
}

/* Begin the tool tip of column @c with when it is. */
static void tip_begin(struct report *report, int c)
{
	double width = report_time(report, report->grid.width);
	double from = report_time(report, report->grid.from) + width * c;
	int decimals = report_decimals(report, report->grid.width);

	svg_tip(&report->html, c, report->grid.columns);
	html_put(&report->html, "%.*f to %.*f %s", decimals, from, decimals, from + width,
		 report->unit->text);
}

static void put_legend(struct report *report)
{
	struct html *h = &report->html;
	bool others = false;

	html_put(h, "<p class=\"legend\">");
	for (unsigned int i = 0; i < report->reasons; i++) {
		if (!report->reason[i].color) {
			others = true;
			continue;
		}
		html_put(h, "<span><i class=\"c%d\"></i>", report->reason[i].color);
		html_text(h, report->reason[i].name);
		html_put(h, "</span> ");
	}
	if (others)
		html_put(h, "<span><i class=\"c0\"></i>all others</span> ");
	html_put(h, "</p>\n");
}

/* Add the exits of all reasons of @color to the tops of a stack, as shares of @most. */
static void stack(const struct report *report, int color, double most, double top[])
{
	for (unsigned int i = 0; i < report->reasons; i++)
		for (int c = 0; report->reason[i].color == color && c < report->grid.columns; c++)
			top[c] += (double)report->reason[i].n[c] / most;
}

static void put_rate_tips(struct report *report)
{
	double width = report_seconds(report, report->grid.width);
	struct html *h = &report->html;

	for (int c = 0; c < report->grid.columns; c++) {
		char text[UNITS_TEXT];

		tip_begin(report, c);
		html_put(h, ": %s exits/s", units_real((double)report->column[c].n / width, text));
		if (report->column[c].lost)
			html_put(h, ", %s lost",
				 units_count((int64_t)report->column[c].lost, text));
		for (unsigned int i = 0; i < report->reasons; i++) {
			if (!report->reason[i].n[c])
				continue;
			html_put(h, "\n");
			html_text(h, report->reason[i].name);
			html_put(h, " %s/s",
				 units_real((double)report->reason[i].n[c] / width, text));
		}
		svg_tip_end(h);
	}
}

static void put_losses(struct report *report)
{
	int columns = report->grid.columns;

	for (int c = 0; c < columns; c++)
		if (report->column[c].lost)
			html_put(&report->html, "<path class=\"lost\" d=\"M%.1f 0V%g\"/>\n",
				 SVG_WIDTH * (c + 0.5) / columns, SVG_HEIGHT);
}

static void put_rate_chart(struct report *report)
{
	double from[REPORT_COLUMNS] = {0}, to[REPORT_COLUMNS] = {0};
	double width = report_seconds(report, report->grid.width);
	struct html *h = &report->html;
	struct axis x, y;
	struct plot plot = {
		.summary =
			"Exits per second over the run, stacked by reason; the table of exits has the sums.",
		.class = "tall",
		.x_name = report->unit->axis,
		.y_name = "exits per second",
		.x = &x,
		.y = &y,
		.x_text = axis_text_plain,
		.y_text = axis_text_count};
	uint64_t most = 1;

	for (int c = 0; c < report->grid.columns; c++)
		if (report->column[c].n > most)
			most = report->column[c].n;

	make_axes(report, (double)most / width, 1, &x, &y);

	plot_begin(h, &plot);
	for (int k = 1; k <= REPORT_COLORS + 1; k++) {
		int color = k <= REPORT_COLORS ? k : 0; /* all others on top */
		char class[8];

		stack(report, color, y.high * width, to);
		snprintf(class, sizeof(class), "c%d", color);
		put_band(report, class, from, to);
	}
	put_losses(report);
	put_rate_tips(report);
	plot_end(h, &plot);
}

/* A part of a column's time as a share of what the vCPUs lived in it; 0 where none lived. */
static double part_share(const struct report *report, int column, int part)
{
	const struct report_column *c = &report->column[column];

	return c->capacity > 0 ? (double)c->part[part] / c->capacity : 0;
}

static void put_part_tips(struct report *report)
{
	struct html *h = &report->html;

	for (int c = 0; c < report->grid.columns; c++) {
		char text[UNITS_TEXT];

		tip_begin(report, c);
		for (int i = 0; i < 4; i++) {
			html_put(h, "\n%s ", report_part_name[i]);
			html_text(h, units_share(part_share(report, c, i), text));
		}
		svg_tip_end(h);
	}
}

/* Time in exits as a share of what the vCPUs lived; an exit's time counts where it began. */
static void put_part_chart(struct report *report)
{
	double from[REPORT_COLUMNS] = {0}, to[REPORT_COLUMNS] = {0}, most = 0.01;
	struct html *h = &report->html;
	struct axis x, y;
	struct plot plot = {
		.summary =
			"Share of the vCPUs' time that was spent in exits, over the run, by what it went to.",
		.class = "",
		.x_name = report->unit->axis,
		.y_name = "share of the vCPUs' time",
		.x = &x,
		.y = &y,
		.x_text = axis_text_plain,
		.y_text = axis_text_share};

	for (int c = 0; c < report->grid.columns; c++) {
		double sum = 0;

		for (int i = 0; i < 4; i++)
			sum += part_share(report, c, i);
		most = fmax(most, sum);
	}

	make_axes(report, most, 0.01, &x, &y);

	plot_begin(h, &plot);
	for (int i = 0; i < 4; i++) {
		for (int c = 0; c < report->grid.columns; c++)
			to[c] += part_share(report, c, i) / y.high;
		put_band(report, report_part_class[i], from, to);
	}
	put_part_tips(report);
	plot_end(h, &plot);

	html_put(h, "<p class=\"legend\">");
	for (int i = 0; i < 4; i++)
		html_put(h, "<span><i class=\"%s\"></i>%s</span> ", report_part_class[i],
			 report_part_name[i]);
	html_put(h, "</p>\n");
}

/* One line of the strips: a reason's exits over time as shades. */
static void put_strip(struct report *report, const struct report_reason *reason, uint64_t most)
{
	int columns = report->grid.columns;
	struct html *h = &report->html;
	uint8_t level[REPORT_COLUMNS];
	char first[UNITS_TEXT], last[UNITS_TEXT];

	for (int c = 0; c < columns; c++)
		level[c] = svg_level(reason->n[c], most, STRIP_LEVELS);

	if (reason->group->first == INT64_MIN)
		snprintf(first, sizeof(first), "an unknown time");
	else
		html_duration(h, (double)run_since(report->run, reason->group->first), first);
	html_duration(h, (double)run_since(report->run, reason->group->last), last);

	html_put(h, "<li><span class=\"name\">");
	html_text(h, reason->name);
	html_put(
		h,
		"</span><svg viewBox=\"0 0 %d 1\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
		columns);
	html_text(h, reason->name);
	html_put(h, " over time\">\n");
	svg_cells(h, level, columns, 1, STRIP_LEVELS);
	html_put(h, "</svg><span class=\"value\">%s – %s</span></li>\n", first, last);
}

static void put_strips(struct report *report)
{
	struct html *h = &report->html;
	uint64_t most = 1;

	for (unsigned int i = 0; i < report->reasons; i++)
		for (int c = 0; c < report->grid.columns; c++)
			if (report->reason[i].n[c] > most)
				most = report->reason[i].n[c];

	html_put(h, "<h3>When each reason occurred</h3>\n");
	html_note(
		h,
		"Each line is the whole run, from left to right. At its end: when the reason first and last occurred, since the start of the run.");

	html_put(h, "<figure class=\"strips\"><ol>\n");
	/* Of a reason whose exits were all dropped nothing says when. */
	for (unsigned int i = 0; i < report->reasons; i++)
		if (report->reason[i].group->n)
			put_strip(report, &report->reason[i], most);
	html_put(h, "</ol></figure>\n");
	svg_ramp(h, most, STRIP_LEVELS, "exits in a piece of a line");
}

/* The run's phases as a strip below the rate, on the same time axis. */
static int put_phases(struct report *report)
{
	struct phase phase[PHASES];
	struct html *h = &report->html;
	struct series coarse;
	const struct series *series =
		series_for_phases(report->app, report->run, &report->series, &coarse);
	double from, width;
	int n, decimals = report_decimals(report, report->grid.width);

	if (!series) {
		series_free(&coarse);
		return -1;
	}
	n = series_phases(series, report->run, phase, PHASES);
	from = report_time(report, report->grid.from);
	width = report_time(report, report->grid.width) * report->grid.columns;

	if (n > 0)
		html_put(h, "<div class=\"phases\">");

	for (int i = 0; i < n; i++) {
		double begin = report_time(report, series_begin(series, phase[i].from));
		double end = i + 1 < n
				     ? report_time(report, series_begin(series, phase[i + 1].from))
				     : from + width;

		html_put(
			h,
			"<span class=\"%s%s\" style=\"left:%.2f%%;width:%.2f%%\" title=\"%s: %.*f to %.*f %s\">%s</span>",
			phase[i].name, end - begin < width / 20 ? " narrow" : "",
			100 * (begin - from) / width, 100 * (end - begin) / width, phase[i].name,
			decimals, begin, decimals, end, report->unit->text, phase[i].name);
	}

	if (n > 0)
		html_put(
			h, "</div>\n<p class=\"note\">Phases: parts of the run in which %s.</p>\n",
			report->run->has_split
				? "rate and idling stay about the same; idle: halted for 70 % of the time"
				: "the rate stays about the same");

	series_free(&coarse);
	return n < 0 ? app_fail(report->app, "out of memory") : 0;
}

int html_put_timeline(struct report *report)
{
	struct html *h = &report->html;
	bool lost = false;

	for (int c = 0; c < report->grid.columns; c++)
		lost |= report->column[c].lost > 0;

	html_section(h, "timeline", "Timeline");
	html_put(h, "<h3>Rate</h3>\n");
	put_legend(report);
	put_rate_chart(report);

	if (put_phases(report))
		return -1;
	if (lost)
		html_note(h, "<i class=\"lostkey\"></i> Dashed lines: records are missing here.");

	/* Times by part are known only where the source splits them. */
	if (report->run->has_split) {
		html_put(h, "<h3>Time spent in exits</h3>\n");
		put_part_chart(report);
		html_note(
			h,
			"An exit's time counts where the exit began, so a long one can lift its interval above 100 %%.");
	}

	put_strips(report);
	html_section_end(h);
	return 0;
}
