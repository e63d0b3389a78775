// SPDX-License-Identifier: GPL-2.0-only
/*
 * caps.c - the VMX capabilities of a run, and which exits can occur; see caps.h
 */
#include "analyzer/query/caps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/queries.h"
#include "base/array.h"

/*
 * What a parameter of kvm_intel takes away (arch/x86/kvm/vmx/vmx.c of Linux 6.1
 * and 6.12, setup_vmcs_config() and vmx_exec_control() and the like). Parameters
 * as sysfs shows them.
 */
static const struct rule {
	int64_t reason;
	const char *parameter;
	const char *value;	   /* with this value ... */
	enum caps_verdict verdict; /* ... this holds */
} rules[] = {
	{8, "vnmi", "N", CAPS_NO},		/* NMI-window exiting needs virtual NMIs */
	{14, "ept", "Y", CAPS_NESTED},		/* INVLPG exiting is for shadow paging */
	{40, "ple_gap", "0", CAPS_NESTED},	/* PAUSE-loop exiting */
	{44, "flexpriority", "N", CAPS_NO},	/* virtualize APIC accesses */
	{45, "enable_apicv", "N", CAPS_NO},	/* virtual-interrupt delivery */
	{48, "ept", "N", CAPS_NO},		/* nested EPT needs it too */
	{49, "ept", "N", CAPS_NO},		/* the same */
	{52, "preemption_timer", "N", CAPS_NO}, /* activate VMX-preemption timer */
	{56, "enable_apicv", "N", CAPS_NO},	/* APIC-register virtualization */
	{58, "ept", "Y", CAPS_NESTED},		/* as 14 */
	{62, "pml", "N", CAPS_NO},		/* enable PML */
};

/* Controls that KVM never sets for its own guests but lets a guest hypervisor set:
 * RDTSC exiting and the XSS-exiting bitmap (nested_vmx_setup_ctls_msrs()).
 */
static const __u8 nested_only[] = {16, 51, 63, 64, VMX_CAP_END};

/* They occur without a handler: an INIT signal of the host, failed VM entries. */
static const __u8 unhandled[] = {3, 33, 34, VMX_CAP_END};

static struct caps_cpu *cpu_of(struct caps *caps, unsigned int number)
{
	struct caps_cpu *more;

	if (caps->cpus && caps->cpu[caps->cpus - 1].cpu == number)
		return &caps->cpu[caps->cpus - 1];
	more = array_reserve(caps->cpu, (size_t)caps->cpus, 1, sizeof(*more));
	if (!more)
		return NULL;
	caps->cpu = more;
	more[caps->cpus] = (struct caps_cpu){.cpu = number};
	return &more[caps->cpus++];
}

int caps_load(struct app *app, const struct run *run, struct caps *caps)
{
	sqlite3_stmt *stmt;
	int rc;

	*caps = (struct caps){0};
	if (run->isa != 1)
		return app_fail(app,
				"run %" PRId64 " \"%s\" is of an SVM CPU: it has no VMX controls",
				run->id, run->label);
	if (db_prepare(app, &stmt, query_caps_msrs))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	while ((rc = db_step(app, stmt)) > 0) {
		struct caps_cpu *cpu = cpu_of(caps, (unsigned int)sqlite3_column_int64(stmt, 0));
		int msr = sqlite3_column_int(stmt, 1);

		if (!cpu) {
			rc = app_fail(app, "out of memory");
			break;
		}
		if (!sqlite3_column_int(stmt, 3))
			continue;
		cpu->msrs.value[msr] = (uint64_t)sqlite3_column_int64(stmt, 2);
		cpu->msrs.read |= 1U << msr;
	}
	sqlite3_finalize(stmt);
	if (!rc && !caps->cpus)
		rc = app_fail(
			app,
			"run %" PRId64
			" \"%s\" has no VMX capabilities: neither module vmx_caps nor the msr devices were there when it was recorded (kvm/install loads vmx_caps; or modprobe msr before recording)",
			run->id, run->label);
	return rc;
}

void caps_free(struct caps *caps)
{
	free(caps->cpu);
	*caps = (struct caps){0};
}

