// SPDX-License-Identifier: GPL-2.0-only
/*
 * svg.c - charts as inline SVG; see svg.h
 */
#include "analyzer/report/svg.h"

#include <math.h>
#include <string.h>

const char *axis_text_count(const struct html *h, double value, char text[UNITS_TEXT])
{
	static const char *const suffix[] = {"", "k", "M", "G", "T"};
	int i = 0;

	(void)h;
	for (; value >= 1000 && i < 4; i++)
		value /= 1000;
	snprintf(text, UNITS_TEXT, "%.4g%s", value, suffix[i]);
	return text;
}

const char *axis_text_plain(const struct html *h, double value, char text[UNITS_TEXT])
{
	(void)h;
	snprintf(text, UNITS_TEXT, "%.6g", value);
	return text;
}

const char *axis_text_share(const struct html *h, double value, char text[UNITS_TEXT])
{
	(void)h;
	snprintf(text, UNITS_TEXT, "%.4g %%", 100 * value);
	return text;
}

const char *axis_text_duration(const struct html *h, double value, char text[UNITS_TEXT])
{
	static const char *const unit[] = {"ns", "µs", "ms", "s"};
	int i = 0;

	if (h->cycles)
		return axis_text_count(h, value, text);
	value *= 1e6 / (double)h->tsc_khz;
	for (; value >= 999.5 && i < 3; i++)
		value /= 1000;
	snprintf(text, UNITS_TEXT, "%.4g %s", value, unit[i]);
	return text;
}

