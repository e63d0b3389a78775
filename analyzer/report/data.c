// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - what a report shows of each reason; see report.h
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/report/report.h"

const char *const report_part_name[4] = {"handler", "user space", "preempted", "halted"};
const char *const report_part_class[4] = {"p-handler", "p-user", "p-preempted", "p-halted"};

void report_parts(const struct group *group, uint64_t part[4])
{
	part[0] = group_handler(group);
	part[1] = group->userspace;
	part[2] = group->preempted;
	part[3] = group->halted;
}

/* How much a reason matters: by count and by time. */
static double weight(const struct report *report, const struct group *group)
{
	return report_share(group_exits(group), group_exits(&report->total)) +
	       report_share(group->cycles, report->total.cycles);
}

/* The reasons that matter most get colours, numbered in the order of the page. */
static void give_colors(struct report *report)
{
	int color = 0;

	for (unsigned int i = 0; i < report->reasons; i++) {
		double mine = weight(report, report->reason[i].group);
		unsigned int better = 0;

		for (unsigned int k = 0; k < report->reasons; k++) {
			double other = weight(report, report->reason[k].group);

			better += other > mine || (other == mine && k < i);
		}
		if (better < REPORT_COLORS)
			report->reason[i].color = ++color;
	}
}

static int load_reasons(struct report *report)
{
	agg_sort_by_count(&report->agg);
	report->reason = calloc(report->agg.groups, sizeof(*report->reason));
	if (!report->reason)
		return app_fail(report->app, "out of memory");
	report->reasons = report->agg.groups;
	for (unsigned int i = 0; i < report->reasons; i++) {
		struct report_reason *reason = &report->reason[i];

		reason->group = &report->agg.group[i];
		if (!reason_name(report->app, report->run->isa, reason->group->key[0], reason->name,
				 sizeof(reason->name)))
			return -1;
		reason->heat = calloc(REPORT_COLUMNS, sizeof(*reason->heat));
		if (!reason->heat)
			return app_fail(report->app, "out of memory");
	}
	give_colors(report);
	return 0;
}

/* So that the axes of a long run have short numbers. */
static const struct report_unit *find_unit(const struct report *report)
{
	static const struct report_unit units[] = {
		{"s", "seconds since the start of the run", 1},
		{"min", "minutes since the start of the run", 60},
		{"h", "hours since the start of the run", 3600},
		{"d", "days since the start of the run", 86400},
	};
	static const double most_seconds[] = {600, 3 * 3600, 3 * 86400};
	double end = report_seconds(report, run_grid_to(report->run) < report->run->length_cycles
						    ? run_grid_to(report->run)
						    : report->run->length_cycles);
	size_t i = 0;

	while (i < sizeof(most_seconds) / sizeof(*most_seconds) && end > most_seconds[i])
		i++;
	return &units[i];
}

int report_load(struct report *report)
{
	report->unit = find_unit(report);
	if (agg_read(report->app, report->run, BY_REASON, AGG_DIST | AGG_TIMES, &report->agg))
		return -1;
	/* A recording without any exit has a page that says so. */
	if (!report->agg.groups)
		return report->run->exits ? run_nothing(report->app) : 0;
	if (agg_sum(&report->agg, &report->total))
		return app_fail(report->app, "out of memory");
	if (load_reasons(report) ||
	    series_read(report->app, report->run, SERIES_PHASE_BINS,
			report_has_states(report) ? SERIES_TIMES : SERIES_COUNTS, &report->series))
		return -1;
	return report_load_time(report);
}

void report_free(struct report *report)
{
	for (unsigned int i = 0; i < report->reasons; i++)
		free(report->reason[i].heat);
	free(report->reason);
	series_free(&report->series);
	agg_free(&report->keys);
	dist_free(&report->total.dist);
	agg_free(&report->agg);
}
