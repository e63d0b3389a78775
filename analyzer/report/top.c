// SPDX-License-Identifier: GPL-2.0-only
/*
 * top.c - the reasons of a report: how many, how long, on what
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/report/report.h"

#define TIME_COLUMNS 11 /* of the table */

/* Pointers to all reasons, those with the most time first; NULL without memory. */
static const struct report_reason **by_time(const struct report *report)
{
	const struct report_reason **list = calloc(report->reasons, sizeof(*list));

	if (!list)
		return NULL;
	for (unsigned int i = 0; i < report->reasons; i++) {
		unsigned int at = i;

		for (; at > 0 && list[at - 1]->group->cycles < report->reason[i].group->cycles;
		     at--)
			list[at] = list[at - 1];
		list[at] = &report->reason[i];
	}
	return list;
}

/* A line of a ranking: name, bar, value after it. */
static void rank_begin(struct html *h, const char *name)
{
	html_put(h, "<li><span class=\"name\">");
	html_text(h, name);
	html_put(h, "</span>");
}

static void rank_end(struct html *h, double share)
{
	html_put(h, "<span class=\"value\">");
	html_put_share(h, share);
	html_put(h, "</span></li>\n");
}

static void put_count_ranking(struct report *report)
{
	struct html *h = &report->html;
	double most = (double)group_exits(report->reason[0].group);

	html_put(
		h,
		"<figure class=\"rank\"><figcaption>By number of exits <small>share of all exits</small></figcaption>\n<ol>\n");
	for (unsigned int i = 0; i < report->reasons && i < 12; i++) {
		const struct report_reason *reason = &report->reason[i];
		uint64_t exits = group_exits(reason->group);
		char class[8], label[128], n[UNITS_TEXT];

		snprintf(class, sizeof(class), "c%d", reason->color);
		snprintf(label, sizeof(label), "%s: %s exits", reason->name,
			 units_count((int64_t)exits, n));
		rank_begin(h, reason->name);
		html_bar(h, label, &(struct html_piece){class, (double)exits / most}, 1);
		rank_end(h, report_share(exits, group_exits(&report->total)));
	}
	html_put(h, "</ol></figure>\n");
}

static void put_time_ranking(struct report *report, const struct report_reason **list)
{
	struct html *h = &report->html;
	double most = (double)list[0]->group->cycles;

	html_put(
		h,
		"<figure class=\"rank\"><figcaption>By time <small>share of the time between exit and entry%s</small></figcaption>\n<ol>\n",
		report->total.halted ? "; pale: halted" : "");
	for (unsigned int i = 0; i < report->reasons && i < 12; i++) {
		const struct group *g = list[i]->group;
		char class[2][16], label[160], all[UNITS_TEXT], halted[UNITS_TEXT];

		snprintf(class[0], sizeof(class[0]), "c%d", list[i]->color);
		snprintf(class[1], sizeof(class[1]), "c%d pale", list[i]->color);
		snprintf(label, sizeof(label), "%s: %s, of it halted %s", list[i]->name,
			 html_duration(h, (double)g->cycles, all),
			 html_duration(h, (double)g->halted, halted));
		rank_begin(h, list[i]->name);
		html_bar(h, label,
			 (struct html_piece[]){
				 {class[0], most > 0 ? (double)(g->cycles - g->halted) / most : 0},
				 {class[1], most > 0 ? (double)g->halted / most : 0}},
			 2);
		rank_end(h, report_share(g->cycles, report->total.cycles));
	}
	html_put(h, "</ol></figure>\n");
}

/* Times of a row; of a reason whose exits were all dropped none is known. */
static void put_table_times(struct report *report, const struct group *g)
{
	static const double quantile[] = {0.5, 0.9, 0.95, 0.99, 0.999};
	const struct group *total = &report->total;
	struct html *h = &report->html;

	if (!g->n) {
		for (int i = 0; i < TIME_COLUMNS; i++)
			html_cell_none(h);
		return;
	}

	html_cell_duration(h, (double)g->cycles);
	html_cell_share(h, report_share(g->cycles, total->cycles));
	if (report->run->has_split)
		html_cell_share(h,
				report_share(g->cycles - g->halted, total->cycles - total->halted));
	else
		html_cell_none(h);
	html_cell_duration(h, (double)g->cycles / (double)g->n);

	if (group_min_is_known(g))
		html_cell_duration(h, (double)g->min);
	else
		html_cell_none(h);
	for (size_t i = 0; i < sizeof(quantile) / sizeof(quantile[0]); i++)
		html_cell_duration(h, (double)group_quantile(g, quantile[i]));
	html_cell_duration(h, (double)g->max);
}

