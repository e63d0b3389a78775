// SPDX-License-Identifier: GPL-2.0-only
/* main.c - the collector's program: everything it prints and its exit status come from here */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file_limit.h"
#include "base/output.h"
#include "collector/command.h"
#include "collector/host/check_host.h"
#include "collector/host/host.h"
#include "collector/host/names.h"
#include "collector/host/version.h"
#include "collector/leaf_text.h"
#include "collector/listen/server.h"
#include "collector/open_source.h"
#include "collector/options.h"
#include "collector/record.h"
#include "collector/sink.h"
#include "collector/source/trace/import/import.h"

struct status_line {
	uint64_t records; /* at the last update */
	int64_t elapsed_ns;
	bool shown;
};

static double megabytes(uint64_t bytes)
{
	return (double)bytes / 1e6;
}

static void show_status(void *context, const struct sink *sink, int64_t elapsed_ns)
{
	struct status_line *line = context;
	int64_t ns = elapsed_ns - line->elapsed_ns;
	struct store_counts counts = {.recorded = sink->records};

	if (ns < 200000000)
		return;

	if (sink->store)
		store_get_counts(sink->store, &counts);
	fprintf(stderr, "\r\033[K%.0f exits/s, %llu exits, %llu dropped, %.1f MB",
		(double)(counts.recorded - line->records) * 1e9 / (double)ns,
		(unsigned long long)counts.recorded,
		(unsigned long long)(counts.dropped + sink->source->unseen),
		megabytes(counts.bytes));
	fflush(stderr);

	line->records = counts.recorded;
	line->elapsed_ns = elapsed_ns;
	line->shown = true;
}

/* What the flight recorder left out on purpose. */
static void print_flight(FILE *file, const struct sink *sink, const struct store_counts *stored)
{
	struct flight_counts counts;

	flight_get_counts(sink->flight, &counts);
	fprintf(file, ", %llu event%s, %llu exits kept around %s",
		(unsigned long long)counts.events, counts.events == 1 ? "" : "s",
		(unsigned long long)counts.kept, counts.events == 1 ? "it" : "them");
	if (stored->rows < counts.kept)
		fprintf(file, " of which the last %llu are there",
			(unsigned long long)stored->rows);
	fprintf(file, " (%llu others are in sums alone)",
		(unsigned long long)(counts.exits - counts.kept));
}

/* What was recorded; the files follow when they are closed. */
static void print_counts(FILE *file, const struct sink *sink)
{
	struct store_counts counts = {.recorded = sink->records};
	const char *about = sink->source->estimated ? "~" : "";
	uint64_t dropped, all;

	if (sink->store)
		store_get_counts(sink->store, &counts);
	dropped = counts.dropped + sink->source->unseen;
	all = counts.recorded + dropped;

	fprintf(file, "collector: %llu records", (unsigned long long)counts.recorded);
	if (sink->store && all)
		fprintf(file, ", %s%llu dropped (coverage %s%.4g %%)", about,
			(unsigned long long)dropped, about,
			100.0 * (double)counts.recorded / (double)all);

	if (!sink->vcpus)
		fputs(sink->source->misses_vcpus ? ", no VM seen" : ", no VM ran", file);
	if (sink->flight)
		print_flight(file, sink, &counts);
	if (counts.unread)
		fprintf(file, ", %llu exits before it began", (unsigned long long)counts.unread);
	if (sink->source->skipped)
		fprintf(file, ", %u vCPUs left to another reader", sink->source->skipped);
	if (sink->source->unverified)
		fprintf(file, ", totals of %u vCPUs not verified (they changed at every copy)",
			sink->source->unverified);
	if (*sink->source->lost)
		fprintf(file, ", not seen: %s", sink->source->lost);
}

/*
 * Ends a run that went well with a line. The database is closed before its size is printed: until
 * then the write-ahead log has much of it a second time.
 */
static void end_well(struct sink *sink)
{
	bool has_store = sink->store;
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	if (file) {
		print_counts(file, sink);
		if (fclose(file)) {
			free(text);
			text = NULL;
		}
	}

	sink_close(sink);

	fputs(text ? clean_text(text) : "collector: done", stderr);
	if (has_store)
		fprintf(stderr, ": %s, %.1f MB", sink->options.db,
			megabytes(store_file_bytes(sink->options.db)));
	if (sink->options.capture)
		fprintf(stderr, "%s %s", has_store ? ";" : ":", sink->options.capture);
	fputc('\n', stderr);
	free(text);
}

