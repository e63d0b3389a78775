// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - parses the command line
 *
 * One row of table rows[] is all there is to an option: its name, what the help calls its
 * value, how it is set and its help. The help and the list for getopt_long() are made from it.
 */
#include "collector/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "collector/help.h"

/* The option texts begin in this column and end before column 80. */
#define HELP_INDENT 20
#define HELP_WIDTH  80

/* --keep-rows with --trigger: a file of some 100 MB at most. */
#define TRIGGER_ROWS 2000000

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* "10s" and the like in ns, at least 1; a bare number is seconds. */
static int parse_duration(const char *name, const char *text, int64_t *ns, struct fault *fault)
{
	int64_t value;

	if (units_parse_ns(text, &value) || value < 1)
		return fault_set(fault, -EINVAL,
				 "--%s %s: not a duration (examples: 500ms, 10s, 5m)", name, text);
	*ns = value;
	return 0;
}

/* A whole number from @least to @most; false: it isn't one. */
static bool parse_digits(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
	int64_t value;

	if (units_parse_whole(text, least, most, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

/* A number from 1 to INT32_MAX; @what: what it is, for the message. */
static int parse_number(const char *name, const char *text, const char *what, uint32_t *number,
			struct fault *fault)
{
	if (!parse_digits(text, 1, INT32_MAX, number))
		return fault_set(fault, -EINVAL, "--%s %s: not %s", name, text, what);
	return 0;
}

/* A setter gets the value, NULL for an option without one. */
#define SETTER(field)                                                                              \
	static int set_##field(struct options *o, const char *value, struct fault *fault)

#define TEXT_SETTER(field)                                                                         \
	SETTER(field)                                                                              \
	{                                                                                          \
		(void)fault;                                                                       \
		o->field = value;                                                                  \
		return 0;                                                                          \
	}

#define FLAG_SETTER(name, assignment)                                                              \
	SETTER(name)                                                                               \
	{                                                                                          \
		(void)value;                                                                       \
		(void)fault;                                                                       \
		assignment;                                                                        \
		return 0;                                                                          \
	}

TEXT_SETTER(db)
TEXT_SETTER(capture)
TEXT_SETTER(from)
TEXT_SETTER(label)
TEXT_SETTER(listen)

FLAG_SETTER(no_raw, o->raw = false)
FLAG_SETTER(compact, o->compact = true)
FLAG_SETTER(cr3, o->device.cr3 = true)
FLAG_SETTER(listen_public, o->listen_public = true)
FLAG_SETTER(cross_check, o->cross_check = true)
FLAG_SETTER(counts_only, o->counts_only = true)
FLAG_SETTER(check_host, o->check_host = true)
FLAG_SETTER(help, o->help = true)
FLAG_SETTER(version, o->version = true)

SETTER(source)
{
	if (!strcmp(value, "device")) { /* the ring's name until there was bpf */
		o->source = SOURCE_RING;
		return 0;
	}

	for (int i = SOURCE_BEST; i <= SOURCE_TRACEFS; i++) {
		if (strcmp(value, source_choice_names[i]))
			continue;
		o->source = (enum source_choice)i;
		return 0;
	}
	return fault_set(fault, -EINVAL, "--source %s: not a source (best, ring, bpf, tracefs)",
			 value);
}

SETTER(ring_records)
{
	int rc =
		parse_number("ring-records", value, "a number of records", &o->ring_records, fault);

	if (rc)
		return rc;
	if (o->ring_records < BPF_RING_LEAST || o->ring_records > BPF_RING_MOST ||
	    o->ring_records & (o->ring_records - 1))
		return fault_set(fault, -EINVAL,
				 "--ring-records %s: not a power of two from %u to %u", value,
				 BPF_RING_LEAST, BPF_RING_MOST);
	return 0;
}

SETTER(reason)
{
	if (source_filter_parse(&o->filter, value))
		return fault_set(
			fault, -EINVAL,
			"--reason %s: not a list of at most %d exit reasons (example: 30,0x400)",
			value, SOURCE_FILTER_REASONS);
	return 0;
}

SETTER(min_time)
{
	return parse_duration("min-time", value, &o->filter.min_ns, fault);
}

SETTER(one_in)
{
	return parse_number("one-in", value, "a number from 1 on", &o->filter.one_in, fault);
}

SETTER(run)
{
	return parse_number("run", value, "the number of a run", &o->run, fault);
}

SETTER(tsc_khz)
{
	return parse_number("tsc-khz", value, "a frequency in kHz", &o->tsc_khz, fault);
}

SETTER(duration)
{
	return parse_duration("duration", value, &o->duration_ns, fault);
}

SETTER(flush)
{
	return parse_duration("flush", value, &o->flush_ns, fault);
}

/* The histograms are of a second each: theirs must be a whole number of these. */
SETTER(rollup)
{
	int64_t ns = 0;
	int rc = parse_duration("rollup", value, &ns, fault);

	if (rc)
		return rc;
	if (ns < 100000000 || ns % 1000000 || 1000000000 % ns)
		return fault_set(
			fault, -EINVAL,
			"--rollup %s: not a part of a second from 100ms on (100ms, 125ms, 200ms, 250ms, 500ms or 1s)",
			value);
	o->rollup_ms = (uint32_t)(ns / 1000000);
	return 0;
}

SETTER(keep_raw)
{
	return parse_duration("keep-raw", value, &o->keep_ns, fault);
}

SETTER(keep_rows)
{
	return parse_number("keep-rows", value, "a number of rows", &o->keep_rows, fault);
}

SETTER(trigger)
{
	if (o->flight.count == TRIGGERS)
		return fault_set(fault, -EINVAL, "--trigger %s: more than %d triggers", value,
				 TRIGGERS);
	return trigger_parse(&o->flight.trigger[o->flight.count++], value, fault);
}

/* --before and --after, which may be 0. */
static int parse_exits(const char *name, const char *text, uint32_t *number, struct fault *fault)
{
	if (!parse_digits(text, 0, FLIGHT_AROUND_MOST, number))
		return fault_set(fault, -EINVAL, "--%s %s: not a number of exits up to %u", name,
				 text, FLIGHT_AROUND_MOST);
	return 0;
}

SETTER(before)
{
	o->has_around = true;
	return parse_exits("before", value, &o->flight.before, fault);
}

SETTER(after)
{
	o->has_around = true;
	return parse_exits("after", value, &o->flight.after, fault);
}

SETTER(vm)
{
	if (!*value)
		return fault_set(fault, -EINVAL, "--vm: the name of the VM is empty");
	if (isdigit((unsigned char)*value) && !value[strspn(value, "0123456789")])
		return parse_number("vm", value, "a process id", &o->device.tgid, fault);
	o->device.vm = value;
	return 0;
}

SETTER(trace_buffer)
{
	return parse_number("trace-buffer", value, "a number of KiB", &o->trace_buffer_kb, fault);
}

/*
 * struct option_row - an option
 * @name:	without "--"
 * @value:	what the help calls its value; NULL: it has none
 * @set:	NULL: not an option, but the first word of the command line
 * @help:	one sentence or more; the help wraps it
 */
struct option_row {
	const char *name;
	const char *value;
	int (*set)(struct options *o, const char *value, struct fault *fault);
	const char *help;
};

/* clang-format off */
static const struct option_row rows[] = {
	{"db", "FILE", set_db, "run database; a file that has runs gets one more"},
	{"capture", "FILE", set_capture,
	 "write what comes off the device to a new file, gzip-compressed if its name ends in .gz; with or without --db"},
	{"from", "FILE", set_from, "read such a capture instead of the device"},
	{"source", "NAME", set_source,
	 "where records come from: ring (our kvm.ko), bpf (any kernel with BTF, from 6.1 on: nothing is installed, VMs keep running; times are taken at the tracepoints), tracefs (no parts of the time, no flags, exits may be lost: --trace-buffer; it mounts /sys/kernel/tracing if nobody has, and leaves it mounted); best: the first that this host has (default)"},
	{"ring-records", "N", set_ring_records,
	 "bpf: records per vCPU until they are read, 192 bytes each; a power of two from 1024 to 4194304 (65536, or fewer where memory is short)"},
	{"reason", "N,...", set_reason,
	 "bpf: record exits of these reasons only, by their numbers in the manuals, at most 32 of them (30,0x400); what this and the next two leave out is counted as filtered"},
	{"min-time", "TIME", set_min_time, "bpf: record exits of at least TIME only"},
	{"one-in", "N", set_one_in, "bpf: record each N-th of those that pass the rest"},
	{"counts-only", NULL, set_counts_only,
	 "bpf: counts, times and histograms of durations by vCPU and reason, made in the kernel; no records: the least cost; sums of 1s each (--rollup)"},
	{"import", "TRACE", NULL,
	 "a recording of another tool: perf.data (perf kvm stat record, perf record), trace.dat (trace-cmd record), or what ftrace, trace-cmd report or perf script printed of kvm_exit and kvm_entry; kvm_exit alone gives counts without durations; ~ marks an estimate of what the recording has lost; a text with CPUID leaves that a guest read (leaf_reader --raw, cpuid -r) is added to the last run, or --run N, for analyzer verify"},
	{"run", "N", set_run, "import of CPUID leaves: the run that they belong to (the last)"},
	{"tsc-khz", "N", set_tsc_khz,
	 "import: times of the recording are TSC cycles at N kHz (clock x86-tsc)"},
	{"label", "TEXT", set_label,
	 "name of the run (else COMMAND, the label of the capture or the name of the imported file; else \"run N\")"},
	{"duration", "TIME", set_duration,
	 "stop after TIME: 500ms, 10s, 5m, 2h, 3d; a bare number is seconds"},
	{"flush", "TIME", set_flush, "time between two transactions (200ms)"},
	{"compact", NULL, set_compact,
	 "exits in chunks instead of rows: 0.8 to 8 bytes each instead of 50; every command of analyzer reads both, other programs need exitscope's SQLite extension for chunks (analyzer expand makes rows of them)"},
	{"no-raw", NULL, set_no_raw, "roll-ups and histograms only, no single exits"},
	{"rollup", "TIME", set_rollup,
	 "roll-ups are sums of TIME each: 100ms (default), 125ms, 200ms, 250ms, 500ms or 1s; 500ms or 1s take less space with --no-raw, and analyzer timeline is no finer"},
	{"keep-raw", "TIME", set_keep_raw,
	 "single exits of the last TIME only (roll-ups stay complete); with --compact whole chunks, so some older ones stay, too"},
	{"keep-rows", "N", set_keep_rows,
	 "rows of the last N exits only (with --trigger: 2000000)"},
	{"trigger", "EXPRESSION", set_trigger,
	 "flight recorder: rows only of exits around events; roll-ups stay complete; an event is an exit that meets EXPRESSION: conditions, with commas between them, such as 'busy > 1ms' or 'reason = EPT_VIOLATION, ns >= 200us', of ns, busy (ns without halted), handler, halted, userspace, preempted, reason, key, vcpu; again for one more kind of event"},
	{"before", "N", set_before,
	 "with --trigger: keep the last N exits of each vCPU of the event's VM (10000; 0 to 1000000); 192 bytes of memory each"},
	{"after", "N", set_after,
	 "with --trigger: keep N exits of each after the event (1000; 0 to 1000000)"},
	{"vm", "VM", set_vm,
	 "only this VM: its name, patterns of names (web-*,db-?) or the id of the process that made it"},
	{"listen", "ADDRESS", set_listen,
	 "answer http://ADDRESS/metrics for Prometheus while it records, with or without --db: exits by VM and reason, their time and durations; such as 127.0.0.1:9925 or [::1]:9925; who can connect can read the names of the VMs"},
	{"listen-public", NULL, set_listen_public,
	 "--listen may be an address that other machines reach; there is no password and no encryption"},
	{"cross-check", NULL, set_cross_check,
	 "count the same exits by tracepoints (tracefs), perf and KVM's statistics too: see analyzer verify"},
	{"trace-buffer", "N", set_trace_buffer,
	 "with --cross-check or --source tracefs: trace buffer per CPU in KiB (16384); tracefs has a second one of that size for sub-keys"},
	{"cr3", NULL, set_cr3, "record the guest's CR3 too"},
	{"check-host", NULL, set_check_host,
	 "show what this host lacks for each source, and the way out; exit status 0 if it has one"},
	{"help", NULL, set_help, "show this help"},
	{"version", NULL, set_version, "show the version"},
};
/* clang-format on */

/* Prints @text from column HELP_INDENT on; the line is filled up to @column already. */
static void print_wrapped(FILE *file, int column, const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column > HELP_INDENT && column + 1 + length >= HELP_WIDTH) {
			fputc('\n', file);
			column = 0;
		}
		if (column < HELP_INDENT)
			column += fprintf(file, "%*s", HELP_INDENT - column, "");
		else
			column += fprintf(file, " ");

		column += fprintf(file, "%.*s", length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', file);
}

void options_print_help(FILE *file)
{
	fputs(help_head, file);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct option_row *row = &rows[i];
		int column = fprintf(file, "  ");

		if (row->set == set_help)
			column += fprintf(file, "-h, ");
		column += fprintf(file, "%s%s", row->set ? "--" : "", row->name);
		if (row->value)
			column += fprintf(file, " %s", row->value);

		/* At least two blanks: options.awk finds the text by them. */
		column += fprintf(file, "  ");
		print_wrapped(file, column, row->help);
	}
	fputs(help_tail, file);
}

/* Options that don't go together: whether they were given, and what the user reads then. */
struct conflict {
	bool is_given;
	const char *text;
};

/* Refuses the first conflict that was given. */
static int refuse_conflict(const struct conflict *conflicts, size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (conflicts[i].is_given)
			return fault_set(fault, -EINVAL, "%s", conflicts[i].text);
	return 0;
}

/* --rollup with --counts-only. */
#define COUNTS_MS 1000U

static int check_sources(const struct options *o, struct fault *fault)
{
	const bool is_file = o->from || o->import;
	const bool has_vm = o->device.tgid || o->device.vm;
	const bool is_of_live = o->duration_ns || has_vm || o->device.cr3;
	const bool is_of_bpf = o->ring_records || o->counts_only || source_filter_is_on(&o->filter);

	const struct conflict conflicts[] = {
		{o->import && o->from, "import and --from: use one of them"},
		{(o->run || o->tsc_khz) && !o->import, "--run and --tsc-khz: only with import"},
		{o->cross_check && (is_file || !o->db),
		 "--cross-check: only for recordings from the device into --db"},
		{o->source != SOURCE_BPF && is_of_bpf,
		 "--ring-records, --reason, --min-time, --one-in and --counts-only: only with --source bpf"},
		{o->source && is_file, "--source: not with --from or import"},
		{o->trace_buffer_kb && !o->cross_check &&
			 (is_file || o->source == SOURCE_RING || o->source == SOURCE_BPF),
		 "--trace-buffer: only with --cross-check or --source tracefs"},
		{o->source == SOURCE_TRACEFS &&
			 (o->cross_check || o->capture || has_vm || o->device.cr3),
		 "--source tracefs: not with --cross-check, --capture, --vm or --cr3"},
		{o->from && is_of_live,
		 "--from: --duration, --vm and --cr3 are for recordings from the device"},
		{o->import && is_of_live,
		 "import: --duration, --vm and --cr3 are for recordings from the device"},
	};

	return refuse_conflict(conflicts, COUNT(conflicts), fault);
}

int options_check_chosen(const struct options *o, struct fault *fault)
{
	const bool is_least = o->source == SOURCE_TRACEFS;

	const struct conflict conflicts[] = {
		{is_least && (o->device.tgid || o->device.vm),
		 "--vm: this host has only tracefs, which records all VMs (collector --check-host)"},
		{is_least && o->device.cr3,
		 "--cr3: this host has only tracefs, which does not know it (collector --check-host)"},
		{is_least && o->cross_check,
		 "--cross-check: this host has only tracefs, and it compares the ring or bpf with that (collector --check-host)"},
		{is_least && o->capture,
		 "--capture: this host has only tracefs, which makes no captures (collector --check-host)"},
	};

	return refuse_conflict(conflicts, COUNT(conflicts), fault);
}

static int check_rows(const struct options *o, struct fault *fault)
{
	const bool has_trigger = o->flight.count;
	const bool is_of_db = o->rollup_ms || o->compact || o->keep_ns || o->keep_rows || !o->raw;

	const struct conflict conflicts[] = {
		{!o->raw && has_trigger, "--no-raw and --trigger: use one of them"},
		{!o->raw && o->keep_rows, "--no-raw and --keep-rows: use one of them"},
		{!o->raw && o->compact, "--no-raw and --compact: use one of them"},
		{!o->raw && o->keep_ns, "--no-raw and --keep-raw: use one of them"},
		{o->compact && has_trigger,
		 "--compact and --trigger: use one of them (it keeps rows, which are few)"},
		{o->compact && o->keep_rows,
		 "--compact and --keep-rows: use one of them (it keeps rows, which are few)"},
		{o->has_around && !has_trigger, "--before and --after: only with --trigger"},
		{has_trigger && (!o->db || o->capture),
		 "--trigger: with --db, and without --capture"},
		{has_trigger && o->counts_only, "--trigger and --counts-only: use one of them"},
		{o->counts_only && (o->capture || o->cross_check || o->device.cr3),
		 "--counts-only: not with --capture, --cross-check or --cr3, which are about single exits"},
		{o->counts_only && (o->filter.min_ns || o->filter.one_in),
		 "--counts-only: not with --min-time or --one-in: its histograms are of all exits"},
		{o->counts_only && (o->compact || o->keep_ns || o->keep_rows),
		 "--counts-only: not with --compact, --keep-raw or --keep-rows: it has no single exits"},
		{is_of_db && !o->db,
		 "--rollup, --compact, --keep-raw, --keep-rows and --no-raw are for a database (use --db FILE)"},
	};

	return refuse_conflict(conflicts, COUNT(conflicts), fault);
}

static int check_files(const struct options *o, struct fault *fault)
{
	const struct conflict conflicts[] = {
		{!o->db && !o->capture && !o->listen,
		 "no file to record into (--db FILE; see collector --help)"},
		{o->listen_public && !o->listen, "--listen-public: only with --listen"},
		{o->db && !*o->db, "--db: the name of the file is empty"},
	};
	int rc = refuse_conflict(conflicts, COUNT(conflicts), fault);

	return rc ? rc : check_rows(o, fault);
}

/*
 * What getopt_long() could not use: @option is ':' or '?'. A short option that is unknown
 * may be one of several in its word, so the letter is named.
 */
static int refuse(int option, const char *word, struct fault *fault)
{
	int length = (int)strcspn(word, "=");

	if (option == ':')
		return fault_set(fault, -EINVAL, "%s: needs a value (collector --help)", word);
	if (optopt > 0 && optopt <= (int)COUNT(rows))
		return fault_set(fault, -EINVAL, "%.*s: takes no value (collector --help)", length,
				 word);
	if (optopt)
		return fault_set(fault, -EINVAL, "-%c: unknown option (collector --help)", optopt);
	return fault_set(fault, -EINVAL, "%.*s: unknown option (collector --help)", length, word);
}

/* Whether @word is an option's name without "--". */
static bool is_option_name(const char *word)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].set && !strcmp(rows[i].name, word))
			return true;
	return false;
}