/* A row of the table; @number "–": all reasons. */
static void put_table_row(struct report *report, const char *number, const char *name,
			  const struct group *g)
{
	double seconds = report_seconds(report, agg_known_rate_time(report->run, BY_REASON, NULL));
	struct html *h = &report->html;

	html_row(h);
	html_put(h, "<td class=\"num\">%s</td>", number);
	html_cell_name(h, name);
	html_cell_count(h, group_exits(g));
	html_cell_share(h, report_share(group_exits(g), group_exits(&report->total)));
	if (seconds > 0)
		html_cell_real(h, (double)group_exits(g) / seconds);
	else
		html_cell_none(h);
	if (report->run->shown_dropped)
		html_cell_count(h, g->n);
	if (!report->run->no_durations)
		put_table_times(report, g);
	html_row_end(h);
}

static void put_table(struct report *report)
{
	struct html *h = &report->html;
	char titles[128], number[24];

	snprintf(titles, sizeof(titles), "#No.|Reason|#Exits|#Share|#Exits/s%s%s",
		 report->run->shown_dropped ? "|#Recorded" : "",
		 report->run->no_durations
			 ? ""
			 : "|#Time|#Time %|#Busy %|#Mean|#Min|#p50|#p90|#p95|#p99|#p99.9|#Max");
	html_table(h, "All exit reasons", titles);
	for (unsigned int i = 0; i < report->reasons; i++) {
		const struct report_reason *reason = &report->reason[i];

		snprintf(number, sizeof(number), "%lld",
			 (long long)reason_basic(report->run->isa, reason->group->key[0]));
		put_table_row(report, number, reason->name, reason->group);
	}
	if (report->reasons > 1)
		put_table_row(report, "–", "(all)", &report->total);
	html_table_end(h);
}

void html_put_top(struct report *report)
{
	const struct report_reason **list = by_time(report);
	struct html *h = &report->html;

	html_section(h, "top", "Top exits");
	if (list) {
		/* Without memory the table below is still whole. */
		html_put(h, "<div class=\"pair\">\n");
		put_count_ranking(report);
		if (!report->run->no_durations)
			put_time_ranking(report, list);
		html_put(h, "</div>\n");
	}
	free(list);

	put_table(report);
	if (!report->run->no_durations)
		html_note(
			h,
			"Busy %%: share of the time without the halted part. Percentiles come from histograms and are off by less than 0.8 %%.");
	html_section_end(h);
}

/* A name, its time by part as a bar of full width, and how long it was. */
static void put_split_row(struct report *report, const char *name, const struct group *group)
{
	struct html *h = &report->html;
	struct html_piece piece[4];
	char label[256] = "";
	uint64_t part[4];

	report_parts(group, part);
	for (int i = 0; i < 4; i++) {
		char text[UNITS_TEXT];
		double share = report_share(part[i], group->cycles);

		piece[i] = (struct html_piece){report_part_class[i], share};
		snprintf(label + strlen(label), sizeof(label) - strlen(label), "%s%s %s",
			 i ? ", " : "", report_part_name[i], units_share(share, text));
	}

	html_put(h, "<li><span class=\"name\">");
	html_text(h, name);
	html_put(h, "</span>");
	html_bar(h, label, piece, 4);
	html_put(h, "<span class=\"value\">");
	html_put_duration(h, (double)group->cycles);
	html_put(h, "</span></li>\n");
}

void html_put_split(struct report *report)
{
	const struct report_reason **list;
	struct html *h = &report->html;

	if (!report->run->has_split)
		return;
	list = by_time(report);

	html_section(h, "split", "Where the time went");
	html_put(h, "<p class=\"legend\">");
	for (int i = 0; i < 4; i++)
		html_put(h, "<span><i class=\"%s\"></i>%s</span> ", report_part_class[i],
			 report_part_name[i]);
	html_put(h, "</p>\n");
	html_note(
		h,
		"Handler: KVM at work. Halted: polling or blocked for a halted vCPU. User space: between the return of KVM_RUN and the next. Preempted: scheduled out while runnable. Each bar is all of a reason's time, which stands after it.");

	html_put(h, "<figure class=\"rank wide\"><ol>\n");
	put_split_row(report, "All exits", &report->total);
	for (unsigned int i = 0; list && i < report->reasons; i++)
		put_split_row(report, list[i]->name, list[i]->group);
	html_put(h, "</ol></figure>\n");
	html_section_end(h);

	free(list);
}
