// SPDX-License-Identifier: GPL-2.0-only
/* options.c - parses the command line */
#include "collector/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
	"Usage: collector --db FILE [OPTION]... [-- COMMAND [ARGUMENT]...]\n"
	"       collector --from CAPTURE --db FILE [--label TEXT] [--no-raw]\n"
	"       collector import TRACE --db FILE [--label TEXT] [--no-raw]\n"
	"\n"
	"Records every VM exit of this host's KVM guests into an SQLite database: of\n"
	"guests that run already and of those that start while it records. It ends on\n"
	"Ctrl-C, when the time is up or when COMMAND ends, and loses nothing that was\n"
	"published by then. A COMMAND that still runs gets SIGTERM.\n"
	"\n"
	"  --db FILE         run database; a file that has runs gets one more\n"
	"  --capture FILE    write what comes off the device to a new file, gzip-compressed\n"
	"                    if its name ends in .gz; with or without --db\n"
	"  --from FILE       read such a capture instead of the device\n"
	"  --source NAME     where records come from: ring (our kvm.ko), bpf (any kernel with\n"
	"                    BTF, from 6.1 on: nothing is installed, VMs keep running; times are\n"
	"                    taken at the tracepoints), tracefs (no parts of the time, no flags,\n"
	"                    exits may be lost: --trace-buffer); best: the first that this host\n"
	"                    has (default)\n"
	"  --ring-records N  bpf: records per vCPU until they are read, 128 bytes each; a power\n"
	"                    of two (65536, or fewer where memory is short)\n"
	"  --counts-only     bpf: totals only, no records: the least cost\n"
	"  import TRACE      a recording of another tool: perf.data (perf kvm stat record, perf\n"
	"                    record), trace.dat (trace-cmd record), or what ftrace, trace-cmd\n"
	"                    report or perf script printed of kvm_exit and kvm_entry; kvm_exit\n"
	"                    alone gives counts without durations; ~ marks an estimate of what\n"
	"                    the recording has lost.\n"
	"                    A text with CPUID leaves that a guest read (leaf_reader --raw,\n"
	"                    cpuid -r) is added to the last run, or --run N, for analyzer\n"
	"                    verify\n"
	"  --tsc-khz N       times of the recording are TSC cycles at N kHz (clock x86-tsc)\n"
	"  --label TEXT      name of the run (else COMMAND, else \"run N\")\n"
	"  --duration TIME   stop after TIME: 500ms, 10s, 5m, 2h; a bare number is seconds\n"
	"  --flush TIME      time between two transactions (200ms)\n"
	"  --no-raw          roll-ups and histograms only, no row for each exit\n"
	"  --keep-raw TIME   rows of the last TIME only (roll-ups stay complete)\n"
	"  --vm PID          only VMs that process PID made\n"
	"  --cross-check     count the same exits by tracepoints (tracefs), perf and KVM's\n"
	"                    statistics too: see analyzer verify\n"
	"  --trace-buffer N  trace buffer of these two in KiB per CPU (16384)\n"
	"  --cr3             record the guest's CR3 too\n"
	"  --check-host      say what this host lacks for each source, and the way out; exit\n"
	"                    status 0 if it has one\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 the recording is complete (and COMMAND returned 0); 1 it failed,\n"
	"one line on stderr says why; else that of COMMAND, 128 + N if signal N ended it.\n"
	"\n"
	"Examples:\n"
	"  collector --db run.sqlite -- qemu-system-x86_64 -enable-kvm -cdrom boot.iso\n"
	"  collector --db run.sqlite --label idle --duration 10s\n"
	"  collector --from boot.cap.gz --db run.sqlite\n"
	"  collector --source tracefs --db run.sqlite --duration 10s\n"
	"  collector import perf.data --db run.sqlite\n"
	"  analyzer --db run.sqlite top-exits\n";

