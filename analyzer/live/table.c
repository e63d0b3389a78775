// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - a snapshot of a recording in progress as lines and a table; see table.h
 */
#include "analyzer/live/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analyzer/output/state_columns.h"
#include "analyzer/query/db.h"
#include "analyzer/query/vms.h"
#include "base/units.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct out_column columns[] = {
	{"reason", "REASON", OUT_TEXT, 0}, {"per_s", "EXITS/S", OUT_REAL, 0},
	{"share", "SHARE", OUT_SHARE, 4},  {"share_bar", "", OUT_BAR, 99},
	{"exits", "EXITS", OUT_COUNT, 5},  {"time_of_vcpu", "TIME/VCPU", OUT_SHARE, 3},
	{"mean", "MEAN", OUT_TIME, 6},	   {"p50", "P50", OUT_TIME, 7},
	{"p99", "P99", OUT_TIME, 0},	   {"max", "MAX", OUT_TIME, 2},
};

/* --by vm: the states of each VM, as shares of its vCPUs' time. */
static const struct out_column vm_columns[] = {
	{"vm", "VM", OUT_TEXT, 0},
	{"per_s", "EXITS/S", OUT_REAL, 0},
	{"share", "SHARE", OUT_SHARE, 8},
	{"exits", "EXITS", OUT_COUNT, 7},
	STATE_COLUMNS,
	{"unknown", "UNKNOWN", OUT_SHARE, 0},
	{"mean", "MEAN", OUT_TIME, 6},
	{"p50", "P50", OUT_TIME, 5},
	{"p99", "P99", OUT_TIME, 3},
	{"max", "MAX", OUT_TIME, 4},
};

#define VM_GUEST 4 /* the other states follow in the order of enum state */

static void put_run(struct out *out, const struct snapshot *snapshot)
{
	const struct run *run = &snapshot->live->app->run;
	const time_t seconds = (time_t)snapshot->taken;
	char length[UNITS_TEXT], clock[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), ", %H:%M:%S", &tm);
	out_line(out, "%srun %" PRId64 " \"%s\": %s, %s%s%s%s", snapshot->bright ? "\2" : "",
		 run->id, run->label,
		 strcmp(run->state, "interrupted") ? run->state
						   : "interrupted (its collector is gone)",
		 units_ns((double)cycles_to_ns(run->length_cycles, run->tsc_khz), length), clock,
		 !strcmp(run->environment, "emulated")
			 ? ", emulated machine (times are not real latencies)"
			 : "",
		 snapshot->frozen ? " -- FROZEN" : "");
}

/* How much is recorded, how fast, and what is missing. */
static void put_counts(struct out *out, const struct snapshot *snapshot)
{
	const struct live *live = snapshot->live;
	const struct run *run = &live->app->run;
	char exits[UNITS_TEXT], rate[UNITS_TEXT], dropped[UNITS_TEXT], now[UNITS_TEXT],
		share[UNITS_TEXT];
	bool first = live->polls == 1;

	units_count(live->dropped, now);
	out_line(out, "%s %sexits, %s/s%s; dropped %s%s%s%s; coverage %s; %u vCPU%s",
		 units_count((int64_t)snapshot->total.exits, exits),
		 run->shown_dropped ? "recorded " : "", units_real(snapshot->total.per_s, rate),
		 first ? " on average" : "", units_count(run->shown_dropped, dropped),
		 first ? "" : " (+", first ? "" : now, first ? "" : ")",
		 run->shown_exits ? units_share(out_coverage(run), share) : "-", run->n_vcpus,
		 run->n_vcpus == 1 ? "" : "s");
}

/* The states of all vCPUs that the page is about. */
static void put_states(struct out *out, const struct snapshot *snapshot)
{
	const struct live_row *total = &snapshot->total;
	char line[160], share[UNITS_TEXT];
	int n = 0;

	for (int i = 0; i < STATES; i++) {
		if (!total->has_part[i] || (i == STATE_UNKNOWN && total->part[i] <= 0))
			continue;
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s %s", n ? ", " : "",
			      vm_columns[VM_GUEST + i].name, units_share(total->part[i], share));
	}
	if (n)
		out_line(out, "%s", line);
	if (n && !total->has_part[STATE_UNKNOWN])
		out_line(
			out,
			"Exits are missing, and nothing says how long they took: their time is in guest.");
}

/* Which time each column is about, in 80 columns. */
static void put_windows(struct out *out, const struct snapshot *snapshot)
{
	const struct live *live = snapshot->live;
	char seconds[UNITS_TEXT];

	out_line(out, "EXITS: since start; EXITS/S, SHARE, %s: %s%s; latencies: %d s",
		 live->by == BY_VM ? "states" : "TIME/VCPU",
		 live->polls > 1 ? "last " : "since the start",
		 live->polls > 1 ? units_ns(live->seconds * 1e9, seconds) : "", LIVE_RECENT_S);
}

void table_put_head(struct out *out, const struct snapshot *snapshot)
{
	const struct run *run = &snapshot->live->app->run;
	char filter[128];

	put_run(out, snapshot);
	if (snapshot->page)
		out_line(out, "%s", snapshot->page);
	else
		out_vms(out, run);
	out_filter_text(run, filter, sizeof(filter));
	if (*filter && !snapshot->page)
		out_line(out, "filter: %s (shares are of what passes it)", filter);
	put_counts(out, snapshot);
	put_states(out, snapshot);
	put_windows(out, snapshot);
}

static void put_latency(struct out *out, double cycles)
{
	if (cycles > 0)
		out_real(out, cycles);
	else
		out_none(out);
}

static void put_latencies(struct out *out, const struct live_row *row)
{
	put_latency(out, row->mean);
	put_latency(out, row->p50);
	put_latency(out, row->p99);
	put_latency(out, row->max);
}

static void put_reason(struct out *out, const struct live_row *row)
{
	out_text(out, row->name);
	out_real(out, row->per_s);
	out_real(out, row->share);
	out_real(out, row->share);
	out_int(out, (int64_t)row->exits);
	out_real(out, row->time);
	put_latencies(out, row);
}

static void put_vm(struct out *out, const struct live_row *row)
{
	out_text(out, row->name);
	out_real(out, row->per_s);
	out_real(out, row->share);
	out_int(out, (int64_t)row->exits);
	for (int i = 0; i < STATES; i++) {
		if (row->has_part[i])
			out_real(out, row->part[i]);
		else
			out_none(out);
	}
	put_latencies(out, row);
}

void table_put_rows(struct out *out, const struct snapshot *snapshot, unsigned int limit)
{
	const struct run *run = &snapshot->live->app->run;
	bool by_vm = snapshot->live->by == BY_VM;
	struct out_column vm[COUNT(vm_columns)];

	memcpy(vm, vm_columns, sizeof(vm));
	if (!run->has_polled)
		vm[VM_GUEST + STATE_POLLED].drop = OUT_HIDDEN;
	if (snapshot->total.part[STATE_UNKNOWN] <= 0)
		vm[VM_GUEST + STATE_UNKNOWN].drop = OUT_HIDDEN;

	if (by_vm)
		out_table(out, "rows", vm, COUNT(vm));
	else
		out_table(out, "rows", columns, COUNT(columns));
	for (unsigned int i = 0; i < snapshot->rows && i < limit; i++) {
		if (by_vm)
			put_vm(out, &snapshot->row[i]);
		else
			put_reason(out, &snapshot->row[i]);
	}
	if (snapshot->bright)
		putc('\2', out->file); /* the titles */
	out_table_end(out);
}
