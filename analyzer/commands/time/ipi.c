// SPDX-License-Identifier: GPL-2.0-only
/*
 * analyzer ipi - what interprocessor interrupts cost, and how long vCPUs take to wake up
 */
#include "analyzer/query/time/ipi.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/commands/options/choice.h"
#include "analyzer/commands/time/commands.h"
#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/guest/meaning.h"
#include "base/array.h"

static const char *const table_names[] = {"ipis", "wakes", NULL};
enum { TABLE_IPIS, TABLE_WAKES };
static const struct extra_option extra[] = {
	{"table", "TABLE", "one of ipis, wakes (default: both; CSV: ipis)"}, {0}};

static const struct out_column ipi_columns[] = {
	{"how", "SENT BY", OUT_TEXT, 0},
	{"vector", "VECTOR", OUT_TEXT, 0},
	{"meaning", "MEANING", OUT_TEXT, 4},
	{"sent", "SENT", OUT_COUNT, 0},
	{"receivers", "RECEIVERS", OUT_COUNT, 3},
	{"cost_p50", "COST P50", OUT_TIME, 0},
	{"cost", "COST", OUT_TIME, 2},
	{"halted", "TO HALTED", OUT_COUNT, 0},
	{"halted_p50", "P50", OUT_TIME, 0},
	{"halted_p99", "P99", OUT_TIME, 1},
	{"halted_max", "MAX", OUT_TIME, 2},
	{"running", "TO RUNNING", OUT_COUNT, 0},
	{"running_p50", "P50", OUT_TIME, 0},
	{"running_p99", "P99", OUT_TIME, 1},
	{"running_max", "MAX", OUT_TIME, 2},
	{"joined", "JOINED", OUT_COUNT, 5},
	{"unseen", "UNSEEN", OUT_COUNT, 3},
	{"self", "TO SELF", OUT_COUNT, 6},
};

static const struct out_column wake_columns[] = {
	{"vm", "VM", OUT_VM, 0},
	{"vcpu", "VCPU", OUT_ID, 0},
	{"halts", "HALTS", OUT_COUNT, 0},
	{"halted", "HALTED", OUT_TIME, 2},
	{"halted_p50", "HALTED P50", OUT_TIME, 1},
	{"waits", "WAITS", OUT_COUNT, 0},
	{"wait_p50", "WAKE-TO-RUN P50", OUT_TIME, 0},
	{"wait_p99", "P99", OUT_TIME, 0},
	{"wait_max", "MAX", OUT_TIME, 0},
};

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

static int by_count(const void *a, const void *b)
{
	const struct ipi_group *x = a, *y = b;

	if (x->cost.n != y->cost.n)
		return x->cost.n < y->cost.n ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->vector > y->vector) - (x->vector < y->vector);
}

/* A quantile, in cycles: the middle of its bucket, but never longer than the longest. */
static uint64_t times_quantile(const struct ipi_times *times, double q)
{
	uint64_t value = dist_quantile(&times->dist, q);

	return value < times->max ? value : times->max;
}

/* How many, median, 99th percentile, longest. */
static void put_times(struct out *out, const struct ipi_times *times)
{
	out_int(out, (int64_t)times->n);
	for (int i = 0; !times->n && i < 3; i++)
		out_none(out);
	if (!times->n)
		return;
	out_time(out, times_quantile(times, 0.5));
	out_time(out, times_quantile(times, 0.99));
	out_time(out, times->max);
}

static void put_vector(struct out *out, const struct ipi_group *g)
{
	char text[32];

	if (g->vector == IPI_UNKNOWN) {
		out_none(out);
		out_none(out);
		return;
	}
	snprintf(text, sizeof(text), "0x%x", (unsigned int)g->vector);
	out_text(out, g->vector == IPI_NMI ? "NMI" : text);
	out_text(out, g->vector == IPI_NMI ? NULL : meaning_of_guest_vector(g->vector));
}

