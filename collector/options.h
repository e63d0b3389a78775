/* SPDX-License-Identifier: GPL-2.0-only */
/* options.h - the command line */
#ifndef EXITSCOPE_COLLECTOR_OPTIONS_H
#define EXITSCOPE_COLLECTOR_OPTIONS_H

#include <stdint.h>

#include "collector/host/fault.h"
#include "collector/source/bpf/bpf.h"
#include "collector/source/choose/choose.h"
#include "collector/source/source.h"
#include "collector/source/trace/trace.h"

struct options {
	const char *db;		      /* --db; NULL: none */
	const char *label;	      /* --label */
	const char *capture;	      /* --capture */
	const char *import;	      /* after "import"; NULL: none */
	enum import_kind import_kind; /* what the file is, once it was looked at */
	uint32_t tsc_khz;	      /* --tsc-khz; 0: times of the import are ns */
	uint32_t run;		      /* --run: of leaf readings; 0: the last one */
	enum source_choice source;    /* --source */
	uint32_t ring_records;	      /* --ring-records; 0: default */
	int counts_only;	      /* --counts-only */
	const char *from;	      /* --from; NULL: the device */
	int64_t duration_ns;	      /* --duration; 0: no limit */
	int64_t flush_ns;	      /* --flush */
	int raw;		      /* 0: --no-raw */
	int64_t keep_ns;	      /* --keep-raw; 0: all rows */
	int cross_check;	      /* --cross-check */
	uint32_t trace_buffer_kb;     /* --trace-buffer, KiB per CPU; 0: default */
	struct device_options device; /* --vm, --cr3 */
	char **command;		      /* after the options; NULL: none */
	int check_host;
	int help;
	int version;
};

extern const char options_help[];

/* -EINVAL with words in @fault. */
int options_parse(struct options *options, int argc, char **argv, struct fault *fault);

#endif
