// SPDX-License-Identifier: GPL-2.0-only
/*
 * out_run.c - the lines that say what a result is about and how complete it is
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/output/out.h"
#include "analyzer/query/db.h"
#include "analyzer/query/sums/agg.h"
#include "analyzer/query/vms.h"
#include "base/units.h"

#define TITLE 48 /* letters of a run's name in its title */
#define NAMES 60 /* letters of the names of VMs */

static void json_filter(struct json *j, const struct run *run)
{
	json_open(j, "filter", '{');
	json_text(j, "vm", run->filter.vm);
	json_text(j, "vcpu", run->filter.vcpu);
	json_text(j, "reason", run->filter.reason);
	json_close(j, '{');
}

/* The end of the window, in cycles since the start. */
static int64_t window_end(const struct run *run)
{
	int64_t to = run_grid_to(run);

	return to < run->length_cycles ? to : run->length_cycles;
}

static void json_window(struct json *j, const struct run *run)
{
	json_open(j, "window", '{');
	json_int(j, "from_ns", cycles_to_ns(run_grid_from(run), run->tsc_khz));
	json_int(j, "to_ns", cycles_to_ns(window_end(run), run->tsc_khz));
	json_bool(j, "as_asked", !run->widened && !run->follows);
	json_close(j, '{');
}

static void json_run(struct json *j, const char *name, const struct run *run)
{
	json_open(j, name, '{');

	json_int(j, "id", run->id);
	json_text(j, "label", run->label);
	json_text(j, "command", *run->command ? run->command : NULL);
	json_text(j, "state", run->state);
	json_text(j, "source", run->source);
	json_text(j, "environment", run->environment);
	json_text(j, "isa", run->isa == 1 ? "VMX" : "SVM");
	json_int(j, "tsc_khz", run->tsc_khz);
	json_int(j, "duration_ns", cycles_to_ns(run->length_cycles, run->tsc_khz));
	json_window(j, run);
	json_filter(j, run);
	if (run->filter.vm || run->filter.vcpu)
		json_int(j, "lived_ns",
			 cycles_to_ns(agg_rate_time(run, BY_REASON, NULL), run->tsc_khz));

	/* Of the vCPUs that are shown, as the coverage is. */
	json_int(j, "recorded", run->shown_exits);
	json_int(j, "dropped", run->shown_dropped);
	json_int(j, "filtered", run->shown_filtered);
	if (run_knows_unread(run))
		json_int(j, "unread", run->shown_unread);
	else
		json_null(j, "unread");
	json_real(j, "coverage", out_coverage(run));
	if (run->window_lost_most >= 0) {
		json_int(j, "window_dropped_least", run->window_lost_least);
		json_int(j, "window_dropped_most", run->window_lost_most);
	}
	json_bool(j, "exact_totals", run->has_totals);
	if (run->has_raw == RAW_EVENTS && run->kept_rows >= 0) {
		json_int(j, "events", run->events);
		json_int(j, "kept_rows", run->kept_rows);
	}
	if (run->no_durations)
		json_bool(j, "has_durations", false);
	if (run->is_counted)
		json_bool(j, "counts_only", true);
	if (run->dropped_estimated)
		json_bool(j, "dropped_is_estimate", true);
	json_close(j, '{');
}

double out_coverage(const struct run *run)
{
	double all = (double)(run->shown_exits + run->shown_dropped);

	return all > 0 ? (double)run->shown_exits / all : NAN;
}

