// SPDX-License-Identifier: GPL-2.0-only
/*
 * time.c - what a report shows over time; see report.h
 *
 * From the recorded exits where there are all of them, so that a short run has
 * fine charts; else from the roll-ups, whose intervals bound what can be kept
 * apart.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/sums/hists.h"
#include "analyzer/report/queries.h"
#include "analyzer/report/report.h"
#include "sql/hist.h"

/* Cut the run into at most REPORT_COLUMNS columns, each a multiple of @unit cycles. */
static void cut(const struct run *run, int64_t unit, struct report_grid *grid)
{
	int64_t to = run->to < run->length_cycles ? run->to : run->length_cycles + 1;
	int64_t units;

	grid->from = run->from / unit * unit;
	units = (to - grid->from + unit - 1) / unit;
	if (units < 1)
		units = 1;
	grid->width = (units + REPORT_COLUMNS - 1) / REPORT_COLUMNS * unit;
	grid->columns = (int)((units * unit + grid->width - 1) / grid->width);
}

/* Column of a time since the start of the run; the ends take what is outside. */
static int column_at(const struct report_grid *grid, int64_t since)
{
	int64_t column;

	if (since < grid->from)
		return 0;
	column = (since - grid->from) / grid->width;
	return column < grid->columns ? (int)column : grid->columns - 1;
}

static struct report_reason *find_key(struct report *report, int64_t key)
{
	for (unsigned int i = 0; i < report->reasons; i++)
		if (report->reason[i].group->key[0] == key)
			return &report->reason[i];
	return NULL; /* filtered out, or came after the sums were read */
}

static struct report_reason *find_reason(struct report *report, int64_t reason)
{
	return find_key(report, reason_key(report->run->isa, reason));
}

/* Keep the slowest exits, slowest first; the first of equal ones. */
static void keep_slow(struct report *report, int64_t id, uint64_t busy)
{
	int at = report->slows;

	if (at == REPORT_SLOWEST && busy <= report->slow[at - 1].busy)
		return;
	if (at < REPORT_SLOWEST)
		report->slows++;
	else
		at--;
	for (; at > 0 && report->slow[at - 1].busy < busy; at--)
		report->slow[at] = report->slow[at - 1];
	report->slow[at] = (struct report_slow){.id = id, .busy = busy};
}

/* See agg_see. */
static void see_exit(void *context, int64_t rowid, int64_t key, const struct group *exit)
{
	struct report *report = context;
	struct report_reason *reason = find_key(report, key);
	int row = report_row(hist_bucket(exit->cycles));
	int column = column_at(&report->grid, run_since(report->run, exit->first));
	uint64_t part[4];

	if (!reason)
		return;

	report_parts(exit, part);
	if (!report->run->no_durations)
		keep_slow(report, rowid, exit->cycles - exit->halted);
	if (!report->rows)
		return;

	reason->n[column]++;
	reason->heat[column][row]++;
	if (report->run->by_rows) {
		reason->row[0][row]++;
		reason->row[1][report_row(hist_bucket(part[0]))]++;
	}

	report->column[column].n++;
	for (int i = 0; i < 4; i++)
		report->column[column].part[i] += part[i];
}

/* Prepare @sql and run @add on each of its rows, for every vCPU of the run. */
static int each_row(struct report *report, const char *sql, int64_t width,
		    void (*add)(struct report *report, sqlite3_stmt *stmt))
{
	const struct run *run = report->run;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(report->app, &stmt, sql))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, run->vcpus[i].id);
		sqlite3_bind_int64(stmt, 2, run->from ? run->from / width : INT64_MIN);
		sqlite3_bind_int64(stmt, 3, (run->to - 1) / width);
		while ((rc = db_step(report->app, stmt)) > 0)
			add(report, stmt);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static void add_rollup(struct report *report, sqlite3_stmt *stmt)
{
	struct report_reason *reason = find_reason(report, sqlite3_column_int64(stmt, 1));
	int64_t begin = run_slot_begin(sqlite3_column_int64(stmt, 0), report->run->rollup_cycles);
	int column = column_at(&report->grid, begin);
	uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 2);

	if (!reason)
		return;
	reason->n[column] += n;
	report->column[column].n += n;
	for (int i = 0; i < 4; i++)
		report->column[column].part[i] += (uint64_t)sqlite3_column_int64(stmt, 3 + i);
}

/* Rows of durations come from here, except those of an exact window; the heat map if it must. */
static int add_hist(void *context, const struct hist_buckets *at)
{
	struct report *report = context;
	struct report_reason *reason = find_reason(report, at->reason);
	bool is_heat = at->part == 0 && !report->rows;
	int column =
		column_at(&report->heat_grid, run_slot_begin(at->slot, report->run->hist_cycles));

	for (uint32_t i = 0; reason && i < at->count; i++) {
		int64_t bucket = at->bucket[i].bucket;
		int row;

		if (bucket < 0 || bucket >= HIST_BUCKETS)
			continue;
		row = report_row((uint32_t)bucket);
		reason->row[at->part][row] += at->bucket[i].n;
		if (is_heat)
			reason->heat[column][row] += at->bucket[i].n;
	}
	return 0;
}

static int read_hists(struct report *report)
{
	const struct run *run = report->run;
	struct hists hists;
	int rc = hists_open(report->app, &hists);

	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++)
		rc = hists_read(&hists, run->vcpus[i].id,
				run->from ? run->from / run->hist_cycles : INT64_MIN,
				(run->to - 1) / run->hist_cycles, HISTS_CYCLES | HISTS_HANDLER,
				add_hist, report);
	hists_close(&hists);
	return rc;
}

static void add_loss(struct report *report, sqlite3_stmt *stmt)
{
	int64_t since = run_since(report->run, sqlite3_column_int64(stmt, 0));

	if (since >= report->run->from && since < report->run->to)
		report->column[column_at(&report->grid, since)].lost +=
			(uint64_t)sqlite3_column_int64(stmt, 1);
}

int report_load_time(struct report *report)
{
	const struct run *run = report->run;

	report->rows = run->by_rows || run->has_raw == RAW_ALL;
	cut(run, report->rows ? 1 : run->rollup_cycles, &report->grid);
	if (report->rows)
		report->heat_grid = report->grid;
	else
		cut(run, run->hist_cycles, &report->heat_grid);
	for (int c = 0; c < report->grid.columns; c++) {
		int64_t begin = report->grid.from + c * report->grid.width;

		report->column[c].capacity = run_vcpu_time(run, begin, begin + report->grid.width);
	}

	if (!run->by_rows && read_hists(report))
		return -1;
	if (each_row(report, report_sql_losses, 1, add_loss))
		return -1;
	if (run->has_raw != RAW_NONE &&
	    agg_read_seen(report->app, run, BY_SUBKEY, see_exit, report, &report->keys))
		return -1;
	return report->rows ? 0
			    : each_row(report, report_sql_rollups, run->rollup_cycles, add_rollup);
}