/* What the source says of its figures, a line each. */
static void print_source_notes(const struct source *source)
{
	const char *line = source->notes;

	while (line && *line) {
		size_t length = strcspn(line, "\n");
		char *note = strndup(line, length);

		if (note)
			fprintf(stderr, "collector: %s\n", clean_text(note));
		free(note);
		line += length + (line[length] == '\n');
	}
}

/* The words of a command line, with blanks between them. */
static char *join(char *const words[])
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (int i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", words[i]);
	fclose(out);
	return text;
}

static void name_run(struct run_info *info, const struct options *o)
{
	char *command = o->command ? join(o->command) : NULL;

	if (command) {
		run_info_set(info, RUN_COMMAND, command);
		run_info_set(info, RUN_LABEL, command);
	}
	free(command);
}

/* Prints which sources the cross-check does not have, from note @first on. */
static size_t print_notes(const struct xcheck *xcheck, size_t first)
{
	for (; xcheck_note(xcheck, first); first++)
		fprintf(stderr, "collector: cross-check without %s\n", xcheck_note(xcheck, first));
	return first;
}

/* Opens and starts the cross-check. */
static int open_xcheck(const struct options *o, struct xcheck **xcheck, struct fault *fault)
{
	int rc = xcheck_open(xcheck, o->trace_buffer_kb);

	if (!rc)
		rc = xcheck_start(*xcheck);
	if (rc)
		return fault_set(fault, rc, "cross-check: %s", strerror(-rc));
	return 0;
}

/* Blocks the signals that end a recording. Returns a descriptor to read them from, or -errno. */
static int block_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/*
 * Ends the run. A run that failed is removed again if it has no records, or if they can be
 * read once more from the file that they come from (@repeatable). What a file has that was cut
 * off stays.
 */
static int end_sink(struct sink *sink, int rc, bool repeatable, struct fault *fault)
{
	struct store_counts counts = {0};
	bool cut_off = rc == -ENODATA;
	int finished;

	if (rc && (!sink->records || (repeatable && !cut_off))) {
		if (sink_discard(sink))
			fault_add(fault, "; what was flushed before stays as an interrupted run");
		else if (sink->records)
			fault_add(fault, "; nothing of this run was kept");
		return rc;
	}

	/* Before the last flush, which may fail. */
	if (sink->store)
		store_get_counts(sink->store, &counts);
	finished = sink_finish(sink, !rc, fault);
	if (!rc && !finished) {
		print_source_notes(sink->source);
		end_well(sink);
	} else if (cut_off && !finished) {
		print_source_notes(sink->source);
		fault_add(fault, "; the %llu records before it are kept, as an interrupted run",
			  (unsigned long long)sink->records);
	} else if (finished == STORE_GONE) {
		fault_add(fault, "; all %llu records of this run are lost",
			  (unsigned long long)counts.recorded);
	} else if (sink->store) {
		fault_add(fault, "; %llu records up to the last flush stay, %llu are lost",
			  (unsigned long long)(counts.recorded - counts.unflushed),
			  (unsigned long long)counts.unflushed);
	}

	sink_close(sink);
	return rc ? rc : finished;
}

/* Records with source and sink open; ends the sink in any case. */
static int record(const struct options *o, struct source *source, struct sink *sink,
		  struct command *command, struct xcheck *xcheck, struct fault *fault)
{
	struct status_line line = {0};
	struct record run = {
		.source = source,
		.sink = sink,
		.xcheck = xcheck,
		.command = command,
		.signal_fd = block_signals(),
		.duration_ns = o->duration_ns,
		.flush_ns = o->flush_ns,
		.progress = isatty(STDERR_FILENO) ? show_status : NULL,
		.context = &line,
	};
	int rc;

	if (run.signal_fd < 0) {
		rc = fault_set(fault, run.signal_fd, "signalfd: %s", strerror(-run.signal_fd));
		goto end;
	}
	if (o->command) {
		rc = command_start(command, o->command);
		if (rc) {
			fault_set(fault, rc, "%s: %s", o->command[0],
				  rc == -ENOENT ? "command not found" : strerror(-rc));
			goto end;
		}
	}

	rc = record_run(&run, fault);
	if (line.shown)
		fputs("\r\033[K", stderr);
end:
	rc = end_sink(sink, rc, o->from || o->import, fault);

