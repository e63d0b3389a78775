/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * html_checks.c - what other sources counted, what the CPU can, what the reasons mean
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/db.h"
#include "analyzer/html_report.h"
#include "analyzer/reason.h"

/* Prepare @sql with ?1 = the run and count its rows into *@n. */
static int count_rows(struct report *report, const char *sql, int64_t *n)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(report->app, &stmt, sql))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);
	rc = db_step(report->app, stmt);
	if (rc > 0)
		*n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* The counts of each source, summed over vCPUs; per reason where it tells them. */
#define CHECK_SQL                                                                                  \
	"SELECT source, name, basic_reason, reason_name, sum(n), CASE WHEN basic_reason IS NULL "  \
	"THEN"                                                                                     \
	" (SELECT exits FROM runs WHERE run = ?1) ELSE (SELECT coalesce(sum(exits), 0) FROM "      \
	"top_exits t"                                                                              \
	" WHERE t.run = ?1 AND t.basic_reason = c.basic_reason) END"                               \
	" FROM crosschecks c WHERE run = ?1 GROUP BY source, name, basic_reason"                   \
	" ORDER BY source, name, basic_reason IS NOT NULL, 5 DESC"

static void put_check_row(struct report *report, sqlite3_stmt *stmt)
{
	const char *reason = (const char *)sqlite3_column_text(stmt, 3);
	int64_t n = sqlite3_column_int64(stmt, 4), recorded = sqlite3_column_int64(stmt, 5);
	struct html *h = &report->html;
	char text[UNITS_TEXT];

	html_row(h);
	html_cell_name(h, (const char *)sqlite3_column_text(stmt, 0));
	html_cell_text(h, (const char *)sqlite3_column_text(stmt, 1));
	if (sqlite3_column_type(stmt, 2) == SQLITE_NULL)
		html_cell_text(h, "all");
	else
		html_cell_text(h, reason ? reason : "?");
	html_cell_count(h, (uint64_t)n);
	html_cell_count(h, (uint64_t)recorded);
	html_put(h, "<td class=\"num%s\">%s%s</td>", n != recorded ? " differs" : "",
		 n > recorded ? "+" : "", units_count(n - recorded, text));
	html_row_end(h);
}

int html_put_checks(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int64_t n = 0;
	int rc;

	if (count_rows(report, "SELECT count(*) FROM crosschecks WHERE run = ?1", &n))
		return -1;
	if (!n)
		return 0;
	if (db_prepare(report->app, &stmt, CHECK_SQL))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);
	html_section(h, "checks", "Cross-check");
	html_put(h, "<p class=\"note\">What other sources counted over the same run, beside the "
		    "recorded exits of the "
		    "whole run. Sources see different things (synthesized exits, VM entries, the "
		    "edges of the "
		    "window): <code>analyzer verify</code> explains each difference.</p>\n");
	html_table(h, "Cross-check", "Source|Counts|Reason|#Counted|#Recorded|#Difference");
	while ((rc = db_step(report->app, stmt)) > 0)
		put_check_row(report, stmt);
	html_table_end(h);
	html_section_end(h);
	sqlite3_finalize(stmt);
	return rc;
}

