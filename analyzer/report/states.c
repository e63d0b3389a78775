// SPDX-License-Identifier: GPL-2.0-only
/*
 * states.c - in which state VMs and vCPUs were: bars, and a chart over time
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/time/states.h"
#include "analyzer/query/vms.h"
#include "analyzer/report/report.h"
#include "analyzer/report/svg.h"

#define MOST_ROWS 20
#define MOST_BINS SERIES_PHASE_BINS

/* As enum state. */
static const char *const classes[STATES] = {"p-guest",	"p-handler",   "p-user",   "p-polled",
					    "p-halted", "p-preempted", "p-unknown"};

/* From the bottom of the chart and the left of a bar: what is worked for, then the rest. */
static const enum state order[STATES] = {STATE_GUEST,  STATE_HANDLER, STATE_USER,   STATE_WAITING,
					 STATE_POLLED, STATE_HALTED,  STATE_UNKNOWN};

/* Who waits most comes first. */
static int compare(const void *a, const void *b)
{
	const struct state_row *x = a, *y = b;
	double vx = state_share(x, STATE_WAITING), vy = state_share(y, STATE_WAITING);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	if (x->vm != y->vm)
		return x->vm < y->vm ? -1 : 1;
	return x->vcpu < y->vcpu ? -1 : x->vcpu > y->vcpu;
}

/* What a recording does not know, or does not have, has no column. */
static bool is_shown(const struct states *states, enum state state)
{
	if (state == STATE_POLLED)
		return states->has_polled;
	return state != STATE_UNKNOWN || states->total.part[STATE_UNKNOWN] > 0;
}

static void put_legend(struct html *h, const struct states *states)
{
	html_put(h, "<p class=\"legend\">");
	for (int i = 0; i < STATES; i++)
		if (is_shown(states, order[i]))
			html_put(h, "<span><i class=\"%s\"></i>%s</span> ", classes[order[i]],
				 state_names[order[i]]);
	html_put(h, "</p>\n");
}

static void put_row(struct report *report, const struct states *states, const struct state_row *row)
{
	const struct vm_ref *vm = vms_find(report->run, row->vm);
	struct html_piece piece[STATES];
	struct html *h = &report->html;
	char name[192], number[32];

	for (int i = 0; i < STATES; i++)
		piece[i] = (struct html_piece){classes[order[i]], state_share(row, order[i])};
	snprintf(name, sizeof(name), "%s%.128s", vm && *vm->name ? "" : "VM ",
		 vm ? vm->label : "?");
	if (row->vcpu < 0)
		snprintf(number, sizeof(number), "%u", row->vcpus);
	else
		snprintf(number, sizeof(number), "%lld", (long long)row->vcpu);

	html_row(h);
	html_cell_name(h, name);
	html_put(h, "<td class=\"num\">%s</td><td class=\"bars wide\">", number);
	html_bar(h, "guest, handler, user space, waiting, polled, halted", piece, STATES);
	html_put(h, "</td>");
	for (int i = 0; i < STATES; i++)
		if (is_shown(states, order[i]))
			html_cell_share(h, state_share(row, order[i]));
	html_cell_share(h, state_runnable_share(row, STATE_WAITING));
	html_row_end(h);
}

static void put_rows(struct report *report, const struct states *states, bool by_vcpu)
{
	struct html *h = &report->html;
	char titles[160];

	snprintf(
		titles, sizeof(titles),
		"VM|#%s|>Of its time|#Guest|#Handler|#User space|#Waiting%s|#Halted%s|#Waiting of runnable",
		by_vcpu ? "vCPU" : "vCPUs", is_shown(states, STATE_POLLED) ? "|#Polled" : "",
		is_shown(states, STATE_UNKNOWN) ? "|#Unknown" : "");
	html_table(h, "States", titles);
	for (unsigned int i = 0; i < states->rows && i < MOST_ROWS; i++)
		put_row(report, states, &states->row[i]);
	html_table_end(h);
	if (states->rows > MOST_ROWS)
		html_put(
			h,
			"<p class=\"note\">%u more, which wait less: <code>analyzer states --limit 0</code>.</p>\n",
			states->rows - MOST_ROWS);
}