static void coverage_line(struct out *out, const struct run *run)
{
	char recorded[UNITS_TEXT], dropped[UNITS_TEXT], share[UNITS_TEXT], unread[UNITS_TEXT];
	char filtered[UNITS_TEXT];
	bool knows_unread = run_knows_unread(run);
	const char *about = run->dropped_estimated ? "~" : "";

	if (!(run->exits + run->dropped)) {
		out_line(out, "coverage: no exit was recorded");
		return;
	}
	out_line(out, "coverage%s%s: %s%s (%s recorded, %s%s dropped%s%s%s%s%s%s)",
		 run->filter.vm || run->filter.vcpu ? " of these vCPUs" : "",
		 run_is_whole(run) ? "" : " in the whole run", about,
		 run->shown_exits + run->shown_dropped ? units_share(out_coverage(run), share)
						       : "-",
		 units_count(run->shown_exits, recorded), about,
		 units_count(run->shown_dropped, dropped), run->shown_filtered ? ", " : "",
		 run->shown_filtered ? units_count(run->shown_filtered, filtered) : "",
		 run->shown_filtered ? " filtered out" : "", knows_unread ? "; " : "",
		 knows_unread ? units_count(run->shown_unread, unread) : "",
		 knows_unread ? " unread before the recording" : "");
}

void out_filter_text(const struct run *run, char *text, size_t bytes)
{
	const char *const names[] = {"--vm", "--vcpu", "--reason"};
	const char *const values[] = {run->filter.vm, run->filter.vcpu, run->filter.reason};
	size_t used = 0;

	*text = '\0';
	for (int i = 0; i < 3; i++) {
		if (!values[i] || used >= bytes)
			continue;
		snprintf(text + used, bytes - used, "%s%s %s", used ? " " : "", names[i],
			 values[i]);
		used = strlen(text);
	}
}

/* All digits: "19.99 s", "1.5 ms". */
static void exact_time(int64_t ns, char text[UNITS_TEXT])
{
	static const struct {
		int64_t ns;
		int digits;
		const char *name;
	} units[] = {{1000000000, 9, "s"}, {1000000, 6, "ms"}, {1000, 3, "us"}, {1, 0, "ns"}};
	int i = 0, used;

	while (units[i].ns > 1 && ns < units[i].ns)
		i++;
	used = snprintf(text, UNITS_TEXT, "%" PRId64, ns / units[i].ns);
	if (ns % units[i].ns) {
		used += snprintf(text + used, UNITS_TEXT - (size_t)used, ".%0*" PRId64,
				 units[i].digits, ns % units[i].ns);
		while (text[used - 1] == '0')
			used--;
	}
	snprintf(text + used, UNITS_TEXT - (size_t)used, " %s", units[i].name);
}

/* One end of the window: as it was asked for, else @cycles, to the digits that matter. */
static void window_time(const struct run *run, int64_t asked_ns, int64_t cycles,
			char text[UNITS_TEXT])
{
	if (asked_ns >= 0 && ns_to_cycles(asked_ns, run->tsc_khz) == cycles)
		exact_time(asked_ns, text);
	else
		units_ns((double)cycles_to_ns(cycles, run->tsc_khz), text);
}

/* Why it is another window than the one that was asked for. */
static const char *window_reason(const struct run *run)
{
	if (run->widened)
		return " (whole intervals: the run has no single exits of the window that was asked for)";
	if (run->follows)
		return " (as of the other run, which has no single exits of the window that was asked for)";
	return "";
}

void out_window_text(const struct run *run, char *text, size_t bytes)
{
	char from[UNITS_TEXT], to[UNITS_TEXT];

	*text = '\0';
	if (run_is_whole(run))
		return;
	window_time(run, run->filter.from_ns, run_grid_from(run), from);
	window_time(run, run->filter.to_ns, window_end(run), to);
	snprintf(text, bytes, "%s to %s%s%s", from, run->to == INT64_MAX ? "the end, " : "", to,
		 window_reason(run));
}

