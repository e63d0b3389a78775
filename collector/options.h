/* SPDX-License-Identifier: GPL-2.0-only */
/* options.h - the command line */
#ifndef EXITSCOPE_COLLECTOR_OPTIONS_H
#define EXITSCOPE_COLLECTOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/flight.h"
#include "collector/host/fault.h"
#include "collector/source/bpf/bpf.h"
#include "collector/source/choose/choose.h"
#include "collector/source/device.h"
#include "collector/source/trace/import/import.h"

/* struct options - what the command line says; a NULL string was not given */
struct options {
	/* where records come from */
	const char *from;	      /* --from; NULL: the device */
	const char *import;	      /* the word after "import" */
	enum import_kind import_kind; /* kind of that file, set once it was examined */
	enum source_choice source;    /* --source; what was chosen, once it was */
	char source_why[512];	      /* why it was chosen; empty: it was named */
	uint32_t ring_records;	      /* --ring-records; 0: default */
	bool counts_only;	      /* --counts-only */
	struct source_filter filter;  /* --reason, --min-time, --one-in */
	struct device_options device; /* --vm, --cr3 */
	uint32_t tsc_khz;	      /* --tsc-khz; 0: times of the import are ns */
	uint32_t run;		      /* --run: of leaf readings; 0: the last one */

	/* where they go */
	const char *db;	     /* --db */
	const char *capture; /* --capture */
	const char *label;   /* --label */
	bool raw;	     /* each exit is stored; false: --no-raw */
	bool compact;	     /* in chunks instead of rows */
	int64_t keep_ns;     /* --keep-raw; 0: all rows */
	uint32_t keep_rows;  /* --keep-rows; 0: all */
	uint32_t rollup_ms;  /* --rollup: interval of the sums; 0: 100 ms */
	int64_t flush_ns;    /* --flush: longest time between two transactions */

	/* which rows there are: --trigger, --before, --after; .count 0: all */
	struct flight_options flight;
	bool has_around; /* --before or --after was given */

	/* who may ask while it records */
	const char *listen; /* --listen; NULL: nobody */
	bool listen_public; /* --listen-public */

	/* when to end */
	int64_t duration_ns; /* --duration; 0: no limit */
	char **command;	     /* the words after the options; NULL: none */

	/* the cross-check */
	bool cross_check;	  /* --cross-check */
	uint32_t trace_buffer_kb; /* --trace-buffer, KiB per CPU; 0: default */

	/* what to do instead of recording */
	bool check_host;
	bool help;
	bool version;
};

/**
 * options_parse - parse the command line
 * @options: filled in; its strings point into @argv
 * @fault: why not, in words
 *
 * With help, version or check_host set nothing else is checked.
 *
 * Return: 0 or -EINVAL.
 */
int options_parse(struct options *options, int argc, char **argv, struct fault *fault);

/**
 * options_check_chosen - refuse options that the source has no use for which was chosen
 * @options: with .source set to the best one of this host
 * @fault: which option, and why
 *
 * options_parse() has refused those that do not go together with a source that is named.
 *
 * Return: 0 or -EINVAL.
 */
int options_check_chosen(const struct options *options, struct fault *fault);

/* Prints what --help shows. */
void options_print_help(FILE *file);

#endif
