/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run_info.h - what is known about a recording in addition to its records
 *
 * A capture file carries it along, so that the run in the database describes
 * the machine of the recording and not the one that read the file.
 */
#ifndef EXITSCOPE_COLLECTOR_HOST_RUN_INFO_H
#define EXITSCOPE_COLLECTOR_HOST_RUN_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "sql/store/store.h"

/* The texts of table run, each under its column's name; then those of other tables. */
enum run_text {
	RUN_LABEL,
	RUN_ENVIRONMENT,
	RUN_COMMAND,
	RUN_HOST,
	RUN_KERNEL,
	RUN_CPU_MODEL,
	RUN_MICROCODE,
	RUN_EPT,
	RUN_VPID,
	RUN_UNRESTRICTED_GUEST,
	RUN_NESTED,
	RUN_MODULE_PARAMETERS,
	RUN_FEATURES, /* KVM_EXIT_FEAT_* as a number, 0x..., of a source that fills in records */
	RUN_VMX_CAPS, /* table vmx_capability, as in vmx_msrs.h */
	RUN_TEXTS
};

extern const char *const run_text_names[RUN_TEXTS];

struct run_info {
	char *text[RUN_TEXTS]; /* NULL: unknown */
	uint32_t isa;	       /* KVM_EXIT_ISA_* */
	uint32_t tsc_khz;      /* 0: not known yet */
	bool unsplit;	       /* the parts of the records' cycles are unknown */
	bool untimed;	       /* the records have no durations, their cycles are 0 */
	uint64_t tsc_start;    /* TSC cycles */
	uint64_t tsc_end;
	int64_t started_ns; /* CLOCK_REALTIME, ns since 1970 */
	int64_t ended_ns;
};

/* Copies @text (NULL: forget). Without memory the text stays unknown. */
void run_info_set(struct run_info *info, enum run_text which, const char *text);

/* Notes which fields of a record the source fills in: KVM_EXIT_FEAT_*. */
void run_info_set_features(struct run_info *info, uint64_t features);

/* As a run of the store; the texts stay @info's. */
struct store_run run_info_store(const struct run_info *info, const char *source, bool raw);

void run_info_free(struct run_info *info);

#endif
