// SPDX-License-Identifier: GPL-2.0-only
/* sink.c - stores records into a database, a capture file, or both */
#include "collector/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/host/host.h"
#include "collector/host/vmx_msrs.h"

#define METRICS_UPDATE_NS INT64_C(1000000000)

static int store_fault(struct sink *sink, int rc, struct fault *fault)
{
	return fault_set(fault, rc, "%s: %s", sink->options.db, store_strerror(sink->store, rc));
}

static int capture_fault(struct sink *sink, int rc, struct fault *fault)
{
	return fault_set(fault, rc, "%s: %s%s", sink->options.capture, strerror(-rc),
			 rc == -EEXIST ? " (--capture makes a new file: name another one)" : "");
}

static int open_store(struct sink *sink, const char *path, struct fault *fault)
{
	const char *way = "";
	struct stat link;
	int rc = store_open(path, &sink->store);

	if (store_is_refusal(rc))
		way = " (it was left alone; use another --db)";
	if (rc == -ENOENT)
		way = lstat(path, &link) ? " (the folder must exist)"
					 : " (it is a symbolic link to a file that is not there)";
	if (rc == STORE_NO_SHM)
		way = " (use --db with a file on a local disk)";
	if (rc)
		return fault_set(fault, rc, "%s: %s%s", path, store_strerror(NULL, rc), way);
	return 0;
}

int sink_open(struct sink *sink, const struct sink_options *options, struct source *source,
	      struct fault *fault)
{
	int rc = 0;

	*sink = (struct sink){
		.source = source,
		.options = *options,
		/* Process ids in a file are another host's, or another time's. */
		.identify.root = options->has_names ? "" : NULL,
	};
	if (options->capture) {
		rc = capture_create(options->capture, &sink->capture);
		if (rc)
			return capture_fault(sink, rc, fault);
	}
	if (options->db)
		rc = open_store(sink, options->db, fault);
	if (rc)
		sink_discard(sink);
	return rc;
}

static int store_vmx_caps_row(void *context, const struct vmx_caps_row *row)
{
	return store_add_vmx_capability(context, row->cpu, row->msr, row->value, row->valid);
}

static int store_vmx_caps(struct sink *sink, const char *text, struct fault *fault)
{
	int rc = text ? vmx_caps_parse(text, store_vmx_caps_row, sink->store) : 0;

	if (rc == -EPROTO)
		return fault_set(fault, rc,
				 "%s: damaged: its text of VMX capabilities can't be read",
				 sink->source->ops->name);
	return rc ? store_fault(sink, rc, fault) : 0;
}

/* The flight recorder has chosen these. */
static int keep_rows(void *context, int vcpu, const struct kvm_exit_record *records, size_t count)
{
	struct sink *sink = context;

	return store_keep(sink->store, vcpu, records, count);
}

/* Writes the run, with the first vCPU or at the end: then the source knows all about it. */
static int begin(struct sink *sink, struct fault *fault)
{
	struct run_info *info = &sink->source->info;
	struct store_run run;
	int rc = 0;

	sink->begun = true;
	if (sink->options.label)
		run_info_set(info, RUN_LABEL, sink->options.label);
	run = run_info_store(info, sink->source->ops->name, sink->options.raw);
	if (sink->metrics)
		rc = metrics_begin(sink->metrics, info, sink->source->ops->read_totals,
				   !sink->options.counts_only);
	if (rc)
		return fault_set(fault, rc, "--listen: %s", strerror(-rc));
	run.compact = sink->options.compact;
	run.rollup_ms = sink->options.rollup_ms;
	run.keep_cycles = (uint64_t)((double)sink->options.keep_ns * info->tsc_khz / 1e6);
	run.keep_rows = sink->options.keep_rows;
	run.chosen = sink->options.flight;

	if (sink->options.flight) {
		rc = flight_new(sink->options.flight, &run, keep_rows, sink, &sink->flight, fault);
		if (rc)
			return rc;
	}
	if (sink->store) {
		rc = store_begin(sink->store, &run);
		if (rc)
			return store_fault(sink, rc, fault);
		rc = store_vmx_caps(sink, info->text[RUN_VMX_CAPS], fault);
		if (rc)
			return rc;
	}
	if (sink->capture)
		rc = capture_begin(sink->capture, info);
	return rc ? capture_fault(sink, rc, fault) : 0;
}

