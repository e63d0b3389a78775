// SPDX-License-Identifier: GPL-2.0-only
/*
 * checks.c - what other sources counted, what the CPU can, what the reasons mean
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/query/caps.h"
#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/vms.h"
#include "analyzer/report/queries.h"
#include "analyzer/report/report.h"
#include "analyzer/verify/verify.h"

#define DIFFERENCES 60 /* at most */

static void put_equations(struct html *h, const struct checks *checks)
{
	html_table(
		h, "Cross-check",
		"Equation|Left side|#Sum|Right side|#Sum|#Checks|#Equal|#Explained|#Unexplained|Verdict");
	for (int i = 0; i < verify_equation_count; i++) {
		struct check_sum sum = verify_sum(checks, i);

		if (!sum.count)
			continue;
		html_row(h);
		html_cell_name(h, verify_equations[i].name);
		html_cell_text(h, verify_equations[i].left);
		html_cell_count(h, (uint64_t)sum.left);
		html_cell_text(h, verify_equations[i].right);
		html_cell_count(h, (uint64_t)sum.right);
		html_cell_count(h, (uint64_t)sum.count);
		html_cell_count(h, (uint64_t)sum.equal);
		html_cell_count(h, (uint64_t)(sum.count - sum.equal - sum.failed));
		html_cell_count(h, (uint64_t)sum.failed);
		html_put(h, "<td%s>%s</td>", sum.failed ? " class=\"differs\"" : "",
			 verify_verdict(sum.failed, sum.equal == sum.count));
		html_row_end(h);
	}
	html_table_end(h);
}

static int put_difference(struct report *report, const struct check *c)
{
	struct html *h = &report->html;
	char name[64] = "all", text[UNITS_TEXT], vcpu[160];

	if (c->reason >= 0 &&
	    !reason_name(report->app, report->run->isa, c->reason, name, sizeof(name)))
		return -1;

	html_row(h);
	html_cell_name(h, verify_equations[c->equation].name);
	snprintf(vcpu, sizeof(vcpu), "%.128s / %" PRId64, vms_label(report->run, c->vm), c->vcpu);
	html_cell_text(h, c->vcpu < 0 ? "all" : vcpu);
	html_cell_text(h, name);
	html_put(h, "<td class=\"num\">%s</td>", units_count(c->left - c->right, text));
	html_put(h, "<td%s>%s</td>", c->unexplained ? " class=\"differs\"" : "",
		 verify_verdict(c->unexplained, false));
	html_cell_text(h, c->why);
	html_row_end(h);
	return 0;
}

static int put_differences(struct report *report, const struct checks *checks)
{
	int shown = 0;

	for (int i = 0; i < checks->count && shown < DIFFERENCES; i++) {
		const struct check *c = &checks->check[i];

		if (c->left == c->right && !c->unexplained)
			continue;
		if (!shown++)
			html_table(&report->html, "Differences",
				   "Equation|VM / vCPU|Reason|#Difference|Verdict|Explanation");
		if (put_difference(report, c))
			return -1;
	}
	if (shown)
		html_table_end(&report->html);
	return 0;
}

int html_put_checks(struct report *report)
{
	struct html *h = &report->html;
	struct checks checks = {0};
	int rc = verify_read(report->app, &checks);

	if (!rc && checks.count) {
		html_section(h, "checks", "Cross-check");
		html_note(
			h,
			"The same exits counted in other ways, over the whole run. <code>analyzer verify</code> shows more.");
		put_equations(h, &checks);
		rc = put_differences(report, &checks);
		html_section_end(h);
	}
	verify_free(&checks);
	return rc;
}

/* Each MSR's values with the number of CPUs that have them. */
static int put_msrs(struct report *report)
{
	struct html *h = &report->html;
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(report->app, &stmt, report_sql_msrs))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);

	html_table(h, "VMX capabilities", "MSR|Name|Value|#CPUs");
	while ((rc = db_step(report->app, stmt)) > 0) {
		const char *value = (const char *)sqlite3_column_text(stmt, 1);
		int64_t msr = sqlite3_column_int64(stmt, 0);
		bool known = msr >= VMX_CAPS_FIRST_MSR && msr < VMX_CAPS_FIRST_MSR + VMX_CAPS_MSRS;

		html_row(h);
		html_put(h, "<td>0x%" PRIx64 "</td>", (uint64_t)msr);
		html_cell_name(h, known ? vmx_cap_msr_names[msr - VMX_CAPS_FIRST_MSR] : "?");
		html_put(h, "<td><code>%s</code></td>", value ? value : "not readable");
		html_cell_count(h, (uint64_t)sqlite3_column_int64(stmt, 2));
		html_row_end(h);
	}
	html_table_end(h);

	sqlite3_finalize(stmt);
	return rc;
}

/* The exits that cannot occur under these capabilities and parameters. */
static int put_impossible(struct report *report, const struct caps *caps)
{
	struct html *h = &report->html;
	struct caps_reason *reasons;
	int n;

	if (caps_reasons(report->app, report->run, caps, &reasons, &n))
		return -1;

	html_put(h, "<h3>Exits that cannot occur here</h3>\n");
	html_note(h, "By the CPU and the module parameters. Nested: only from a guest of a guest.");
	html_table(h, "Exits that cannot occur here", "#No.|Reason|Can occur|Because|#Recorded");
	for (int i = 0; i < n; i++) {
		if (reasons[i].verdict != CAPS_NO && reasons[i].verdict != CAPS_NESTED)
			continue;

		html_row(h);
		html_put(h, "<td class=\"num\">%" PRId64 "</td>", reasons[i].number);
		html_cell_name(h, reasons[i].name);
		html_cell_text(h, reasons[i].verdict == CAPS_NO ? "no" : "nested");
		html_cell_text(h, reasons[i].because);
		html_cell_count(h, (uint64_t)reasons[i].exits);
		html_row_end(h);
	}
	html_table_end(h);

	free(reasons);
	return 0;
}

static int has_capabilities(struct report *report)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(report->app, &stmt, "SELECT 1 FROM capabilities WHERE run = ?1 LIMIT 1"))
		return -1;
	sqlite3_bind_int64(stmt, 1, report->run->id);
	rc = db_step(report->app, stmt);
	sqlite3_finalize(stmt);
	return rc;
}

int html_put_capabilities(struct report *report)
{
	struct html *h = &report->html;
	struct caps caps = {0};
	int rc = has_capabilities(report);

	if (rc <= 0)
		return rc;

	html_section(h, "capabilities", "VMX capabilities");
	html_note(
		h,
		"The capability MSRs of the CPUs; a second line of one MSR means that CPUs differ. <code>analyzer vmx-caps</code> shows every control.");
	rc = put_msrs(report);
	if (!rc)
		rc = caps_load(report->app, report->run, &caps);
	if (!rc)
		rc = put_impossible(report, &caps);
	html_section_end(h);

	caps_free(&caps);
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