/* "10s" and the like in ns. */
static int parse_time(const char *name, const char *text, int64_t *ns, struct fault *fault)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{"", 1000000000}, {"s", 1000000000},	    {"ms", 1000000},
		{"us", 1000},	  {"m", 60 * 1000000000LL}, {"h", 3600 * 1000000000LL},
	};
	char *end;
	double value = strtod(text, &end);
	size_t i;

	for (i = 0; isdigit((unsigned char)*text) && i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		value *= (double)units[i].ns;
		if (value < 1 || value > 9e18)
			break;
		*ns = (int64_t)value;
		return 0;
	}
	return fault_set(fault, -EINVAL, "--%s: %s: is no time (500ms, 10s, 5m)", name, text);
}

/* A number from 1 on; @what: what it is a number of. */
static int parse_number(const char *name, const char *text, const char *what, uint32_t *number,
			struct fault *fault)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !value || value > INT32_MAX)
		return fault_set(fault, -EINVAL, "--%s: %s: is no %s", name, text, what);
	*number = (uint32_t)value;
	return 0;
}

static int parse_source(const char *text, enum source_choice *choice, struct fault *fault)
{
	if (!strcmp(text, "device")) { /* the ring's name until there was bpf */
		*choice = SOURCE_RING;
		return 0;
	}
	for (int i = SOURCE_BEST; i <= SOURCE_TRACEFS; i++) {
		if (strcmp(text, source_choice_names[i]))
			continue;
		*choice = (enum source_choice)i;
		return 0;
	}
	return fault_set(fault, -EINVAL, "--source: %s: not a source (best, ring, bpf, tracefs)",
			 text);
}

static int parse_ring_records(const char *text, uint32_t *records, struct fault *fault)
{
	int rc = parse_number("ring-records", text, "number of records", records, fault);

	if (!rc &&
	    (*records < BPF_RING_LEAST || *records > BPF_RING_MOST || *records & (*records - 1)))
		return fault_set(fault, -EINVAL,
				 "--ring-records: %s: not a power of two from %u to %u", text,
				 BPF_RING_LEAST, BPF_RING_MOST);
	return rc;
}

enum {
	OPT_DB = 1,
	OPT_CAPTURE,
	OPT_FROM,
	OPT_SOURCE,
	OPT_RING_RECORDS,
	OPT_COUNTS_ONLY,
	OPT_RUN,
	OPT_TSC_KHZ,
	OPT_LABEL,
	OPT_DURATION,
	OPT_FLUSH,
	OPT_NO_RAW,
	OPT_KEEP_RAW,
	OPT_VM,
	OPT_CR3,
	OPT_CROSS_CHECK,
	OPT_TRACE_BUFFER,
	OPT_CHECK_HOST,
	OPT_HELP,
	OPT_VERSION
};

static int take(struct options *o, int option, const char *value, struct fault *fault)
{
	switch (option) {
	case OPT_DB:
		o->db = value;
		return 0;
	case OPT_CAPTURE:
		o->capture = value;
		return 0;
	case OPT_FROM:
		o->from = value;
		return 0;
	case OPT_SOURCE:
		return parse_source(value, &o->source, fault);
	case OPT_RING_RECORDS:
		return parse_ring_records(value, &o->ring_records, fault);
	case OPT_COUNTS_ONLY:
		o->counts_only = 1;
		return 0;
	case OPT_RUN:
		return parse_number("run", value, "run", &o->run, fault);
	case OPT_TSC_KHZ:
		return parse_number("tsc-khz", value, "frequency", &o->tsc_khz, fault);
	case OPT_LABEL:
		o->label = value;
		return 0;
	case OPT_DURATION:
		return parse_time("duration", value, &o->duration_ns, fault);
	case OPT_FLUSH:
		return parse_time("flush", value, &o->flush_ns, fault);
	case OPT_NO_RAW:
		o->raw = 0;
		return 0;
	case OPT_KEEP_RAW:
		return parse_time("keep-raw", value, &o->keep_ns, fault);
	case OPT_VM:
		return parse_number("vm", value, "process id", &o->device.tgid, fault);
	case OPT_CR3:
		o->device.cr3 = 1;
		return 0;
	case OPT_CROSS_CHECK:
		o->cross_check = 1;
		return 0;
	case OPT_TRACE_BUFFER:
		return parse_number("trace-buffer", value, "KiB", &o->trace_buffer_kb, fault);
	case OPT_CHECK_HOST:
		o->check_host = 1;
		return 0;
	case OPT_HELP:
		o->help = 1;
		return 0;
	case OPT_VERSION:
		o->version = 1;
		return 0;
	}
	return -EINVAL;
}