static int store_records(struct sink *sink, const struct source_item *item)
{
	int rc = store_append(sink->store, item->vcpu, item->records, item->count);

	if (!rc && sink->flight)
		rc = flight_take(sink->flight, item->vcpu, item->records, item->count);
	return rc;
}

static int store_item(struct sink *sink, const struct source_item *item)
{
	int vcpu = item->vcpu;
	int rc;

	switch (item->kind) {
	case SOURCE_VCPU:
		rc = store_add_vcpu(sink->store, &item->info, &vcpu);
		if (!rc && sink->flight)
			rc = flight_add_vcpu(sink->flight, vcpu, item->info.vm_id);
		return rc;
	case SOURCE_NAMES:
		return store_identify(sink->store, vcpu, item->names);
	case SOURCE_RECORDS:
		return store_records(sink, item);
	case SOURCE_SUMS:
		return store_add_sums(sink->store, vcpu, item->sums);
	case SOURCE_END_VCPU:
		if (sink->flight)
			flight_end_vcpu(sink->flight, vcpu);
		return store_end_vcpu(sink->store, vcpu, &item->end);
	default:
		return 0;
	}
}

/* Writes an item into the files. */
static int write_item(struct sink *sink, const struct source_item *item, struct fault *fault)
{
	int rc = 0;

	if (!sink->begun)
		rc = begin(sink, fault);
	if (rc)
		return rc;

	sink->vcpus += item->kind == SOURCE_VCPU;
	if (item->kind == SOURCE_RECORDS) {
		sink->records += item->count;
		sink->unflushed += (int64_t)item->count;
	}
	if (item->kind == SOURCE_SUMS)
		sink->records += item->sums->n;

	if (sink->store) {
		rc = store_item(sink, item);
		if (rc == -EPROTO)
			return fault_set(fault, rc,
					 "%s: damaged: its sequence numbers go backwards",
					 sink->source->ops->name);
		if (rc)
			return store_fault(sink, rc, fault);
	}
	if (sink->capture)
		rc = capture_write(sink->capture, item);
	if (rc)
		return capture_fault(sink, rc, fault);

	/* What is stored is counted, not the other way round. */
	if (sink->metrics)
		rc = metrics_add(sink->metrics, item);
	return rc ? fault_set(fault, rc, "--listen: %s", strerror(-rc)) : 0;
}

int sink_store(struct sink *sink, const struct source_item *item, struct fault *fault)
{
	struct source_item names;
	int rc = write_item(sink, item, fault);

	if (!rc && identify_item(&sink->identify, item, &names))
		rc = write_item(sink, &names, fault);
	return rc;
}

/* Exits of vCPUs that the source never announced: known while it records, too. */
static int update_unseen(struct sink *sink)
{
	struct source *source = sink->source;
	int rc;

	if (!source->ops->update_unseen)
		return 0;
	rc = source->ops->update_unseen(source, sink->store);
	if (sink->metrics)
		metrics_set_unseen(sink->metrics, source->unseen);
	return rc;
}

/* Totals, once a second: with many vCPUs they take a millisecond or more. */
static int update_metrics(struct sink *sink, bool must, struct fault *fault)
{
	int64_t now_ns = host_monotonic_ns();
	int rc;

	if (!sink->metrics || (!must && now_ns - sink->metrics_ns < METRICS_UPDATE_NS))
		return 0;
	sink->metrics_ns = now_ns;
	rc = metrics_update(sink->metrics, sink->source);
	return rc ? fault_set(fault, rc, "--listen: %s", strerror(-rc)) : 0;
}

int sink_flush(struct sink *sink, struct fault *fault)
{
	int rc;

	sink->unflushed = 0;
	if (!sink->begun)
		return 0;
	rc = update_unseen(sink);
	if (!rc && sink->store)
		rc = store_flush(sink->store);
	return rc ? store_fault(sink, rc, fault) : update_metrics(sink, false, fault);
}

/* A source that has an end says when it was; else it is now. */
static int complete_info(struct sink *sink, struct fault *fault)
{
	struct run_info *info = &sink->source->info;
	int rc = 0;

	if (!sink->begun) {
		if (!info->tsc_khz)
			info->tsc_khz = host_measure_tsc_khz();
		rc = begin(sink, fault);
	}
	if (!info->tsc_end) {
		info->tsc_end = host_tsc();
		info->ended_ns = host_realtime_ns();
	}
	return rc;
}

