/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * app.h - what every command shares: options, the database, the run, errors
 *
 * Functions return 0 or -1; with -1 the reason is in app->error, one line that
 * main() prints. Nothing but main.c and out.c writes to a terminal.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_APP_H
#define EXITSCOPE_ANALYZER_QUERY_APP_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum out_format { OUT_TABLE, OUT_CSV, OUT_JSON };

/* Options that a command takes beside its own (struct cmd.options). */
#define OPT_FILTER 0x001U /* --run --vm --vcpu --reason --from --to */
#define OPT_FORMAT 0x002U /* --format --cycles */
#define OPT_SORT   0x004U /* --sort */
#define OPT_BY	   0x008U /* --by */
#define OPT_LIMIT  0x010U /* --limit */
#define OPT_EXACT  0x020U /* --exact */
#define OPT_OUTPUT 0x040U /* --output */
#define OPT_RUN	   0x080U /* --run alone */
#define OPT_CYCLES 0x100U /* --cycles, without --format */
#define OPT_OWN_DB 0x200U /* the command opens --db itself, if it needs it */

#define REASONS_MAX 64

/* One name=value option of a command of its own (struct cmd.extra). */
struct extra_option {
	const char *name; /* without the dashes; NULL ends the list */
	bool has_value;
	const char *help;
};

#define EXTRA_MAX 8

/*
 * struct options - the command line, parsed
 * @from_ns, @to_ns: --from and --to, ns since the run's start; -1: not given
 * @limit: most rows; -1: not given, 0: all
 * @reason: what --reason names, as given, in pieces
 * @extra: values of struct cmd.extra, by index; NULL: not given, "" for a flag
 * @words: words that are no options
 */
struct options {
	const char *db;
	const char *run;
	const char *vm;
	const char *vcpu;
	char *reason[REASONS_MAX];
	unsigned int reasons;
	int64_t from_ns;
	int64_t to_ns;
	enum out_format format;
	bool cycles;
	const char *sort;
	const char *by;
	int64_t limit;
	bool exact;
	const char *output;
	const char *extra[EXTRA_MAX];
	char **words;
	int n_words;
};

/* One vCPU of the run that passes the filter. */
struct vcpu_ref {
	int64_t id; /* vcpu.id of the database */
	int64_t vm; /* vm.id */
	int64_t vcpu_id;
};

/*
 * struct run - the run that a command works on, with its filter
 * @length_cycles: from the start to the end, or to the last exit while it lasts
 * @from, @to: cycles since the start, from <= time < to; the whole run unless
 *	--from or --to was given
 * @grid_cycles: intervals that both exit_rollup and exit_hist can be cut at
 * @coarse: exit_rollup_coarse and exit_hist_total are there
 * @rows_from: what run_rows() moved @from to, 0: nothing
 * @reason: reason keys (see reason_key()) to look at; none: all
 */
struct run {
	int64_t id;
	char *label;
	char *state;
	char *environment;
	char *source;
	char *ept; /* as sysfs shows kvm_intel.ept; "": unknown */
	int isa;
	int64_t tsc_khz;
	int64_t tsc_start;
	int64_t length_cycles;
	int64_t rollup_cycles;
	int64_t hist_cycles;
	int64_t grid_cycles;
	bool coarse;
	int has_raw;
	int has_split;
	int64_t exits;
	int64_t dropped;
	int64_t filtered;
	int64_t unread;
	int64_t from;
	int64_t to;
	int64_t rows_from;
	struct vcpu_ref *vcpus;
	unsigned int n_vcpus;
	int64_t reason[REASONS_MAX];
	unsigned int reasons;
};

struct app {
	struct options opt;
	sqlite3 *db;
	bool written; /* a collector has the file open */
	struct run run;
	char error[512];
};

/* One command. @run prints through out.h; @options: OPT_*; @words: how many
 * words it takes at most.
 */
struct cmd {
	const char *name;
	const char *summary;
	const char *usage; /* options and arguments of its own, one line */
	const char *help;  /* what it shows, and examples */
	unsigned int options;
	int words;
	const struct extra_option *extra;
	int (*run)(struct app *app);
};

/* Set app->error; always -1. */
__attribute__((format(printf, 2, 3))) int app_fail(struct app *app, const char *format, ...);

/* Set app->error to what SQLite says about app->db; always -1. */
int app_fail_sql(struct app *app);

/* cycles as ns, at @tsc_khz; no overflow for any cycles >= 0. */
static inline int64_t cycles_to_ns(int64_t cycles, int64_t tsc_khz)
{
	return cycles / tsc_khz * 1000000 + cycles % tsc_khz * 1000000 / tsc_khz;
}

/* ns as cycles; the other way round. */
static inline int64_t ns_to_cycles(int64_t ns, int64_t tsc_khz)
{
	return ns / 1000000 * tsc_khz + ns % 1000000 * tsc_khz / 1000000;
}

#endif