void axis_linear(struct axis *axis, double low, double high, double unit, int want)
{
	double step, raw = (high - low) / unit / want;
	double power = raw > 0 ? pow(10, floor(log10(raw))) : 1;
	double digit = raw / power;

	step = (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power * unit;
	*axis = (struct axis){.low = low, .high = high > low ? high : low + step};
	for (double k = fmax(ceil(low / step - 1e-9), 0);
	     k * step <= axis->high * (1 + 1e-9) && axis->ticks < SVG_TICKS; k++)
		axis->tick[axis->ticks++] = k * step;
}

void axis_round_up(struct axis *axis)
{
	double step = axis->ticks > 1 ? axis->tick[1] - axis->tick[0] : 0;
	double last = axis->ticks ? axis->tick[axis->ticks - 1] : 0;

	if (step <= 0 || last >= axis->high * (1 - 1e-9) || axis->ticks == SVG_TICKS)
		return;
	axis->high = last + step;
	axis->tick[axis->ticks++] = axis->high;
}

double svg_row(double cycles)
{
	double octave;

	if (cycles < 64)
		return cycles > 0 ? cycles / 16 : 0;
	octave = floor(log2(cycles));
	return 4 * (octave - 5) + 4 * (cycles / exp2(octave) - 1);
}

void axis_durations(struct axis *axis, int low, int high, double unit)
{
	*axis = (struct axis){.durations = true, .low = low, .high = high > low ? high : low + 1};
	for (int i = 0; i < 19 && axis->ticks < SVG_TICKS; i++) {
		double row = svg_row(unit * pow(10, i));

		if (row >= axis->low && row <= axis->high)
			axis->tick[axis->ticks++] = unit * pow(10, i);
	}
}

double axis_at(const struct axis *axis, double value)
{
	double at =
		((axis->durations ? svg_row(value) : value) - axis->low) / (axis->high - axis->low);

	return at < 0 ? 0 : at > 1 ? 1 : at;
}

static double plot_width(const struct plot *plot)
{
	return plot->width > 0 ? plot->width : SVG_WIDTH;
}

static double plot_height(const struct plot *plot)
{
	return plot->height > 0 ? plot->height : SVG_HEIGHT;
}

/* The lines of all ticks, as one path. */
static void put_grid(struct html *h, const struct plot *plot)
{
	double width = plot_width(plot), height = plot_height(plot);

	html_put(h, "<path class=\"grid\" d=\"");
	for (int i = 0; plot->y && i < plot->y->ticks; i++)
		html_put(h, "M0 %.4gH%.6g", height * (1 - axis_at(plot->y, plot->y->tick[i])),
			 width);
	for (int i = 0; plot->x && plot->x->durations && i < plot->x->ticks; i++)
		html_put(h, "M%.5g 0V%.6g", width * axis_at(plot->x, plot->x->tick[i]), height);
	html_put(h, "\"/>");
}

static void put_labels(struct html *h, const struct axis *axis, axis_text *text, const char *side)
{
	char label[UNITS_TEXT];

	html_put(h, "<div class=\"%s\" aria-hidden=\"true\">", side[0] == 'l' ? "x" : "y");
	for (int i = 0; i < axis->ticks; i++) {
		double at = axis_at(axis, axis->tick[i]);

		html_put(h, "<span%s style=\"%s:%.2f%%\">",
			 at > 0.97 ? " class=\"last\""
			 : i % 2   ? " class=\"odd\""
				   : "",
			 side, 100 * at);
		html_text(h, text(h, axis->tick[i], label));
		html_put(h, "</span>");
	}
	html_put(h, "</div>\n");
}

void plot_begin(struct html *h, const struct plot *plot)
{
	html_put(h, "<div class=\"plot %s\">\n", plot->class);
	if (plot->y_name) {
		html_put(h, "<p class=\"yname\">");
		html_text(h, plot->y_name);
		html_put(h, "</p>\n");
	}
	if (plot->y)
		put_labels(h, plot->y, plot->y_text, "bottom");
	html_put(
		h,
		"<svg viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
		plot_width(plot), plot_height(plot));
	html_text(h, plot->summary);
	html_put(h, "\">\n");
	put_grid(h, plot);
}

void plot_end(struct html *h, const struct plot *plot)
{
	html_put(h, "</svg>\n");
	if (plot->x)
		put_labels(h, plot->x, plot->x_text, "left");
	if (plot->x_name) {
		html_put(h, "<p class=\"xname\">");
		html_text(h, plot->x_name);
		html_put(h, "</p>\n");
	}
	html_put(h, "</div>\n");
}

void svg_band(struct html *h, const char *class, const double *from, const double *to, int n)
{
	double step = SVG_WIDTH / n;

	html_put(h, "<path class=\"%s\" d=\"M0 %.1f", class, SVG_HEIGHT * (1 - to[0]));
	for (int i = 0; i < n; i++) {
		if (i && to[i] != to[i - 1])
			html_put(h, "V%.1f", SVG_HEIGHT * (1 - to[i]));
		if (i == n - 1 || to[i] != to[i + 1])
			html_put(h, "H%.1f", step * (i + 1));
	}
	for (int i = n - 1; i >= 0; i--) {
		double y = from ? from[i] : 0;

		if (i == n - 1 || y != (from ? from[i + 1] : 0))
			html_put(h, "V%.1f", SVG_HEIGHT * (1 - y));
		if (!i || y != (from ? from[i - 1] : 0))
			html_put(h, "H%.1f", step * i);
	}
	html_put(h, "Z\"/>\n");
}

void svg_tip(struct html *h, int i, int n)
{
	html_put(h, "<rect class=\"tip\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%g\"><title>",
		 SVG_WIDTH * i / n, SVG_WIDTH / n, SVG_HEIGHT);
}

void svg_tip_end(struct html *h)
{
	html_put(h, "</title></rect>\n");
}

void svg_cells(struct html *h, const uint8_t *level, int columns, int rows, int levels)
{
	for (int l = 1; l <= levels; l++) {
		bool any = false;

		for (int row = 0; row < rows; row++) {
			const uint8_t *cell = level + (size_t)row * (size_t)columns;

			for (int c = 0, end; c < columns; c = end) {
				for (end = c + 1; end < columns && cell[end] == cell[c]; end++)
					;
				if (cell[c] != l)
					continue;
				html_put(h, "%sM%d %dh%dv1h-%dz",
					 any ? "" : "<path class=\"cell\" d=\"", c, rows - 1 - row,
					 end - c, end - c);
				any = true;
			}
		}
		if (any)
			html_put(h, "\" style=\"fill:var(--h%d)\"/>\n", l);
	}
}

void svg_ramp(struct html *h, uint64_t most, int levels, const char *what)
{
	html_put(h, "<p class=\"ramp\">1 ");
	for (int i = 1; i <= levels; i++)
		html_put(h, "<i style=\"background:var(--h%d)\"></i>", i);
	html_put(h, " ");
	html_put_count(h, most);
	html_put(h, " %s (logarithmic)</p>\n", what);
}

uint8_t svg_level(uint64_t n, uint64_t max, int levels)
{
	double share;

	if (!n)
		return 0;
	share = max > 1 ? log((double)n) / log((double)max) : 1;
	return (uint8_t)(1 + fmin(floor(share * levels), levels - 1));
}
