// SPDX-License-Identifier: GPL-2.0-only
/* main.c - the judge's command line: one witness, any number of recordings of the same boot */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/witness/help.h"
#include "testbed/witness/judge.h"
#include "testbed/witness/store.h"

#define EXIT_EQUAL    0
#define EXIT_DIFFER   1
#define EXIT_UNUSABLE 2
#define WHY_BYTES     256

struct options {
	struct window window;
	bool may_have_others;
	bool is_storing;
	bool is_json;
	bool has_reasons;
};

/* What all databases together have. */
struct totals {
	uint8_t *is_accounted; /* of each exit */
	bool has_faults;
};

static void print_json_spread(const char *name, const struct spread *spread)
{
	if (spread->count)
		printf(",\"%s\":[%" PRIu64 ",%" PRIu64 "]", name, spread->min, spread->max);
}

static void print_json_faults(const struct verdict *verdict)
{
	const char *separator = "";

	printf(",\"faults\":[");
	for (int i = 0; i < FAULTS; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (!finding->count)
			continue;
		/* The sentences and numbers have no character that JSON would escape. */
		printf("%s{\"fault\":\"%s\",\"n\":%" PRIu64 ",\"what\":\"%s\",\"first\":\"%s\"}",
		       separator, verdict_word(i), finding->count, verdict_text(i), finding->first);
		separator = ",";
	}
	printf("]");
}

static void print_json_reasons(const struct verdict *verdict)
{
	printf(",\"reasons\":[");
	for (uint32_t i = 0; i < verdict->reason_count; i++) {
		const struct distances *of = &verdict->reasons[i];

		printf("%s{\"reason\":%" PRIu32 ",\"n\":%" PRIu64 ",\"after_exit_mean\":%" PRIu64
		       ",\"before_entry_mean\":%" PRIu64,
		       i ? "," : "", of->reason, of->after_exit.count, spread_mean(&of->after_exit),
		       spread_mean(&of->before_entry));
		print_json_spread("after_exit", &of->after_exit);
		print_json_spread("before_entry", &of->before_entry);
		printf("}");
	}
	printf("]");
}

static void print_json(const struct verdict *verdict)
{
	printf("{\"records\":%" PRIu64 ",\"matched\":%" PRIu64 ",\"synthesized\":%" PRIu64
	       ",\"nested\":%" PRIu64 ",\"unmatched\":%" PRIu64 ",\"after\":%" PRIu64
	       ",\"fields\":%" PRIu64,
	       verdict->records, verdict->matched, verdict->synthesized, verdict->nested,
	       verdict->unmatched, verdict->after, verdict->fields);
	print_json_spread("after_exit", &verdict->after_exit);
	print_json_spread("before_entry", &verdict->before_entry);
	print_json_reasons(verdict);
	print_json_faults(verdict);
	printf("}");
}

static void print_distance(const char *what, const struct spread *spread)
{
	printf("; %s %" PRIu64 " to %" PRIu64 ", mean %" PRIu64, what, spread->min, spread->max,
	       spread_mean(spread));
}

static void print_reasons(const struct verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->reason_count; i++) {
		const struct distances *of = &verdict->reasons[i];

		printf("    reason %#" PRIx32 ": %" PRIu64 " exits", of->reason,
		       of->after_exit.count);
		print_distance("after the exit", &of->after_exit);
		print_distance("before the entry", &of->before_entry);
		printf("\n");
	}
}

static void print_text(const struct options *options, const char *path,
		       const struct verdict *verdict)
{
	printf("%s: %s: %" PRIu64 " records, %" PRIu64 " of an exit of the CPU, %" PRIu64
	       " synthesized; %" PRIu64 " exits counted without a record; %" PRIu64
	       " fields compared\n",
	       path, verdict_is_equal(verdict) ? "equal" : "DIFFERENT", verdict->records,
	       verdict->matched, verdict->synthesized, verdict->unmatched, verdict->fields);
	if (verdict->before_entry.count)
		printf("    stamped %" PRIu64 " to %" PRIu64 " cycles after the exit, %" PRIu64
		       " to %" PRIu64 " before the entry\n",
		       verdict->after_exit.min, verdict->after_exit.max, verdict->before_entry.min,
		       verdict->before_entry.max);
	if (options->has_reasons)
		print_reasons(verdict);

	for (int i = 0; i < FAULTS; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (finding->count)
			printf("    %" PRIu64 " %s; first: %s\n", finding->count, verdict_text(i),
			       finding->first);
	}
}

static void add_to_totals(struct totals *totals, const struct judgement *judgement)
{
	for (uint32_t i = 0; i < judgement->events->count; i++) {
		if (judgement->vcpu_of[i] != EVENTS_NONE || judgement->is_counted[i])
			totals->is_accounted[i] = 1;
	}
	if (!verdict_is_equal(&judgement->verdict))
		totals->has_faults = true;
}