/* The options from argv[1] on; optind is then at the first word after them. */
static int parse_words(struct options *o, int argc, char **argv, struct fault *fault)
{
	struct option known[COUNT(rows) + 1] = {0};
	int option;

	/* The value of an option in @known is its row's number, from 1. */
	for (int i = 0, n = 0; i < (int)COUNT(rows); i++) {
		if (!rows[i].set)
			continue;
		known[n++] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].value ? required_argument : no_argument,
			.val = i + 1,
		};
	}

	opterr = 0;
	optind = 0; /* begins anew: 1 would keep glibc's state of an earlier call */
	while ((option = getopt_long(argc, argv, "+:h", known, NULL)) != -1) {
		int rc;

		if (option == ':' || option == '?')
			return refuse(option, argv[optind - 1], fault);

		rc = option == 'h' ? set_help(o, NULL, fault)
				   : rows[option - 1].set(o, optarg, fault);
		if (rc)
			return rc;
	}
	return 0;
}

/* A word after the options is a COMMAND, which a recording from a file can't have. */
static int check_command(const struct options *o, int argc, char **argv, struct fault *fault)
{
	const bool has_dashes = o->command && !strcmp(o->command[-1], "--");

	if (o->command && !has_dashes && is_option_name(*o->command))
		return fault_set(fault, -EINVAL, "%s: unexpected word (did you mean --%s?)",
				 *o->command, *o->command);
	if (o->command && (o->import || o->from))
		return fault_set(
			fault, -EINVAL,
			"%s: %s takes no COMMAND (one file; options before other words; collector --help)",
			*o->command, o->import ? "import" : "--from");
	if (!o->command && !strcmp(argv[argc - 1], "--"))
		return fault_set(fault, -EINVAL, "--: needs a COMMAND (collector --help)");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct fault *fault)
{
	int rc;

	*o = (struct options){
		.raw = true,
		.flush_ns = 200000000,
		.flight = {.before = 10000, .after = 1000},
	};

	if (argc > 1 && !strcmp(argv[1], "import")) {
		if (argc > 2 && (!strcmp(argv[2], "-h") || !strcmp(argv[2], "--help")))
			return set_help(o, NULL, fault);
		if (argc < 3 || *argv[2] == '-')
			return fault_set(fault, -EINVAL, "import: needs a file (collector --help)");
		o->import = argv[2];
		argc -= 2;
		argv += 2;
	}

	rc = parse_words(o, argc, argv, fault);
	if (rc || o->help || o->version)
		return rc;

	if (o->check_host && optind < argc)
		return fault_set(fault, -EINVAL,
				 "%s: --check-host takes no command (collector --help)",
				 argv[optind]);
	if (o->check_host)
		return 0;

	if (optind < argc)
		o->command = argv + optind;
	rc = check_command(o, argc, argv, fault);
	if (rc)
		return rc;
	if (o->flight.count && !o->keep_rows)
		o->keep_rows = TRIGGER_ROWS;
	rc = check_files(o, fault);
	if (!rc)
		rc = check_sources(o, fault);

	/* An interval is a reading of all histograms. */
	if (o->counts_only) {
		o->raw = false;
		o->rollup_ms = o->rollup_ms ? o->rollup_ms : COUNTS_MS;
	}
	return rc;
}