	if (o->source == SOURCE_RING && host_stock_vendor())
		fputs("collector: a stock kvm-intel.ko or kvm-amd.ko runs on the kvm.ko with the exit ring: exits of its VMs are not recorded (load the one built with it: kvm/install)\n",
		      stderr);
	if (run.signal_fd >= 0)
		close(run.signal_fd);
	return rc;
}

/* Where the records come from, if that was chosen here; after all that can be refused. */
static void print_choice(const struct options *o)
{
	if (*o->source_why)
		fprintf(stderr, "collector: records come from %s (%s)\n",
			source_choice_names[o->source], o->source_why);
}

/* Answers --listen while it records. */
static int record_and_answer(const struct options *o, struct source *source, struct sink *sink,
			     struct command *command, struct xcheck *xcheck, struct fault *fault)
{
	struct server *server = NULL;
	int rc = 0;

	if (o->listen) {
		sink->metrics = metrics_new();
		if (sink->metrics)
			rc = server_start(o->listen, o->listen_public, sink->metrics, &server,
					  fault);
		else
			rc = fault_set(fault, -ENOMEM, "--listen: out of memory");
	}
	if (server)
		fprintf(stderr, "collector: http://%s/metrics\n", server_address(server));

	if (rc) {
		end_sink(sink, rc, true, fault);
	} else {
		print_choice(o);
		rc = record(o, source, sink, command, xcheck, fault);
	}

	server_stop(server);
	metrics_free(sink->metrics);
	return rc;
}

/* Opens source and sink, records, and closes the source. */
static int record_from_source(const struct options *o, struct command *command,
			      struct xcheck *xcheck, struct fault *fault)
{
	const bool is_live = !o->from && !o->import;
	const struct sink_options files = {
		.db = o->db,
		.capture = o->capture,
		.label = o->label,
		.raw = o->raw,
		.flight = o->flight.count ? &o->flight : NULL,
		.compact = o->compact,
		.counts_only = o->counts_only,
		.keep_ns = o->keep_ns,
		.keep_rows = o->keep_rows,
		.rollup_ms = o->rollup_ms,
		.has_names = is_live && names_have_host_ids(""),
	};
	struct source *source;
	struct sink sink;
	int rc = open_source(o, &source, fault);

	if (rc)
		return rc;
	if (is_live && !files.has_names)
		fputs("collector: VMs get no names: process ids of this container are not the host's (give it those: --pid=host)\n",
		      stderr);

	name_run(&source->info, o);
	rc = sink_open(&sink, &files, source, fault);
	if (!rc) {
		sink.xcheck = xcheck;
		rc = record_and_answer(o, source, &sink, command, xcheck, fault);
	}

	source_close(source);
	return rc;
}

/* Makes a run. Returns the exit status. */
static int collect(const struct options *o, struct fault *fault)
{
	struct command command = {0};
	struct xcheck *xcheck = NULL;
	size_t notes = 0;
	bool still_runs;
	int rc = 0;

	/* Tracing begins before the first record and ends after the last. */
	if (o->cross_check)
		rc = open_xcheck(o, &xcheck, fault);
	if (xcheck)
		notes = print_notes(xcheck, 0);

	if (!rc)
		rc = record_from_source(o, &command, xcheck, fault);

	if (xcheck) {
		print_notes(xcheck, notes);
		xcheck_close(xcheck);
	}

	still_runs = command.pid != 0;
	if (still_runs)
		command_end(&command);
	if (rc)
		return 1;

	/* A command that ended because it was asked to did what it should. */
	return still_runs ? 0 : command.status;
}

static int read_leaves(const char *path, struct store_leaf **leaves, size_t *count,
		       struct fault *fault)
{
	int rc = leaf_text_read(path, leaves, count);