static void put_ipis(struct out *out, const struct ipi *ipi, int64_t limit)
{
	out_table(out, "ipis", ipi_columns, COUNT(ipi_columns));
	for (size_t i = 0; i < ipi->groups && (limit <= 0 || (int64_t)i < limit); i++) {
		const struct ipi_group *g = &ipi->group[i];

		out_text(out, ipi_kind_name(g->kind));
		put_vector(out, g);
		out_int(out, (int64_t)g->cost.n);
		if (g->vector == IPI_UNKNOWN)
			out_none(out);
		else
			out_int(out, (int64_t)g->receivers);
		out_time(out, times_quantile(&g->cost, 0.5));
		out_time(out, g->cost.cycles);
		put_times(out, &g->halted);
		put_times(out, &g->running);
		out_int(out, (int64_t)g->joined);
		out_int(out, (int64_t)g->unseen);
		out_int(out, (int64_t)g->self);
	}
	out_table_end(out);
}

static void put_wakes(struct out *out, const struct run *run, const struct ipi *ipi)
{
	out_table(out, "wakes", wake_columns, COUNT(wake_columns));
	for (unsigned int i = 0; i < ipi->n_wakes; i++) {
		const struct ipi_wakes *w = &ipi->wakes[i];

		if (!w->halted.n)
			continue;
		out_vm(out, run, run->vcpus[w->vcpu].vm);
		out_int(out, run->vcpus[w->vcpu].vcpu_id);
		out_int(out, (int64_t)w->halted.n);
		out_time(out, w->halted.cycles);
		out_time(out, times_quantile(&w->halted, 0.5));
		put_times(out, &w->wait);
	}
	out_table_end(out);
}

/* Whether each exit of the run is looked at, and what was written is known. */
static bool shows_all(const struct run *run)
{
	return run_is_whole(run) && !run->filter.vm && !run->filter.vcpu && !run->dropped &&
	       run->has_raw == RAW_ALL && run->has_split;
}

/* What the tables can't show. @has_ipis: table ipis is shown. */
static void put_notes(struct out *out, const struct run *run, const struct ipi *ipi, bool has_ipis)
{
	bool lacks_value = false;

	for (size_t i = 0; has_ipis && i < ipi->groups; i++)
		lacks_value |= ipi->group[i].vector == IPI_UNKNOWN;

	if (has_ipis && !ipi->groups)
		out_note(
			out, "%s",
			shows_all(run)
				? "No IPI left an exit: one vCPU, or APICv or AVIC sends them without KVM."
				: "None of the single exits that are shown sends an IPI.");
	if (has_ipis && ipi->groups && (run->filter.vm || run->filter.vcpu))
		out_note(out, "Only vCPUs that pass --vm and --vcpu count as receivers.");
	if (lacks_value)
		out_note(
			out,
			"Where vector and receivers are not recorded, only what sending cost is known.");
	if (!run->has_split)
		out_note(out, "Without the parts of the time, no halts are known.");
}

static int print_ipi(struct app *app, const struct options *opt, int table, struct ipi *ipi)
{
	bool has_ipis = table != TABLE_WAKES;
	struct out out;

	array_sort(ipi->group, ipi->groups, sizeof(*ipi->group), by_count);
	out_begin(&out, &opt->style, app->run.tsc_khz);
	out_run(&out, "run", &app->run);
	if (has_ipis)
		put_ipis(&out, ipi, opt->limit);
	if (table < 0 && out.format != OUT_CSV)
		out_line(&out, "%s", "");
	if (table == TABLE_WAKES || (table < 0 && out.format != OUT_CSV))
		put_wakes(&out, &app->run, ipi);
	put_notes(&out, &app->run, ipi, has_ipis);
	return out_end(&out, app, false);
}

static int ipi(struct app *app, const struct options *opt)
{
	int table = opt->extra[0] ? choice_parse(app, "--table", opt->extra[0], table_names) : -1;
	struct ipi ipi;
	int rc;

	if (opt->extra[0] && table < 0)
		return -1;
	if (run_open(app, app->filter.run, &app->run) || run_rows(app, &app->run))
		return -1;
	if (app->run.no_durations)
		return app_fail(app, "ipi: run \"%s\" has no durations", app->run.label);

	rc = ipi_read(app, &app->run, &ipi);
	if (!rc)
		rc = print_ipi(app, opt, table, &ipi);
	ipi_free(&ipi);
	return rc;
}

const struct cmd cmd_ipi = {
	.name = "ipi",
	.summary = "what IPIs cost and how long they take, and wake-ups from HLT",
	.usage = "[--table TABLE] [OPTION...]",
	.help = help_ipi,
	.options = OPT_RUN | OPT_VCPU | OPT_RANGE | OPT_FORMAT | OPT_LIMIT,
	.extra = extra,
	.run = ipi,
};
