// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_fit.c - what of a table fits a terminal
 *
 * A table that is too wide first shortens long names of VMs, then leaves columns out, then has
 * shorter bars, and at last shortens its other texts.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/output/out_writer.h"
#include "base/units.h"
#include "base/width.h"

#define VM_WIDTH   24 /* columns that a VM's name keeps before columns are left out */
#define BAR_LEAST  6  /* columns that a bar keeps at least */
#define TEXT_WIDTH 12 /* columns that a text keeps at least */
#define DECIMALS   9  /* of a moment: no clock is finer than a nanosecond */

/* The column that is left out before any other; -1: none may be. */
static int least_column(const struct out *out, const bool *shown)
{
	int least = -1;

	for (int i = 0; i < out->columns; i++)
		if (shown[i] && out->column[i].drop > 0 &&
		    (least < 0 || out->column[i].drop > out->column[least].drop))
			least = i;
	return least;
}

static bool is_text(enum out_type type)
{
	return type == OUT_TEXT || type == OUT_VM;
}

static bool is_vm(enum out_type type)
{
	return type == OUT_VM;
}

static bool is_bar(enum out_type type)
{
	return type == OUT_SPLIT;
}

/*
 * Let the columns of a kind, the widest first, lose what *total has too much, down to @least
 * columns of the terminal. Returns whether any lost something.
 */
static bool shorten(const struct out *out, const bool *shown, bool (*is_kind)(enum out_type),
		    int least, int *total, int *width)
{
	bool any = false;

	while (*total > out->width) {
		int widest = -1, excess = *total - out->width;

		for (int i = 0; i < out->columns; i++)
			if (shown[i] && is_kind(out->column[i].type) && width[i] > least &&
			    width[i] > width_of(out->column[i].title) &&
			    (widest < 0 || width[i] > width[widest]))
				widest = i;
		if (widest < 0)
			return any;

		if (excess > width[widest] - least)
			excess = width[widest] - least;
		width[widest] -= excess;
		*total -= excess;
		any = true;
	}
	return any;
}

static int begin_columns(const struct out *out, const int *width, bool *shown)
{
	int total = -2;

	for (int i = 0; i < out->columns; i++) {
		const struct out_column *column = &out->column[i];

		shown[i] = out->chosen[i];
		if (!out->choice && column->drop == OUT_HIDDEN)
			shown[i] = false;
		if (!out->choice && out_is_drawing(column) && column->drop && !out->width)
			shown[i] = false;
		total += shown[i] ? width[i] + 2 : 0;
	}
	return total;
}

bool out_fit_columns(const struct out *out, int *width, bool *shown)
{
	int total = begin_columns(out, width, shown), least;
	bool is_short;

	/* --columns is obeyed even where its table is too wide. */
	if (!out->width || out->choice)
		return false;

	is_short = shorten(out, shown, is_vm, VM_WIDTH, &total, width);
	while (total > out->width && (least = least_column(out, shown)) >= 0) {
		shown[least] = false;
		total -= width[least] + 2;
	}
	shorten(out, shown, is_bar, BAR_LEAST, &total, width);
	return shorten(out, shown, is_text, TEXT_WIDTH, &total, width) || is_short;
}

/* A bar of fewer letters, which have the same shares of it. */
static char *fit_bar(const char *text, int width)
{
	int letters = (int)strlen(text);
	char *fitted = malloc((size_t)width + 1);

	if (!fitted)
		return NULL;
	for (int i = 0; i < width; i++)
		fitted[i] = text[(2 * i + 1) * letters / (2 * width)];
	fitted[width] = '\0';
	return fitted;
}

char *out_fit_text(enum out_type type, const char *text, int width)
{
	int head = (width - 2) / 2;
	char *fitted;

	if (is_bar(type))
		return fit_bar(text, width);
	if (width < 3)
		return strndup(text, width_fit(text, width));
	if (asprintf(&fitted, "%.*s..%s", (int)width_fit(text, head), text,
		     text + width_tail(text, width - 2 - head)) < 0)
		return NULL;
	return fitted;
}

/*
 * Look at the moments of column @c from the top down: *most, the largest, and *least, the least
 * difference of two neighbours. Returns whether neighbours that differ are told apart by the three
 * digits that any time has.
 */
static bool compare_moments(const struct out *out, int c, double *most, double *least)
{
	const struct out_cell *before = NULL;
	bool are_apart = true;

	*most = 0;
	*least = INFINITY;
	for (size_t i = (size_t)c; i < out->cells; i += (size_t)out->columns) {
		const struct out_cell *cell = &out->cell[i];

		if (!cell->text)
			continue;
		*most = fmax(*most, cell->real);
		if (before && before->real != cell->real) {
			*least = fmin(*least, fabs(cell->real - before->real));
			are_apart &= strcmp(before->text, cell->text) != 0;
		}
		before = cell;
	}
	return are_apart;
}

static void fit_moments(struct out *out, int c)
{
	double most, least, unit_ns, error;
	int decimals = 0;

	if (compare_moments(out, c, &most, &least))
		return;

	/* Rounding takes no more than a tenth of the least difference away. */
	unit_ns = units_moment_unit(most);
	for (error = unit_ns / 2; decimals < DECIMALS && error > least / 10; error /= 10)
		decimals++;

	for (size_t i = (size_t)c; i < out->cells; i += (size_t)out->columns) {
		char text[UNITS_TEXT];

		if (!out->cell[i].text)
			continue;
		units_moment(out->cell[i].real, unit_ns, decimals, text);
		free(out->cell[i].text);
		out->cell[i].text = strdup(text);
		out->failed |= !out->cell[i].text;
	}
}

void out_fit_moments(struct out *out)
{
	for (int c = 0; c < out->columns && !out->cycles; c++)
		if (out->column[c].type == OUT_MOMENT)
			fit_moments(out, c);
}