/* Returns 0, or -1 and why the database can't be judged. */
static int judge_database(const struct options *options, struct events *events, const char *path,
			  struct totals *totals, char *why)
{
	struct recording recording;
	struct judgement judgement = {
		.events = events,
		.recording = &recording,
		.scope = options->window,
		.may_have_others = options->may_have_others,
	};
	int rc = recording_open(&recording, path, options->is_storing, why, WHY_BYTES);

	if (rc > 0 && options->is_json)
		printf("{\"skipped\":\"%s\"}", why);
	else if (rc > 0)
		printf("%s: not judged: %s\n", path, why);
	if (rc)
		return rc > 0 ? 0 : -1;

	if (recording.isa != events->file->isa) {
		snprintf(why, WHY_BYTES, "the witness is of another kind of CPU");
		recording_close(&recording);
		return -1;
	}

	rc = judge(&judgement);
	if (rc)
		snprintf(why, WHY_BYTES, "out of memory");
	else if (options->is_storing)
		rc = store_counts(&judgement, why, WHY_BYTES);
	if (!rc) {
		add_to_totals(totals, &judgement);
		if (options->is_json)
			print_json(&judgement.verdict);
		else
			print_text(options, path, &judgement.verdict);
	}

	judge_free(&judgement);
	recording_close(&recording);
	return rc ? -1 : 0;
}

/* The exits in the window, and those of them that no recording accounts for. */
static void print_totals(const struct options *options, const struct events *events,
			 const struct totals *totals)
{
	uint64_t exits = 0;
	uint64_t accounted = 0;

	for (uint32_t i = 0; i < events->count; i++) {
		uint64_t tsc = events->exits[i].exit_tsc;

		if (tsc < options->window.begin || tsc > options->window.end)
			continue;
		exits++;
		accounted += totals->is_accounted[i];
	}

	if (options->is_json)
		printf("],\"exits\":%" PRIu64 ",\"accounted\":%" PRIu64
		       ",\"exact\":%s,\"isa\":%u,\"cpus\":%u}\n",
		       exits, accounted, events->file->exact ? "true" : "false", events->file->isa,
		       events->file->cpus);
	else
		printf("CPU: %" PRIu64 " exits, %" PRIu64 " of them in these recordings\n", exits,
		       accounted);
}

static int judge_all(const struct options *options, struct events *events, char **paths)
{
	struct totals totals = {.is_accounted = calloc(events->count + 1UL, 1)};
	char why[WHY_BYTES];
	int status = EXIT_EQUAL;

	if (!totals.is_accounted) {
		fprintf(stderr, "judge: out of memory\n");
		return EXIT_UNUSABLE;
	}

	if (options->is_json)
		printf("{\"databases\":[");
	for (int i = 0; paths[i] && status == EXIT_EQUAL; i++) {
		if (options->is_json && i)
			printf(",");
		if (judge_database(options, events, paths[i], &totals, why)) {
			fprintf(stderr, "judge: %s: %s\n", paths[i], why);
			status = EXIT_UNUSABLE;
		}
	}

	if (status == EXIT_EQUAL) {
		print_totals(options, events, &totals);
		status = totals.has_faults ? EXIT_DIFFER : EXIT_EQUAL;
	}
	free(totals.is_accounted);
	return status;
}

static bool parse_window(const char *text, struct window *window)
{
	char *end;

	errno = 0;
	window->begin = strtoull(text, &end, 10);
	if (end == text || *end != ':')
		return false;

	text = end + 1;
	window->end = strtoull(text, &end, 10);
	return end != text && !*end && !errno;
}

/* Returns whether the command line can be followed; complains if not. */
static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{"window", required_argument, NULL, 'w'},
		{"others", no_argument, NULL, 'o'},
		{"store", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"reasons", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case 'w':
			if (parse_window(optarg, &options->window))
				break;
			fprintf(stderr,
				"judge: --window: %s: not two times BEGIN:END (judge --help)\n",
				optarg);
			return false;
		case 'o':
			options->may_have_others = true;
			break;
		case 's':
			options->is_storing = true;
			break;
		case 'j':
			options->is_json = true;
			break;
		case 'r':
			options->has_reasons = true;
			break;
		case 'h':
			fputs(judge_help, stdout);
			exit(EXIT_EQUAL);
		default:
			return false;
		}
	}

	if (optind == argc)
		fputs("judge: WITNESS: missing (judge --help)\n", stderr);
	return optind < argc;
}

int main(int argc, char **argv)
{
	struct options options = {.window = {0, UINT64_MAX}};
	struct events events;
	char why[WHY_BYTES];
	int status;

	if (!parse_options(argc, argv, &options))
		return EXIT_UNUSABLE;
	if (events_open(&events, argv[optind], why, sizeof(why))) {
		fprintf(stderr, "judge: %s\n", why);
		return EXIT_UNUSABLE;
	}

	status = judge_all(&options, &events, argv + optind + 1);
	events_close(&events);
	return status;
}
