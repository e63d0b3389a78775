// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - single exits and vCPUs of a report
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/guest/hypercalls.h"
#include "analyzer/query/guest/regions.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/vms.h"
#include "analyzer/report/queries.h"
#include "analyzer/report/report.h"

#define SUBKEYS 25

/* Columns of the statement in put_slow(). */
enum {
	S_TIME,
	S_VM,
	S_VCPU,
	S_NAME,
	S_KEY,
	S_CYCLES,
	S_PART,
	S_USER = S_PART + 4,
	S_PCPU,
	S_RIP,
	S_FAST,
	S_REENTRY
};

static void put_slow_bar(struct html *h, sqlite3_stmt *stmt)
{
	double cycles = sqlite3_column_double(stmt, S_CYCLES);
	struct html_piece piece[4];
	char label[256] = "";

	for (int i = 0; i < 4; i++) {
		double part = sqlite3_column_double(stmt, S_PART + i);
		char text[UNITS_TEXT];

		piece[i] =
			(struct html_piece){report_part_class[i], cycles > 0 ? part / cycles : 0};
		snprintf(label + strlen(label), sizeof(label) - strlen(label), "%s%s %s",
			 i ? ", " : "", report_part_name[i], html_duration(h, part, text));
	}
	html_put(h, "<td class=\"bars\">");
	html_bar(h, label, piece, 4);
	html_put(h, "</td>");
}

static void put_slow_row(struct report *report, sqlite3_stmt *stmt)
{
	struct html *h = &report->html;
	const char *key = (const char *)sqlite3_column_text(stmt, S_KEY);
	const char *user = (const char *)sqlite3_column_text(stmt, S_USER);
	char text[192];

	html_row(h);
	html_cell_duration(h, sqlite3_column_double(stmt, S_CYCLES));
	html_cell_name(h, (const char *)sqlite3_column_text(stmt, S_NAME));
	html_cell_text(h, key ? key : "–");
	if (report->run->has_split)
		put_slow_bar(h, stmt);

	/* Where the exit was handled, and whether the guest went on. */
	snprintf(text, sizeof(text), "%s%s%s", user ? user : "–",
		 sqlite3_column_int(stmt, S_FAST) ? " (fast path)" : "",
		 sqlite3_column_int(stmt, S_REENTRY) ? " (never re-entered)" : "");
	html_cell_text(h, text);

	html_cell_duration(h, sqlite3_column_double(stmt, S_TIME));
	snprintf(text, sizeof(text), "%.128s / %lld",
		 vms_label(report->run, sqlite3_column_int64(stmt, S_VM)),
		 sqlite3_column_int64(stmt, S_VCPU));
	html_cell_text(h, text);
	html_cell_count(h, (uint64_t)sqlite3_column_int64(stmt, S_PCPU));
	html_put(h, "<td><code>");
	html_text(h, (const char *)sqlite3_column_text(stmt, S_RIP));
	html_put(h, "</code></td>");
	html_row_end(h);
}

int html_put_slowest(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (!report->slows)
		return 0;
	if (db_prepare(report->app, &stmt, report_sql_slow_exit))
		return -1;

	html_section(h, "slowest", "Slowest exits");
	if (report->run->has_split)
		html_note(h, "Those with the most time without the halted part.");
	html_table(
		h, "Slowest exits",
		report->run->has_split
			? "#Duration|Reason|About|>Split|To user space|#Since start|VM / vCPU|#CPU|Guest RIP"
			: "#Duration|Reason|About|To user space|#Since start|VM / vCPU|#CPU|Guest RIP");

	for (int i = 0; i < report->slows && rc >= 0; i++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, report->slow[i].id);
		sqlite3_bind_int64(stmt, 2, report->run->tsc_start);
		rc = db_step(report->app, stmt);
		if (rc > 0)
			put_slow_row(report, stmt);
	}

	sqlite3_finalize(stmt);
	html_table_end(h);
	html_section_end(h);
	return rc < 0 ? -1 : 0;
}

/* What an MSR, port, vector or leaf is called. */
static void put_meaning(struct report *report, const struct group *g)
{
	int isa = report->run->isa;
	const char *name = NULL;
	char text[64];

	if (g->key[3])
		name = regions_meaning(report->app, HYPERCALLS_ANY_VM, reason_basic(isa, g->key[0]),
				       g->key[1], g->key[2], text, sizeof(text));
	html_cell_text(&report->html, name ? name : "–");
}

static int put_subkey(struct report *report, sqlite3_stmt *stmt, const struct group *g)
{
	struct html *h = &report->html;
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, g->example);
	rc = db_step(report->app, stmt);
	if (rc <= 0)
		return rc;
	html_row(h);
	html_cell_name(h, (const char *)sqlite3_column_text(stmt, 0));
	html_cell_text(h, (const char *)sqlite3_column_text(stmt, 1));
	put_meaning(report, g);
	html_cell_count(h, g->n);
	html_cell_share(h, report_share(g->n, report->total.n));
	if (report->run->has_split)
		html_cell_share(h, report_share(g->to_user, g->n));
	if (!report->run->no_durations) {
		html_cell_duration(h, (double)g->cycles);
		html_cell_duration(h, (double)g->cycles / (double)g->n);
		html_cell_duration(h, (double)g->max);
	}
	html_row_end(h);
	return 0;
}