static void write_tail(struct out *out, const char *name, const struct run *run)
{
	const char *prefix = strcmp(name, "run") ? name : "";
	const char *line = strcmp(name, "run") ? "_" : "";
	char column[32], filter[256];
	double coverage = out_coverage(run);

	snprintf(column, sizeof(column), "%s%srun", prefix, line);
	out_tail(out, column, "%" PRId64, run->id);
	snprintf(column, sizeof(column), "%s%swindow_from_ns", prefix, line);
	out_tail(out, column, "%" PRId64, cycles_to_ns(run_grid_from(run), run->tsc_khz));
	snprintf(column, sizeof(column), "%s%swindow_to_ns", prefix, line);
	out_tail(out, column, "%" PRId64, cycles_to_ns(window_end(run), run->tsc_khz));
	snprintf(column, sizeof(column), "%s%scoverage", prefix, line);
	if (isnan(coverage))
		out_tail(out, column, "%s", "");
	else
		out_tail(out, column, "%.10g", coverage);
	out_filter_text(run, filter, sizeof(filter));
	snprintf(column, sizeof(column), "%s%sfilter", prefix, line);
	out_tail(out, column, "%s", filter);
}

static const char *state_text(const char *state)
{
	if (!strcmp(state, "recording"))
		return ", still being recorded or cut off";
	return strcmp(state, "interrupted") ? "" : ", interrupted";
}

void out_unseen_text(const struct run *run, char *text, size_t bytes)
{
	char count[UNITS_TEXT];

	snprintf(
		text, bytes,
		"%s of the dropped exits are of vCPUs that are not in the recording: they ran, or had ended, before the collector had their rings.",
		units_count(run->shown_unseen, count));
}

/* In a window that has losses, the share of the whole run says nothing. */
static void window_loss_note(struct out *out, const struct run *run)
{
	char least[UNITS_TEXT], most[UNITS_TEXT];

	out_note(out, "In this window %s%s%s exits were dropped: the true counts are higher.",
		 run->window_lost_least < run->window_lost_most
			 ? units_count(run->window_lost_least, least)
			 : "",
		 run->window_lost_least < run->window_lost_most ? " to " : "",
		 units_count(run->window_lost_most, most));
}

static void loss_notes(struct out *out, const struct run *run)
{
	char share[UNITS_TEXT], text[256];

	if (run->window_is_complete)
		return;
	if (run->window_lost_most >= 0) {
		window_loss_note(out, run);
		return;
	}
	units_share(out_coverage(run), share);
	if (out->counts_dropped && run->has_totals && run_is_whole(run))
		out_note(
			out,
			"Counts and rates include the dropped exits, by KVM's totals; times rest on the %s that were recorded.",
			share);
	else
		out_note(
			out,
			"Counts, rates and times rest on the %s of the exits that were recorded: the true counts are higher.",
			share);
	if (run->shown_unseen) {
		out_unseen_text(run, text, sizeof(text));
		out_note(out, "%s", text);
	}
}

/* What the kernel's filter left out on purpose. */
static void filtered_note(struct out *out, const struct run *run)
{
	char count[UNITS_TEXT];

	if (run->shown_filtered)
		out_note(
			out,
			"%s exits were filtered out while recording (collector --reason, --min-time, --one-in): what is shown is of those that passed.",
			units_count(run->shown_filtered, count));
}

/* What collector --trigger left out on purpose. */
static void events_note(struct out *out, const struct run *run)
{
	char rows[UNITS_TEXT], events[UNITS_TEXT], exits[UNITS_TEXT];
	const char *base = run->by_rows ? "what is shown here is of those alone"
					: "sums by reason, VM and vCPU are of all";

	if (run->kept_rows < 0)
		out_note(out, "Single exits are kept around events only (collector --trigger): %s.",
			 base);
	else
		out_note(
			out,
			"Single exits are kept around %s event%s only, %s of %s (collector --trigger): %s.",
			units_count(run->events, events), run->events == 1 ? "" : "s",
			units_count(run->kept_rows, rows), units_count(run->exits, exits), base);
}

/* What rates are of, where that is not the whole window; "": it is. */
static const char *lived_text(const struct out *out, const struct run *run, char text[96])
{
	int64_t lived = agg_rate_time(run, BY_REASON, NULL);
	char length[UNITS_TEXT];

	*text = '\0';
	if (out->has_rates && lived < run_grid_length(run))
		snprintf(text, 96, ", rates of the %s in which these vCPUs lived",
			 units_ns((double)cycles_to_ns(lived, run->tsc_khz), length));
	return text;
}