/* Whether kvm_intel's @parameter has @value; false too if that is not known. */
static bool has_value(sqlite3_stmt *find, const char *json, const char *parameter,
		      const char *value)
{
	bool same;

	sqlite3_reset(find);
	sqlite3_bind_text(find, 1, json, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(find, 2, parameter, -1, SQLITE_STATIC);
	sqlite3_bind_text(find, 3, value, -1, SQLITE_STATIC);
	same = sqlite3_step(find) == SQLITE_ROW && sqlite3_column_int(find, 0);
	sqlite3_reset(find);
	return same;
}

/* What the CPUs say; the most that any of them can do. */
static enum vmx_cap_answer judge_cpus(struct caps_reason *r, const struct caps *caps,
				      const struct vmx_cap_bit **control)
{
	enum vmx_cap_answer best = VMX_CAP_NO;

	for (int i = 0; i < caps->cpus; i++) {
		const struct vmx_cap_bit *bit;
		enum vmx_cap_answer answer =
			vmx_cap_reason(&caps->cpu[i].msrs, (unsigned int)r->number, &bit);

		if (!i || answer > best) {
			best = answer;
			*control = bit;
		}
	}
	r->verdict = best == VMX_CAP_YES ? CAPS_YES : best == VMX_CAP_NO ? CAPS_NO : CAPS_UNKNOWN;
	if (best == VMX_CAP_YES)
		snprintf(r->because, sizeof(r->because), "%s",
			 *control ? (*control)->name : "no control turns it off");
	else if (!*control)
		snprintf(r->because, sizeof(r->because), "%s",
			 best == VMX_CAP_NO ? "no control is known for it"
					    : "the capabilities don't cover its instruction");
	else
		snprintf(
			r->because, sizeof(r->because), "%s %s",
			best == VMX_CAP_NO ? "CPU has no" : "could not be read:", (*control)->name);
	return best;
}

/* What KVM makes of a reason that the CPU can bring about. */
static void judge_kvm(struct caps_reason *r, const struct vmx_cap_bit *control, bool handled,
		      bool nested)
{
	char name[64];

	if (handled || vmx_cap_lists(unhandled, (unsigned int)r->number))
		return;
	snprintf(name, sizeof(name), "%s", control ? control->name : "it");
	r->verdict = CAPS_NO;
	if (!vmx_cap_lists(nested_only, (unsigned int)r->number)) {
		snprintf(r->because, sizeof(r->because), "KVM never uses %s", name);
		return;
	}
	if (nested)
		r->verdict = CAPS_NESTED;
	snprintf(r->because, sizeof(r->because), "KVM sets %s for a guest hypervisor only", name);
}

static void judge_parameters(struct caps_reason *r, sqlite3_stmt *find, const char *json,
			     bool nested)
{
	for (size_t i = 0; json && i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];

		if (rule->reason != r->number ||
		    !has_value(find, json, rule->parameter, rule->value))
			continue;
		r->verdict = rule->verdict == CAPS_NESTED && !nested ? CAPS_NO : rule->verdict;
		snprintf(r->because, sizeof(r->because), "%s=%s", rule->parameter, rule->value);
	}
}

static int take_reason(struct app *app, sqlite3_stmt *stmt, sqlite3_stmt *find,
		       const struct caps *caps, struct caps_reason **reasons, int *count)
{
	struct caps_reason *more = array_reserve(*reasons, (size_t)*count, 1, sizeof(*more));
	const struct vmx_cap_bit *control = NULL;
	struct caps_reason *r;
	bool nested = sqlite3_column_int(stmt, 5);

	if (!more)
		return app_fail(app, "out of memory");
	*reasons = more;
	r = &more[(*count)++];
	*r = (struct caps_reason){
		.number = sqlite3_column_int64(stmt, 0),
		.exits = sqlite3_column_int64(stmt, 3),
	};
	snprintf(r->name, sizeof(r->name), "%s", (const char *)sqlite3_column_text(stmt, 1));
	if (judge_cpus(r, caps, &control) != VMX_CAP_YES)
		return 0;
	judge_kvm(r, control, sqlite3_column_int(stmt, 2), nested);
	if (r->verdict == CAPS_YES)
		judge_parameters(r, find, (const char *)sqlite3_column_text(stmt, 4), nested);
	return 0;
}

int caps_reasons(struct app *app, const struct run *run, const struct caps *caps,
		 struct caps_reason **reasons, int *count)
{
	sqlite3_stmt *stmt = NULL, *find = NULL;
	int rc;

	*reasons = NULL;
	*count = 0;
	rc = db_prepare(app, &stmt, query_caps_reasons);
	if (!rc)
		rc = db_prepare(
			app, &find,
			"SELECT json_valid(?1) AND json_extract(?1, '$.kvm_intel.' || ?2) = ?3");
	if (!rc)
		sqlite3_bind_int64(stmt, 1, run->id);
	while (!rc && (rc = db_step(app, stmt)) > 0)
		rc = take_reason(app, stmt, find, caps, reasons, count);
	sqlite3_finalize(stmt);
	sqlite3_finalize(find);
	return rc;
}