static void put_tips(struct report *report, const struct series *series, double (*share)[STATES])
{
	struct html *h = &report->html;

	for (int bin = 0; bin < series->bins; bin++) {
		svg_tip(h, bin, series->bins);
		html_put(h, "from %.*f %s", report_decimals(report, series->bin_cycles),
			 report_time(report, series_begin(series, bin)), report->unit->text);
		for (int i = 0; i < STATES; i++)
			if (share[bin][order[i]] > 0) {
				html_put(h, "\n%s ", state_names[order[i]]);
				html_put_share(h, share[bin][order[i]]);
			}
		svg_tip_end(h);
	}
}

/* All vCPUs together, stacked to 100 %. */
static void put_chart(struct report *report, const struct series *series, double (*share)[STATES])
{
	double from[MOST_BINS + 1] = {0}, to[MOST_BINS + 1] = {0};
	struct html *h = &report->html;
	struct axis x, y;
	struct plot plot = {
		.summary =
			"Shares of the vCPUs' time in each state over the run; the table has the sums.",
		.class = "",
		.x_name = report->unit->axis,
		.y_name = "of the vCPUs' time",
		.x = &x,
		.y = &y,
		.x_text = axis_text_plain,
		.y_text = axis_text_share,
	};

	axis_linear(&x, report_time(report, series->origin), report_time(report, series->end), 1,
		    8);
	axis_linear(&y, 0, 1, 1, 4);
	plot_begin(h, &plot);
	for (int i = 0; i < STATES; i++) {
		bool is_there = false;

		for (int bin = 0; bin < series->bins; bin++) {
			to[bin] += share[bin][order[i]];
			is_there |= share[bin][order[i]] > 0;
		}
		if (is_there)
			svg_band(h, classes[order[i]], from, to, series->bins);
		memcpy(from, to, sizeof(from));
	}
	put_tips(report, series, share);
	plot_end(h, &plot);
}

static int put_over_time(struct report *report)
{
	const struct series *series = &report->series;
	double(*share)[STATES] = calloc((size_t)series->bins, sizeof(*share));

	if (!share)
		return app_fail(report->app, "out of memory");
	if (series->bins > 1 && series->bins <= MOST_BINS + 1) {
		states_over_time(series, report->run, share);
		html_put(&report->html, "<h3>Over time, all vCPUs</h3>\n");
		put_chart(report, series, share);
	}
	free(share);
	return 0;
}

int html_put_states(struct report *report)
{
	const struct run *run = report->run;
	bool by_vcpu = run->n_vcpus && run->vcpus[0].vm == run->vcpus[run->n_vcpus - 1].vm;
	struct html *h = &report->html;
	struct states states = {0};
	int rc;

	if (!report_has_states(report))
		return 0;

	rc = states_read(report->app, run, by_vcpu, &states);
	if (!rc && states.rows) {
		qsort(states.row, states.rows, sizeof(*states.row), compare);
		html_section(h, "states", "Where the vCPUs' time goes");
		put_legend(h, &states);
		put_rows(report, &states, by_vcpu);
		html_put(
			h,
			"<p class=\"note\">Shares of wall time, which add up to 100 %%. Waiting: the vCPU could run and has no CPU (steal). Runnable: all but halted%s.%s</p>\n",
			states.has_polled
				? " and polled (halted, but KVM polls and keeps the CPU busy)"
				: "",
			states.total.is_certain
				? ""
				: " Exits are missing, and nothing says how long they took: their time counts as guest.");
		rc = put_over_time(report);
		html_section_end(h);
	}

	states_free(&states);
	return rc;
}