/* What does not go together. */
static int check(const struct options *o, struct fault *fault)
{
	if (!o->db && !o->capture)
		return fault_set(fault, -EINVAL,
				 "no file to record into (--db FILE; see collector --help)");
	if (!o->raw && o->keep_ns)
		return fault_set(fault, -EINVAL, "--no-raw and --keep-raw: take one of them");
	if (o->db && !*o->db)
		return fault_set(fault, -EINVAL, "--db: the file has no name");
	if (o->cross_check && (o->from || o->import || !o->db))
		return fault_set(fault, -EINVAL,
				 "--cross-check: is for recordings from the device into --db");
	if ((o->run || o->tsc_khz) && !o->import)
		return fault_set(fault, -EINVAL, "--run and --tsc-khz: go with import");
	if (o->import && o->from)
		return fault_set(fault, -EINVAL, "import and --from: take one of them");
	if (o->source != SOURCE_BPF && (o->ring_records || o->counts_only))
		return fault_set(fault, -EINVAL,
				 "--ring-records and --counts-only: go with --source bpf");
	if (o->source && (o->from || o->import))
		return fault_set(fault, -EINVAL, "--source: goes without --from and import");
	if (o->source == SOURCE_TRACEFS && (o->from || o->import || o->cross_check ||
					    o->device.tgid || o->device.cr3 || o->capture))
		return fault_set(fault, -EINVAL,
				 "--source tracefs: goes without --from, import, --cross-check, "
				 "--capture, --vm and --cr3");
	if ((o->from || o->import) &&
	    (o->command || o->duration_ns || o->device.tgid || o->device.cr3))
		return fault_set(fault, -EINVAL,
				 "%s: a COMMAND, --duration, --vm and --cr3 are "
				 "for recordings from the device",
				 o->from ? "--from" : "import");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct fault *fault)
{
	static const struct option known[] = {
		{"db", required_argument, NULL, OPT_DB},
		{"capture", required_argument, NULL, OPT_CAPTURE},
		{"from", required_argument, NULL, OPT_FROM},
		{"source", required_argument, NULL, OPT_SOURCE},
		{"ring-records", required_argument, NULL, OPT_RING_RECORDS},
		{"counts-only", no_argument, NULL, OPT_COUNTS_ONLY},
		{"run", required_argument, NULL, OPT_RUN},
		{"tsc-khz", required_argument, NULL, OPT_TSC_KHZ},
		{"label", required_argument, NULL, OPT_LABEL},
		{"duration", required_argument, NULL, OPT_DURATION},
		{"flush", required_argument, NULL, OPT_FLUSH},
		{"no-raw", no_argument, NULL, OPT_NO_RAW},
		{"keep-raw", required_argument, NULL, OPT_KEEP_RAW},
		{"vm", required_argument, NULL, OPT_VM},
		{"cr3", no_argument, NULL, OPT_CR3},
		{"cross-check", no_argument, NULL, OPT_CROSS_CHECK},
		{"trace-buffer", required_argument, NULL, OPT_TRACE_BUFFER},
		{"check-host", no_argument, NULL, OPT_CHECK_HOST},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	int option;
	int rc;

	*o = (struct options){.raw = 1, .flush_ns = 200000000};
	if (argc > 1 && !strcmp(argv[1], "import")) {
		if (argc < 3 || *argv[2] == '-')
			return fault_set(fault, -EINVAL,
					 "import: which file? (see collector --help)");
		o->import = argv[2];
		argc -= 2;
		argv += 2;
	}
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "+:", known, NULL)) != -1) {
		if (option == ':')
			return fault_set(fault, -EINVAL,
					 "%s: a value is missing (see collector --help)",
					 argv[optind - 1]);
		if (option == '?')
			return fault_set(fault, -EINVAL,
					 "%s: unknown option (see collector --help)",
					 argv[optind - 1]);
		rc = take(o, option, optarg, fault);
		if (rc)
			return rc;
	}
	if (o->help || o->version || o->check_host)
		return 0;
	if (optind < argc)
		o->command = argv + optind;
	return check(o, fault);
}