void out_run(struct out *out, const char *name, const struct run *run)
{
	char length[UNITS_TEXT], from[UNITS_TEXT], window[160], filter[256], lived[96];

	if (out->format == OUT_JSON)
		json_run(&out->json, name, run);
	if (out->format == OUT_CSV)
		write_tail(out, name, run);

	out_line(out, "run %" PRId64 " \"%.*s%s\": %s%s", run->id, TITLE, run->label,
		 strlen(run->label) > TITLE ? "..." : "",
		 units_ns((double)cycles_to_ns(run->length_cycles, run->tsc_khz), length),
		 state_text(run->state));
	if (*run->command && strlen(run->label) > TITLE)
		out_line(out, "command: %s", run->command);
	out_window_text(run, window, sizeof(window));
	if (*window)
		out_line(out, "window: %s", window);
	out_filter_text(run, filter, sizeof(filter));
	if (*filter)
		out_line(out, "filter: %s (shares are of what passes it%s)", filter,
			 lived_text(out, run, lived));
	coverage_line(out, run);

	if (!strcmp(run->environment, "emulated"))
		out_note(
			out,
			"Emulated machine: times are not real latencies (in Bochs a cycle is one instruction).");
	if (run->by_rows && run->rows_start_cycles && run->from == run->rows_start_cycles)
		out_note(
			out,
			"Single exits are kept from %s of the run on only: no earlier one counts here.",
			units_ns((double)cycles_to_ns(run->rows_start_cycles, run->tsc_khz), from));
	if (run->has_raw == RAW_EVENTS)
		events_note(out, run);
	out->no_durations = run->no_durations;
	if (run->no_durations)
		out_note(out, "This recording has no durations: only counts are known.");
	if (run->is_counted)
		out_note(
			out,
			"Counted in the kernel (collector --counts-only): percentiles are from its histograms, off by less than 0.8 %%; the shortest and the longest exit by less than 1.6 %%.");
	loss_notes(out, run);
	filtered_note(out, run);
	if (!run->has_split)
		out_note(
			out,
			"Source %s does not split time into handler, halted, user space and preempted.",
			run->source);
}

/* Whether a vCPU that is shown is of that VM. */
static bool shows_vm(const struct run *run, int64_t vm)
{
	for (unsigned int i = 0; i < run->n_vcpus; i++)
		if (run->vcpus[i].vm == vm)
			return true;
	return false;
}

void out_vms(struct out *out, const struct run *run)
{
	unsigned int vms = 0, shown = 0;
	bool has_names = false;
	char text[NAMES + 1] = "";

	for (unsigned int i = 0; i < run->n_vms; i++) {
		const struct vm_ref *vm = &run->vms[i];
		size_t used = strlen(text);

		if (!shows_vm(run, vm->id))
			continue;
		has_names |= *vm->name != '\0';
		/* The first one is shown in any case, then as many as fit. */
		if (vms++ == shown && (!shown || used + strlen(vm->label) + 2 <= NAMES)) {
			snprintf(text + used, sizeof(text) - used, "%s%s", shown ? ", " : "",
				 vm->label);
			shown++;
		}
	}
	if (!has_names)
		return;
	if (vms > shown)
		out_line(out, "VMs: %s and %u more", text, vms - shown);
	else
		out_line(out, "VM%s: %s", vms > 1 ? "s" : "", text);
}

void out_slide_note(struct out *out, uint64_t slide, double guessed)
{
	char share[UNITS_TEXT];

	if (guessed >= 0 && guessed < 0.5)
		out_note(
			out,
			"The kernel's offset (KASLR) is not known: only %s of the places fit the symbols; give --slide.",
			units_share(guessed, share));
	else if (guessed >= 0 && slide)
		out_note(out,
			 "Guessed: the kernel runs 0x%" PRIx64
			 " above its symbols (KASLR); %s of the places fit.",
			 slide, units_share(guessed, share));
}