	if (rc == -EPROTO)
		return fault_set(
			fault, rc,
			"%s: not a perf.data, a trace.dat or a text with events of KVM or with CPUID leaves",
			path);
	return rc ? fault_set(fault, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static int store_leaves(const struct options *o, const struct store_leaf *leaves, size_t count,
			struct fault *fault)
{
	struct store *store;
	int rc = access(o->db, F_OK) ? -errno : store_open(o->db, &store);

	if (rc)
		return fault_set(fault, rc, "%s: %s%s", o->db, store_strerror(NULL, rc),
				 store_is_refusal(rc) ? " (it was left alone; use another --db)"
						      : "");

	rc = store_add_leaves(store, o->run, leaves, count);
	if (rc)
		fault_set(fault, rc, "%s: %s", o->db,
			  rc == STORE_RUNLESS ? "no such run (analyzer runs lists them)"
					      : store_strerror(store, rc));
	store_close(store);
	return rc;
}

/* Adds the CPUID leaves that a guest read to a run. Returns the exit status. */
static int import_leaves(const struct options *o, struct fault *fault)
{
	struct store_leaf *leaves;
	size_t count;

	if (read_leaves(o->import, &leaves, &count, fault))
		return 1;
	if (!store_leaves(o, leaves, count, fault))
		fprintf(stderr, "collector: %zu leaf reading%s: %s\n", count, count == 1 ? "" : "s",
			o->db);
	free(leaves);
	return *fault->text ? 1 : 0;
}

/* One line for each source: whether this host has it, and what it lacks. */
static void print_sources(void)
{
	char why[512];

	for (int i = SOURCE_RING; i <= SOURCE_TRACEFS; i++) {
		bool lacks = source_lacks((enum source_choice)i, "", why, sizeof(why));

		printf("%-8s --source %-8s%s%s\n", lacks ? "missing" : "ok", source_choice_names[i],
		       *why ? " " : "", why);
	}
	puts("ok       import          files of perf and trace-cmd");
}

/* One line for each thing that was checked. Returns the exit status. */
static int print_host(void)
{
	static const char *const words[] = {
		[HOST_OK] = "ok",
		[HOST_MISSING] = "missing",
		[HOST_REQUIRED] = "needed",
	};
	struct host_check checks[CHECK_HOST_MAX];
	struct utsname name;
	int count = uname(&name) ? 0 : check_host("", name.release, checks);
	char why[1024];
	enum source_choice best = source_choose("", why, sizeof(why));

	for (int i = 0; i < count; i++)
		printf("%-8s %-13s %s\n", words[checks[i].state], checks[i].name, checks[i].text);
	print_sources();

	if (best == SOURCE_BEST)
		puts("collector can't record on this host as it is");
	else
		printf("collector can record on this host: --source %s\n",
		       source_choice_names[best]);
	return best == SOURCE_BEST ? 1 : 0;
}

/* Chooses the source of a recording where none is named. */
static int choose_source(struct options *o, struct fault *fault)
{
	if (o->from || o->import || o->source != SOURCE_BEST)
		return 0;

	o->source = source_choose("", o->source_why, sizeof(o->source_why));
	if (o->source == SOURCE_BEST)
		return fault_set(fault, -ENODEV,
				 "no source of records: %s (collector --check-host)",
				 o->source_why);
	return options_check_chosen(o, fault);
}

static int run(struct options *o, struct fault *fault)
{
	if (o->import && import_kind(o->import, &o->import_kind, fault))
		return 1;
	if (o->import && o->import_kind == IMPORT_OTHER)
		return import_leaves(o, fault);
	if (choose_source(o, fault))
		return 1;
	return collect(o, fault);
}

/* Prints what the options ask for, or makes a run. Returns the exit status. */
static int run_or_print(struct options *o, struct fault *fault)
{
	int status = 0;
	int rc;

	if (o->help)
		options_print_help(stdout);
	else if (o->version)
		puts("collector " COLLECTOR_VERSION);
	else if (o->check_host)
		status = print_host();
	else
		return run(o, fault);

	/* All of it has to have arrived. */
	rc = output_flush(stdout);
	if (rc) {
		fault_set(fault, rc, "standard output: %s", strerror(-rc));
		return 1;
	}
	return status;
}

/*
 * A mapped file (an imported recording, the database's -shm) has lost pages that are read. Nothing
 * can go on from here; the database is whole up to the last flush.
 */
static void end_at_lost_page(int signal_number)
{
	static const char text[] =
		"collector: a file that is read was shortened meanwhile, or its disk fails (run it again; a run that was begun is shown as interrupted)\n";

	(void)signal_number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

int main(int argc, char **argv)
{
	struct options options;
	struct fault fault = {""};
	int status = 1;

	file_limit_watch();
	command_raise_file_limit();
	signal(SIGBUS, end_at_lost_page);
	if (!options_parse(&options, argc, argv, &fault))
		status = run_or_print(&options, &fault);

	if (file_limit_was_hit() && *fault.text && !strstr(fault.text, "ulimit -f"))
		fault_add(&fault, FILE_LIMIT_HINT);
	if (*fault.text)
		fprintf(stderr, "collector: %s\n", clean_text(fault.text));
	return status;
}