/* Each MSR's values with the number of CPUs that have them. */
#define CAPABILITY_SQL                                                                             \
	"SELECT msr_hex, CASE msr WHEN 0x480 THEN 'IA32_VMX_BASIC' WHEN 0x481 THEN "               \
	"'IA32_VMX_PINBASED_CTLS'"                                                                 \
	" WHEN 0x482 THEN 'IA32_VMX_PROCBASED_CTLS' WHEN 0x483 THEN 'IA32_VMX_EXIT_CTLS'"          \
	" WHEN 0x484 THEN 'IA32_VMX_ENTRY_CTLS' WHEN 0x485 THEN 'IA32_VMX_MISC'"                   \
	" WHEN 0x486 THEN 'IA32_VMX_CR0_FIXED0' WHEN 0x487 THEN 'IA32_VMX_CR0_FIXED1'"             \
	" WHEN 0x488 THEN 'IA32_VMX_CR4_FIXED0' WHEN 0x489 THEN 'IA32_VMX_CR4_FIXED1'"             \
	" WHEN 0x48a THEN 'IA32_VMX_VMCS_ENUM' WHEN 0x48b THEN 'IA32_VMX_PROCBASED_CTLS2'"         \
	" WHEN 0x48c THEN 'IA32_VMX_EPT_VPID_CAP' WHEN 0x48d THEN 'IA32_VMX_TRUE_PINBASED_CTLS'"   \
	" WHEN 0x48e THEN 'IA32_VMX_TRUE_PROCBASED_CTLS' WHEN 0x48f THEN "                         \
	"'IA32_VMX_TRUE_EXIT_CTLS'"                                                                \
	" WHEN 0x490 THEN 'IA32_VMX_TRUE_ENTRY_CTLS' WHEN 0x491 THEN 'IA32_VMX_VMFUNC'"            \
	" WHEN 0x492 THEN 'IA32_VMX_PROCBASED_CTLS3' WHEN 0x493 THEN 'IA32_VMX_EXIT_CTLS2' ELSE "  \
	"'?' END,"                                                                                 \
	" CASE WHEN valid THEN value END, count(*) FROM capabilities WHERE run = ?1"               \
	" GROUP BY msr, valid, value ORDER BY msr, 4 DESC"

int html_put_capabilities(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int64_t n = 0;
	int rc;

	if (count_rows(report, "SELECT count(*) FROM capabilities WHERE run = ?1", &n))
		return -1;
	if (!n)
		return 0;
	if (db_prepare(report->app, &stmt, CAPABILITY_SQL))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);
	html_section(h, "capabilities", "VMX capabilities");
	html_put(h, "<p class=\"note\">The capability MSRs of the CPUs; a second line of one MSR "
		    "means that CPUs differ. "
		    "<code>analyzer vmx-caps</code> tells every control.</p>\n");
	html_table(h, "VMX capabilities", "MSR|Name|Value|#CPUs");
	while ((rc = db_step(report->app, stmt)) > 0) {
		const char *value = (const char *)sqlite3_column_text(stmt, 2);

		html_row(h);
		html_cell_text(h, (const char *)sqlite3_column_text(stmt, 0));
		html_cell_name(h, (const char *)sqlite3_column_text(stmt, 1));
		html_put(h, "<td><code>%s</code></td>", value ? value : "not readable");
		html_cell_count(h, (uint64_t)sqlite3_column_int64(stmt, 3));
		html_row_end(h);
	}
	html_table_end(h);
	html_section_end(h);
	sqlite3_finalize(stmt);
	return rc;
}

static int put_meaning(struct report *report, sqlite3_stmt *stmt,
		       const struct report_reason *reason)
{
	static const char *const heading[] = {NULL, "Usual causes: ", "What reduces it: "};
	struct html *h = &report->html;
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int(stmt, 1, report->run->isa);
	sqlite3_bind_int64(stmt, 2, reason_basic(report->run->isa, reason->group->key[0]));
	rc = db_step(report->app, stmt);
	if (rc <= 0)
		return rc;
	html_put(h, "<div><dt>");
	html_text(h, reason->name);
	html_put(h, " <small>%" PRId64 "</small></dt>\n",
		 reason_basic(report->run->isa, reason->group->key[0]));
	for (int i = 0; i < 3; i++) {
		const char *text = (const char *)sqlite3_column_text(stmt, i);

		if (!text || !*text)
			continue;
		html_put(h, "<dd>");
		if (heading[i])
			html_put(h, "<em>%s</em>", heading[i]);
		html_text(h, text);
		html_put(h, "</dd>\n");
	}
	html_put(h, "</div>\n");
	return 0;
}

int html_put_glossary(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (db_prepare(
		    report->app, &stmt,
		    "SELECT meaning, causes, remedy FROM reasons WHERE isa = ?1 AND number = ?2"))
		return -1;
	html_section(h, "reasons", "What the reasons mean");
	html_put(h, "<dl class=\"glossary\">\n");
	for (unsigned int i = 0; i < report->reasons && !rc; i++)
		rc = put_meaning(report, stmt, &report->reason[i]);
	html_put(h, "</dl>\n");
	html_section_end(h);
	sqlite3_finalize(stmt);
	return rc;
}
