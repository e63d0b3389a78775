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

/*
 * struct heat - how many exits fell into each cell of a heat map
 * @n: exits, by rows, the shortest durations first
 * @level: the same as shades, 0 to HEAT_LEVELS
 * @most: exits of the fullest cell, at least 1
 */
struct heat {
	int rows;
	int columns;
	uint64_t *n;
	uint8_t *level;
	uint64_t most;
};

static void add_to_heat(struct heat *heat, const struct report_reason *reason, int low)
{
	for (int cell = 0; cell < heat->rows * heat->columns; cell++) {
		heat->n[cell] += reason->heat[cell % heat->columns][low + cell / heat->columns];
		if (heat->n[cell] > heat->most)
			heat->most = heat->n[cell];
	}
}

/* Count the exits of one reason, or of all (NULL). Without memory the map stays empty. */
static bool fill_heat(const struct report *report, const struct report_reason *only, int low,
		      struct heat *heat)
{
	size_t cells = (size_t)heat->rows * (size_t)heat->columns;

	heat->n = calloc(cells, sizeof(*heat->n));
	heat->level = calloc(cells, sizeof(*heat->level));
	if (!heat->n || !heat->level)
		return false;

	for (unsigned int i = 0; i < report->reasons; i++)
		if (!only || only == &report->reason[i])
			add_to_heat(heat, &report->reason[i], low);
	for (size_t cell = 0; cell < cells; cell++)
		heat->level[cell] = svg_level(heat->n[cell], heat->most, HEAT_LEVELS);
	return true;
}

/* The heat map of one reason, or of all (NULL). */
static void write_heat_map(struct report *report, const struct report_reason *only, int low,
			   int high)
{
	const struct report_grid *grid = &report->heat_grid;
	double from = report_time(report, grid->from);
	double to = from + report_time(report, grid->width) * grid->columns;
	struct heat heat = {.rows = high - low, .columns = grid->columns, .most = 1};
	struct html *h = &report->html;
	struct axis x, y;
	const struct plot plot = {
		.summary = "Heat map: how many exits took how long, over the run.",
		.class = "heat",
		.x_name = report->unit->axis,
		.y_name = duration_axis_name(report),
		.x = &x,
		.y = &y,
		.x_text = axis_text_plain,
		.y_text = axis_text_duration,
		.width = heat.columns,
		.height = heat.rows,
	};

	axis_linear(&x, from, to, 1, 8);
	axis_durations(&y, low, high, axis_unit(report));

	plot_begin(h, &plot);
	if (fill_heat(report, only, low, &heat))
		svg_cells(h, heat.level, heat.columns, heat.rows, HEAT_LEVELS);
	plot_end(h, &plot);
	svg_ramp(h, heat.most, HEAT_LEVELS, "exits in a cell");

	free(heat.n);
	free(heat.level);
}

/* The choice of a heat map: works without a script, the style sheet shows the chosen one. */
static void put_choice(struct report *report)
{
	struct html *h = &report->html;
	int k = 0;

	html_put(
		h,
		"<input type=\"radio\" name=\"heat\" id=\"heat0\" checked=\"checked\"/><label for=\"heat0\">All reasons</label>\n");
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
	write_heat_map(report, NULL, low, high);
	html_put(h, "</figure>\n");

	for (unsigned int i = 0; i < report->reasons; i++) {
		if (!report->reason[i].color)
			continue;
		html_put(h, "<figure>\n<figcaption class=\"paper\">");
		html_text(h, report->reason[i].name);
		html_put(h, "</figcaption>\n");
		write_heat_map(report, &report->reason[i], low, high);
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
	h->is_prose = true;
	html_put_count(h, g->n);
	html_put(h, " exit%s · p50 ", g->n == 1 ? "" : "s");
	html_text(h, p50);
	html_put(h, " · p99 ");
	html_text(h, p99);
	html_put(h, "</small></figcaption>\n");
	h->is_prose = false;

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
	static const char outline[] =
		" Outline: KVM's handler alone, without halted, user-space and preempted time.";
	unsigned int n = report->reasons < HISTOGRAMS ? report->reasons : HISTOGRAMS;
	struct html *h = &report->html;
	struct axis x;
	int low, high;

	find_rows(report, &low, &high);
	axis_durations(&x, low, high, axis_unit(report));

	html_section(h, "latency", "Latency by reason");
	html_note(
		h,
		"How many exits took how long, from the exit to the next entry; the same logarithmic axis%s everywhere, each histogram as high as its own peak. Lines: median and, dashed, 99th percentile.%s",
		h->cycles ? " in cycles" : "", report->run->has_split ? outline : "");

	html_put(h, "<div class=\"multiples\">\n");
	for (unsigned int i = 0; i < n; i++)
		if (report->reason[i].group->n)
			put_histogram(report, &report->reason[i], &x, low, high);
	html_put(h, "</div>\n");

	if (n < report->reasons)
		html_note(h, "%u rarer reasons are in the table above.", report->reasons - n);
	html_section_end(h);
}