int html_put_subkeys(struct report *report)
{
	char titles[96];
	struct html *h = &report->html;
	sqlite3_stmt *stmt = NULL;
	struct agg *agg = &report->keys;
	int rc, shown = 0;

	if (!report->run->has_raw)
		return 0;

	rc = db_prepare(report->app, &stmt,
			"SELECT reason_name, key_text FROM exits WHERE id = ?1");
	if (!rc) {
		agg_sort_by_count(agg);
		html_section(h, "subkeys", "What the exits were about");
		snprintf(titles, sizeof(titles), "Reason|About|Meaning|#Exits|#Share%s%s",
			 report->run->has_split ? "|#To user space" : "",
			 report->run->no_durations ? "" : "|#Time|#Mean|#Max");
		html_table(h, "Most frequent sub-keys", titles);

		for (uint32_t i = 0; i < agg->groups && shown < SUBKEYS && !rc; i++) {
			if (!agg->group[i].key[3])
				continue;
			rc = put_subkey(report, stmt, &agg->group[i]);
			shown++;
		}

		html_table_end(h);
		html_note(
			h,
			"Port, MSR, CPUID leaf, guest-physical address, vector… as far as the reason has one.");
		html_section_end(h);
	}

	sqlite3_finalize(stmt);
	return rc;
}

static void put_vcpu(struct report *report, sqlite3_stmt *stmt, const struct group *g)
{
	struct html *h = &report->html;
	struct html_piece piece[4];
	uint64_t part[4];
	const struct vm_ref *vm = vms_find(report->run, sqlite3_column_int64(stmt, 1));
	const char *comm = (const char *)sqlite3_column_text(stmt, 3);
	char text[256];

	report_parts(g, part);
	for (int i = 0; i < 4; i++)
		piece[i] =
			(struct html_piece){report_part_class[i], report_share(part[i], g->cycles)};

	html_row(h);
	snprintf(text, sizeof(text), "%s%.128s (%.32s, PID %lld)", vm && *vm->name ? "" : "VM ",
		 vm ? vm->label : "?", comm ? comm : "?", sqlite3_column_int64(stmt, 2));
	html_cell_name(h, text);

	html_cell_count(h, (uint64_t)sqlite3_column_int64(stmt, 4));
	html_cell_count(h, group_exits(g));
	if (!report->run->no_durations)
		html_cell_duration(h, (double)g->cycles);

	if (report->run->has_split) {
		html_put(h, "<td class=\"bars\">");
		html_bar(h, "handler, user space, preempted, halted", piece, 4);
		html_put(h, "</td>");
		html_cell_share(h, report_share(g->halted, g->cycles));
	}

	for (int i = 5; i < 9; i++)
		html_cell_count(h, (uint64_t)sqlite3_column_int64(stmt, i));
	if (sqlite3_column_type(stmt, 9) == SQLITE_NULL)
		html_cell_none(h);
	else
		html_cell_share(h, sqlite3_column_double(stmt, 9));

	html_row_end(h);
}

int html_put_vcpus(struct report *report)
{
	static const struct group none;
	struct html *h = &report->html;
	char titles[128];
	struct agg agg = {0};
	sqlite3_stmt *stmt;
	int rc = agg_read(report->app, report->run, BY_VCPU, 0, &agg);

	if (rc || db_prepare(report->app, &stmt, report_sql_vcpus)) {
		agg_free(&agg);
		return -1;
	}
	sqlite3_bind_int64(stmt, 1, report->run->id);

	html_section(h, "vcpus", "vCPUs and coverage");
	snprintf(titles, sizeof(titles),
		 "VM|#vCPU|#Exits%s%s|#Dropped|#Filtered|#Unread|#VMfail|#Coverage",
		 report->run->no_durations ? "" : "|#Time in exits",
		 report->run->has_split ? "|>Split|#Halted" : "");
	html_table(h, "vCPUs and coverage", titles);

	while ((rc = db_step(report->app, stmt)) > 0) {
		const struct group *g = &none;

		if (!run_has_vcpu(report->run, sqlite3_column_int64(stmt, 0)))
			continue;
		for (uint32_t i = 0; i < agg.groups; i++)
			if (agg.group[i].key[0] == sqlite3_column_int64(stmt, 0))
				g = &agg.group[i];
		put_vcpu(report, stmt, g);
	}

	html_table_end(h);
	html_note(
		h,
		"Dropped: exits without a record, as a ring was full or there was no memory for one. Unread: exits before the collector came. VMfail: VM entries that failed before the guest ran; they are not exits.");
	html_section_end(h);

	sqlite3_finalize(stmt);
	agg_free(&agg);
	return rc;
}