static int finish_capture(struct sink *sink, bool complete, int rc, struct fault *fault)
{
	int closed;

	if (complete && !rc) {
		rc = capture_finish(sink->capture, &sink->source->info);
		if (rc)
			capture_fault(sink, rc, fault);
	}

	closed = capture_close(sink->capture, !complete);
	sink->capture = NULL;
	if (!rc && closed)
		rc = capture_fault(sink, closed, fault);
	return rc;
}

/* Notes in the run that its totals may be off by an exit: analyzer verify shows it. */
static int store_unverified(struct sink *sink)
{
	char name[120];

	snprintf(name, sizeof(name),
		 "a consistent copy of the totals of %u vCPUs: they changed at every copy",
		 sink->source->unverified);
	return store_add_run_count(sink->store, "unavailable", name, 0);
}

/* Notes in the run what the flight recorder did: table crosscheck, source trigger. */
static int store_flight(struct sink *sink)
{
	struct store_crosscheck check = {.source = "trigger", .reason = -1, .cycles = -1};
	struct store_counts stored;
	int rc = 0;

	for (int i = 0; !rc && i < sink->vcpus; i++) {
		struct flight_counts counts;

		flight_get_vcpu_counts(sink->flight, i, &counts);
		check.vcpu = i;
		check.name = "events";
		check.n = (int64_t)counts.events;
		rc = store_add_crosscheck(sink->store, &check);
		check.name = "kept";
		check.n = (int64_t)counts.kept;
		if (!rc)
			rc = store_add_crosscheck(sink->store, &check);
	}

	for (int i = 0; !rc && i < sink->options.flight->count; i++) {
		char name[300];

		snprintf(name, sizeof(name), "expression %s",
			 sink->options.flight->trigger[i].text);
		rc = store_add_run_count(sink->store, "trigger", name,
					 flight_events_of(sink->flight, i));
	}

	/* All rows are written now: --keep-raw and --keep-rows have removed what they remove. */
	if (!rc)
		rc = store_flush(sink->store);
	store_get_counts(sink->store, &stored);
	return rc ? rc : store_add_run_count(sink->store, "trigger", "rows", stored.rows);
}

/* Writes what is known only at the end. */
static int store_ends(struct sink *sink)
{
	struct source *source = sink->source;
	int rc = 0;

	if (sink->xcheck)
		rc = xcheck_store(sink->xcheck, sink->store);
	if (!rc && source->ops->store_counts)
		rc = source->ops->store_counts(source, sink->store);
	if (!rc && sink->flight)
		rc = store_flight(sink);
	if (!rc && source->unverified)
		rc = store_unverified(sink);
	return rc;
}

static int finish_store(struct sink *sink, bool complete, int rc, struct fault *fault)
{
	const struct run_info *info = &sink->source->info;
	int stored;

	if (!rc) {
		rc = store_ends(sink);
		if (rc)
			store_fault(sink, rc, fault);
	}

	stored = store_finish(sink->store, complete && !rc ? "complete" : "interrupted",
			      info->tsc_end, info->ended_ns);
	if (!rc && stored)
		rc = store_fault(sink, stored, fault);
	return rc;
}

int sink_finish(struct sink *sink, bool complete, struct fault *fault)
{
	int rc = complete_info(sink, fault);

	identify_free(&sink->identify);
	if (!rc)
		rc = update_metrics(sink, true, fault);
	if (sink->capture)
		rc = finish_capture(sink, complete, rc, fault);
	if (sink->store)
		rc = finish_store(sink, complete, rc, fault);
	return rc;
}

int sink_discard(struct sink *sink)
{
	int rc = 0;

	identify_free(&sink->identify);
	if (sink->capture)
		capture_close(sink->capture, false);
	if (sink->store)
		rc = store_discard(sink->store);
	sink->capture = NULL;
	sink_close(sink);
	return rc;
}

void sink_close(struct sink *sink)
{
	store_close(sink->store);
	flight_free(sink->flight);
	sink->store = NULL;
	sink->flight = NULL;
}
