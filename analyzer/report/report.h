/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - the parts of `analyzer report --html`
 *
 * report_load() reads everything that charts need, once; the html_put_*()
 * functions each write one section and read only what is shown once.
 */
#ifndef EXITSCOPE_ANALYZER_REPORT_REPORT_H
#define EXITSCOPE_ANALYZER_REPORT_REPORT_H

#include <math.h>

#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/series.h"
#include "analyzer/report/html.h"

#define REPORT_COLUMNS	120 /* at most, of charts over time */
#define REPORT_COLORS	8   /* reasons with a colour of their own */
#define REPORT_SLOWEST	20
#define REPORT_ROW_BITS 4   /* 16 buckets of sql/hist.h, a quarter of an octave, make a row */
#define REPORT_ROWS	256 /* above every duration's row */

/*
 * struct report_reason - the exits of one reason
 * @color: 1 .. REPORT_COLORS; 0: shares the colour of all others
 * @n: exits in each column of time
 * @heat: exits in each column of time and row of durations, [column][row]
 * @row: exits in each row of durations, [0] all of it, [1] handler's part
 */
struct report_reason {
	const struct group *group;
	char name[64];
	int color;
	uint64_t n[REPORT_COLUMNS];
	uint64_t row[2][REPORT_ROWS];
	uint64_t (*heat)[REPORT_ROWS];
};

/* What happened in one column of time, over all reasons. Times in cycles. */
struct report_column {
	uint64_t n;
	uint64_t part[4]; /* handler, user space, preempted, halted */
	uint64_t lost;	  /* records missing here */
	double capacity;  /* time that the vCPUs lived in it */
};

/*
 * struct report_grid - a time axis cut into columns
 * @from: cycles since the start of the run at its left edge
 * @width: of a column, in cycles
 */
struct report_grid {
	int64_t from;
	int64_t width;
	int columns;
};

/* The unit of the time axes: @text after a number, "minutes since ..." at an axis, @seconds. */
struct report_unit {
	const char *text;
	const char *axis;
	double seconds;
};

/* A recorded exit among the slowest. @busy: its cycles without the halted part. */
struct report_slow {
	int64_t id; /* exits.id */
	uint64_t busy;
};

/*
 * struct report - what a report shows
 * @reason: most frequent first
 * @grid: of reason.n and column; @heat_grid: of reason.heat. They differ where
 *	the charts come from roll-ups, whose intervals are wide.
 * @series: the run in SERIES_PHASE_BINS: of phases, and of states where there are any
 * @keys: sums BY_SUBKEY, of a run with single exits
 * @rows: charts come from single exits, and have finer grids
 * @unit: of times since the start of the run
 */
struct report {
	struct app *app;
	const struct run *run;
	struct html html;
	struct agg agg;
	struct group total;
	struct report_reason *reason;
	unsigned int reasons;
	struct report_grid grid;
	struct report_grid heat_grid;
	struct report_column column[REPORT_COLUMNS];
	struct series series;
	struct agg keys;
	struct report_slow slow[REPORT_SLOWEST];
	int slows;
	bool rows;
	const struct report_unit *unit;
};

/* The four parts of an exit's time, in the order of report_column.part. */
extern const char *const report_part_name[4];
extern const char *const report_part_class[4];

/* A group's time by part, in cycles. */
void report_parts(const struct group *group, uint64_t part[4]);

/* Read it all: @report has app, run and html. 0, or -1 with app->error. */
int report_load(struct report *report);
void report_free(struct report *report);

/* Fill grids, rows of durations and the slowest exits; called by report_load(). */
int report_load_time(struct report *report);

/* Bucket of sql/hist.h to the row of charts that it belongs to. */
static inline int report_row(uint32_t bucket)
{
	return (int)(bucket >> REPORT_ROW_BITS);
}

static inline double report_share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* Whether shares of wall time can be shown: they need all exits, and the parts of their time. */
static inline bool report_has_states(const struct report *report)
{
	return report->run->has_split && !report->run->no_durations && !report->run->filter.reason;
}

/* Cycles as seconds of the run. */
static inline double report_seconds(const struct report *report, int64_t cycles)
{
	return (double)cycles / 1e3 / (double)report->run->tsc_khz;
}

/* The same in the unit of the time axes. */
static inline double report_time(const struct report *report, int64_t cycles)
{
	return report_seconds(report, cycles) / report->unit->seconds;
}

/* Decimals with which times that are @cycles apart are told apart, in the unit of the time axes. */
static inline int report_decimals(const struct report *report, int64_t cycles)
{
	double apart = report_time(report, cycles);
	int decimals = apart > 0 ? (int)ceil(1 - log10(apart)) : 0;

	return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

/* The sections, in the order of the page. 0, or -1 with app->error. */
void html_put_head(struct report *report);
int html_put_facts(struct report *report);
int html_put_findings(struct report *report);
int html_put_states(struct report *report);
void html_put_top(struct report *report);
int html_put_timeline(struct report *report);
void html_put_heat(struct report *report);
void html_put_latency(struct report *report);
void html_put_split(struct report *report);
int html_put_slowest(struct report *report);
int html_put_subkeys(struct report *report);
int html_put_vcpus(struct report *report);
int html_put_checks(struct report *report);
int html_put_capabilities(struct report *report);
int html_put_glossary(struct report *report);

/* The whole page. 0, or -1 with app->error; @file's errors are the caller's. */
int html_put_report(struct report *report);

#endif
