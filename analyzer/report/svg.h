/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * svg.h - charts as inline SVG: axes, a frame, filled steps, grids of cells
 *
 * The picture is stretched to the width that the page has; its axes are HTML
 * next to it, so that letters keep their size from a phone to paper.
 */
#ifndef EXITSCOPE_ANALYZER_REPORT_SVG_H
#define EXITSCOPE_ANALYZER_REPORT_SVG_H

#include "analyzer/report/html.h"

#define SVG_TICKS  16
#define SVG_WIDTH  1000.0 /* of every plot, in its own units */
#define SVG_HEIGHT 400.0

/*
 * struct axis - from values to a place along a side of the plot
 * @low, @high: the values at its ends; of an axis of durations their rows
 * @durations: values are durations in cycles and lie where svg_row() says
 * @tick: values that get a label and a line
 */
struct axis {
	double low;
	double high;
	bool durations;
	double tick[SVG_TICKS];
	int ticks;
};

/* How a value of an axis is written. @text holds it. */
typedef const char *axis_text(const struct html *h, double value, char text[UNITS_TEXT]);

axis_text axis_text_count;    /* 1,500 -> "1.5k" */
axis_text axis_text_plain;    /* 0.25 -> "0.25" */
axis_text axis_text_share;    /* 0.5 -> "50 %" */
axis_text axis_text_duration; /* in cycles -> "10 µs" */

/* From 0 <= @low on; ticks at 1, 2 or 5 times a power of ten of @unit, about @want. */
void axis_linear(struct axis *axis, double low, double high, double unit, int want);

/* Lengthen a linear axis so that it ends with a tick. */
void axis_round_up(struct axis *axis);

/*
 * Durations that fall into the rows @low to @high - 1. Ticks at powers of ten of
 * @unit, which is given in cycles.
 */
void axis_durations(struct axis *axis, int low, int high, double unit);

/*
 * Place of a duration on an axis of durations: four rows to each power of two,
 * in which 16 of sql/hist.h's buckets each lie. Whole numbers are row limits.
 */
double svg_row(double cycles);

/* 0 at the low end, 1 at the high end; never outside. */
double axis_at(const struct axis *axis, double value);

/*
 * struct plot - the frame of a chart
 * @summary: what it shows, in words, for those who do not see it
 * @class: of its figure, for size and colours
 * @x_name, @y_name: titles of the axes with their unit; NULL: none
 * @y, @y_text: NULL: no axis there
 */
struct plot {
	const char *summary;
	const char *class;
	const char *x_name;
	const char *y_name;
	const struct axis *x;
	const struct axis *y;
	axis_text *x_text;
	axis_text *y_text;
	double width; /* of the picture's units; 0: SVG_WIDTH, SVG_HEIGHT */
	double height;
};

/* Everything up to the drawing, and everything after it. */
void plot_begin(struct html *h, const struct plot *plot);
void plot_end(struct html *h, const struct plot *plot);

/*
 * A filled band of @n equally wide steps between @from[i] and @to[i] (0 to 1 of
 * the height). @from NULL: from the bottom.
 */
void svg_band(struct html *h, const char *class, const double *from, const double *to, int n);

/* An invisible column i of n with a tool tip; end with svg_tip_end(). */
void svg_tip(struct html *h, int i, int n);
void svg_tip_end(struct html *h);

/*
 * A grid of columns x rows cells, bottom row first, level[row * columns + column]:
 * 0 nothing, 1 to levels: class "h1" to "hN". Draws one path a level.
 */
void svg_cells(struct html *h, const uint8_t *level, int columns, int rows, int levels);

/* What the shades of svg_cells() mean: "1 (shades) 4,686 exits in a cell". @what: no markup. */
void svg_ramp(struct html *h, uint64_t most, int levels, const char *what);

/* Level 1 .. levels of n on a logarithmic scale up to max; 0 for n = 0. */
uint8_t svg_level(uint64_t n, uint64_t max, int levels);

#endif
