// SPDX-License-Identifier: GPL-2.0-only
/* verdict.c - collects what the judge finds */
#include "testbed/witness/verdict.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const struct {
	const char *word;
	const char *text;
} faults[FAULTS] = {
	[FAULT_UNPAIRED] = {"unpaired",
			    "entries or exits that the witness saw without their other half"},
	[FAULT_LOST] = {"lost", "exits that did not fit in the witness's file"},
	[FAULT_BACKWARDS] = {"backwards", "exits at which the CPU's own TSC goes backwards"},

	[FAULT_NO_EXIT] = {"no_exit", "records without an exit of the CPU"},
	[FAULT_TWO_RECORDS] = {"two_records", "records of an exit that has a record already"},
	[FAULT_ORDER] = {"order", "records in another order than the exits"},
	[FAULT_MISSING] = {"missing",
			   "gaps in seq that differ from the exits without a record there"},
	[FAULT_COUNT] = {"count", "vCPUs with more or fewer exits than are recorded and counted"},
	[FAULT_ROWS] = {"rows", "vCPUs with another number of rows than recorded exits"},
	[FAULT_VCPU] = {"vcpu", "records that give an exit to another vCPU than their neighbours"},
	[FAULT_NESTED] = {"nested",
			  "records that are marked nested unlike others of their VMCS or VMCB"},
	[FAULT_UNKNOWN_VM] = {"unknown_vm", "exits of VMs without a record while recording"},

	[FAULT_REASON] = {"reason", "records with another reason"},
	[FAULT_RIP] = {"rip", "records with another RIP"},
	[FAULT_INFO1] = {"info1", "records with another qualification (EXITINFO1)"},
	[FAULT_INFO2] = {"info2",
			 "records with another info2 (IDT-vectoring information, EXITINFO2)"},
	[FAULT_INTR_INFO] = {"intr_info", "records with another interruption information"},
	[FAULT_ERROR_CODE] = {"error_code", "records with another error code"},
	[FAULT_KEY] = {"key", "records with another key"},
	[FAULT_KEY_AUX] = {"key_aux", "records with another second part of the key"},
	[FAULT_CR3] = {"cr3", "records with another CR3"},

	[FAULT_END] = {"end", "records that end after the vCPU's next entry"},
	[FAULT_NO_ENTRY] = {"no_entry",
			    "records that end without an entry, or before one that they deny"},
	[FAULT_AFTER_EXIT] =
		{"after_exit",
		 "recordings whose stamps lie too far from the exit, or not always as far"},
	[FAULT_BEFORE_ENTRY] =
		{"before_entry",
		 "recordings whose ends lie too far from the entry, or not always as far"},
	[FAULT_HANDLER] = {"handler", "records with handler time while the CPU ran other guests"},
};

const char *verdict_text(enum fault fault)
{
	return faults[fault].text;
}

const char *verdict_word(enum fault fault)
{
	return faults[fault].word;
}

void verdict_add(struct verdict *verdict, enum fault fault, const char *format, ...)
{
	struct finding *finding = &verdict->findings[fault];
	va_list args;

	if (finding->count++)
		return;

	va_start(args, format);
	vsnprintf(finding->first, sizeof(finding->first), format, args);
	va_end(args);
}

bool verdict_is_equal(const struct verdict *verdict)
{
	for (int i = 0; i < FAULTS; i++) {
		if (verdict->findings[i].count)
			return false;
	}
	return true;
}

static void spread_add(struct spread *spread, uint64_t distance)
{
	if (!spread->count++ || distance < spread->min)
		spread->min = distance;
	if (distance > spread->max)
		spread->max = distance;
	spread->sum += distance;
}

uint64_t spread_mean(const struct spread *spread)
{
	return spread->count ? spread->sum / spread->count : 0;
}

/* The distances of @reason; NULL: there are too many reasons. */
static struct distances *distances_of(struct verdict *verdict, uint32_t reason)
{
	uint32_t i = 0;

	while (i < verdict->reason_count && verdict->reasons[i].reason != reason)
		i++;
	if (i == DISTANCE_REASONS)
		return NULL;
	if (i == verdict->reason_count)
		verdict->reasons[verdict->reason_count++].reason = reason;
	return &verdict->reasons[i];
}

void verdict_add_after_exit(struct verdict *verdict, uint32_t reason, uint64_t distance)
{
	struct distances *of_reason = distances_of(verdict, reason);

	spread_add(&verdict->after_exit, distance);
	if (of_reason)
		spread_add(&of_reason->after_exit, distance);
}

void verdict_add_before_entry(struct verdict *verdict, uint32_t reason, uint64_t distance)
{
	struct distances *of_reason = distances_of(verdict, reason);

	spread_add(&verdict->before_entry, distance);
	if (of_reason)
		spread_add(&of_reason->before_entry, distance);
}
