/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * app.h - what every question shares: the database, the filter, the run, errors
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

#include "sql/compact/exit_rows.h"

#define REASONS_MAX 64

struct regions;
struct processes;

/*
 * struct filter - which run, and which exits of it
 * @run: a run's number or label; NULL: the last one
 * @vm: VMs' numbers, process ids of their VMMs, names and patterns, such as "1,3-5,web-*";
 *	NULL: all
 * @vcpu: vCPUs' ids, such as "0,2-3"; NULL: all
 * @reason: numbers and names with commas between them; with '!' before each: all
 *	others; NULL: all
 * @from_ns, @to_ns: ns since the run's start, from <= time < to; -1: not given
 */
struct filter {
	const char *run;
	const char *vm;
	const char *vcpu;
	const char *reason;
	int64_t from_ns;
	int64_t to_ns;
};

/*
 * Which single exits a run still has; run.has_raw of the database. RAW_EVENTS: those around
 * events (collector --trigger), with gaps everywhere.
 */
enum raw_rows { RAW_NONE, RAW_ALL, RAW_LAST, RAW_EVENTS };

/*
 * One vCPU of the run that passes the filter.
 * @id, @vm: vcpu.id and vm.id of the database
 * @begin, @end: its life within the run, in cycles since the start. It begins with the
 *	first exit where the recording saw that one, and ends where it was destroyed.
 */
struct vcpu_ref {
	int64_t id;
	int64_t vm;
	int64_t vcpu_id;
	int64_t begin;
	int64_t end;
};

/* Whether a guest uses Hyper-V's interface; see hypercalls.h. */
enum hyperv { HYPERV_NOT_READ, HYPERV_SEEN, HYPERV_NOT_SEEN };

/*
 * struct run - the run that a command works on, with its filter
 *
 * What was recorded:
 * @id: run.id of the database
 * @label: its name; @command: the recorded command, "": none
 * @state: "recording", "complete" or "interrupted"; "recording" only while a collector writes it
 * @environment: "metal", "vm", "emulated" or "unknown"
 * @source: "device", "bpf", "capture", "tracefs", "perf.data", "trace.dat" or "text"
 * @isa: KVM_EXIT_ISA_*: 1 VMX, 2 SVM
 * @tsc_khz: TSC frequency in kHz, above 0; 1000000 where times are ns
 * @tsc_start: TSC at the start, in cycles
 * @length_cycles: from the start to the end, or to the last exit while it lasts
 *
 * What the file has of it:
 * @rollup_cycles, @hist_cycles: length of an interval of exit_rollup and of exit_hist, in cycles,
 *	above 0; the second is a multiple of the first
 * @grid_cycles: intervals that both exit_rollup and exit_hist can be cut at
 * @coarse: exit_rollup_coarse and exit_hist_total are there
 * @has_raw: which single exits are there
 * @rows_start_cycles: where the rows begin, in cycles since the start, if the first ones were
 *	removed; else 0
 * @events, @kept_rows: RAW_EVENTS: exits that met a trigger, exits that have rows; -1: unknown, as
 *	long as the run has not ended
 * @has_split: the parts of the exits' time are known
 *
 * Numbers of exits, of the whole time of the run whatever the window:
 * @exits: recorded, with rows or not
 * @dropped: not recorded (the ring was full, or no ring was there), with @unseen
 * @filtered: left out by the filter of the recording
 * @unread: of vCPUs before their recording began; valid with run_knows_unread() only
 * @shown_exits, @shown_dropped, @shown_filtered, @shown_unread: the same of the vCPUs that pass
 *	--vm and --vcpu
 * @has_totals: KVM's totals say of which reasons the dropped exits were
 *
 * What is asked for:
 * @filter: the options
 * @from, @to: the window, cycles since the start, from <= time < to; the whole run
 *	unless --from or --to was given
 * @by_rows: the window is exact and read from rows
 * @first_row, @last_row: by_rows: all rows of the window have rowids from here to there
 * @widened: there are no rows for the window: it was moved out to whole intervals
 * @follows: the window is that of a run that this one is compared with, which is @widened
 * @vms, @vcpus: all VMs of the run; the vCPUs that pass the filter
 * @regions, @processes: what the guest's addresses and page tables are called (--memory-map,
 *	--cr3-names; set by the command); NULL: no map, no names
 * @reason: reason keys (see reason_key()); none: all
 * @reasons_excluded: all but these
 */
struct run {
	int64_t id;
	char *label;
	char *state;
	char *environment;
	char *source;
	char *command;
	char *ept; /* as sysfs shows kvm_intel.ept; "": unknown */
	int isa;
	int64_t tsc_khz;
	int64_t tsc_start;
	int64_t length_cycles;

	int64_t rollup_cycles;
	int64_t hist_cycles;
	int64_t grid_cycles;
	bool coarse;
	enum raw_rows has_raw;
	int64_t rows_start_cycles;
	int64_t events;
	int64_t kept_rows;
	bool has_split;
	bool has_polled; /* the polled part of the halted time is known */

	/* of the whole run, and of the vCPUs that pass the filter */
	int64_t exits;
	int64_t dropped;
	int64_t filtered;
	int64_t unread;
	int64_t unseen;	      /* of dropped: those of vCPUs that are not in the recording */
	int64_t shown_unseen; /* 0 if the filter is for VMs or vCPUs */
	int64_t shown_exits;
	int64_t shown_dropped;
	bool window_is_complete; /* no dropped exit of the vCPUs shown began in the window */
	/* dropped exits of the window; window_lost_most -1: the window is the run, or it is unknown
	 */
	int64_t window_lost_least;
	int64_t window_lost_most;
	int64_t shown_filtered;
	int64_t shown_unread;
	bool has_totals;
	bool no_durations;	/* only counts: all cycles are 0 and mean nothing */
	bool is_counted;	/* without records: min and max are limits of buckets */
	bool dropped_estimated; /* how many were dropped is an estimate */

	struct filter filter;
	int64_t from;
	int64_t to;
	bool by_rows;
	int64_t first_row;
	int64_t last_row;
	bool widened;
	bool follows;
	struct vm_ref *vms; /* all of the run, by id; see vms.h */
	unsigned int n_vms;
	struct vcpu_ref *vcpus;
	unsigned int n_vcpus;
	const struct regions *regions;
	const struct processes *processes;
	enum hyperv hyperv;
	int64_t reason[REASONS_MAX];
	unsigned int reasons;
	bool reasons_excluded;
};

/*
 * struct app - a database and what is asked of it
 * @path: of the database; begins the messages about it
 * @status: exit status of a command that succeeded; other than 0 for a command that says
 *	so in its help
 */
struct app {
	const char *path;
	struct filter filter;
	sqlite3 *db;
	bool written; /* a collector has the file open */

	/* Chunks that can't be read: their exits are left out, and main.c says so. */
	int64_t *damaged; /* their ids */
	size_t n_damaged;
	int64_t damaged_exits;
	struct exit_rows_damage on_damage;
	bool has_chunks; /* some exits of the file are in chunks */

	struct run run;
	int status;
	char error[512];
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
