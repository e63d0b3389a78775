// SPDX-License-Identifier: GPL-2.0-only
/*
 * findings.c - applies the rules and sorts what they find; see findings.h
 */
#include "analyzer/query/findings/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/findings/rules.h"
#include "base/array.h"
#include "base/units.h"

#define LOSS_SHARE 0.01 /* of the exits */

int findings_add(struct findings *findings, struct app *app, const struct finding *finding)
{
	struct finding *more = array_reserve(findings->finding, findings->count, 1, sizeof(*more));

	if (!more)
		return app_fail(app, "out of memory");
	findings->finding = more;
	more[findings->count++] = *finding;
	return 0;
}

/* Losses first: they may change all else. Then steal: what waits for a CPU makes all else slow. */
static int rank(const struct finding *finding)
{
	if (!strcmp(finding->rule, "losses"))
		return 0;
	return strcmp(finding->rule, "steal") ? 2 : 1;
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp(x->rule, y->rule) ? strcmp(x->rule, y->rule)
					: (x->vm > y->vm) - (x->vm < y->vm);
}

/* What the recording does not allow to say. */
static void note_limits(const struct findings_data *data, struct findings *findings)
{
	if (data->run->no_durations)
		findings->limits[findings->n_limits++] =
			"Rules about time were not applied: this recording has no durations.";
	else if (!data->is_real)
		findings->limits[findings->n_limits++] =
			"Rules about time were not applied: this recording's times are not those of real hardware.";
	else if (!data->has_states)
		findings->limits[findings->n_limits++] =
			"Rules about halted, user-space and waiting time were not applied: the source does not tell them apart.";
	if (!data->has_keys)
		findings->limits[findings->n_limits++] =
			"Rules about ports, MSRs and addresses were not applied: not all single exits were kept.";
	if (!data->is_whole)
		findings->limits[findings->n_limits++] =
			"Rules about shares of exits were not applied: exits were left out on request while recording.";
}

/* Records that are missing: what was recorded may not stand for the rest. */
static int find_losses(struct app *app, const struct findings_data *data, struct findings *findings)
{
	const struct run *run = data->run;
	/* Of the window, where it is known. */
	int64_t lost = run->window_lost_most >= 0 ? run->window_lost_most : run->shown_dropped;
	int64_t all = (run_is_whole(run) ? run->shown_exits : (int64_t)data->total.n) + lost;
	bool is_at_most = run->window_lost_most > run->window_lost_least;
	char dropped[UNITS_TEXT], total[UNITS_TEXT], unseen[UNITS_TEXT];
	struct finding finding = {
		.rule = "losses",
		.vm = -1,
		.weight = all ? (double)lost / (double)all : 0,
		.threshold = "1 % of the exits",
		.remedy =
			"Record less or faster: larger rings (ring_records of kvm.ko; collector --ring-records, --trace-buffer), fewer exits (collector --vm, --reason, --min-time, --one-in), a collector that gets its CPU; on_full=wait of kvm.ko loses none and slows the guest down.",
		.source = "kvm_exit_ring(4)",
	};

	if (finding.weight < LOSS_SHARE || run->window_is_complete)
		return 0;

	snprintf(finding.title, sizeof(finding.title),
		 "Records are missing: %.1f %% of the exits were dropped", 100 * finding.weight);
	snprintf(
		finding.evidence, sizeof(finding.evidence),
		"%s%s of %s exits%s%s%s; all below is of those that were recorded, and they need not be like the others",
		is_at_most		 ? "up to "
		: run->dropped_estimated ? "about "
					 : "",
		units_count(lost, dropped), units_count(all, total), run->shown_unseen ? ", " : "",
		run->shown_unseen ? units_count(run->shown_unseen, unseen) : "",
		run->shown_unseen ? " of them of vCPUs that are not in the recording" : "");

	return findings_add(findings, app, &finding);
}

int findings_read(struct app *app, const struct run *run, const struct agg *keys,
		  struct findings *findings)
{
	struct findings_data data = {.app = app};
	int rc;

	memset(findings, 0, sizeof(*findings));
	if (run->filter.reason)
		return app_fail(app, "--reason: findings need all exits (leave it out)");

	rc = findings_data_read(app, run, false, keys, &data);
	if (!rc)
		rc = find_losses(app, &data, findings);
	if (!rc)
		rc = findings_apply_time(&data, findings);
	if (!rc)
		rc = findings_apply_memory(&data, findings);
	if (!rc)
		rc = findings_apply_shares(&data, findings);
	if (!rc)
		array_sort(findings->finding, findings->count, sizeof(*findings->finding), compare);
	if (!rc)
		note_limits(&data, findings);
	findings_data_free(&data);
	return rc;
}

int findings_read_steal(struct app *app, const struct run *run, struct findings *findings)
{
	struct findings_data data = {.app = app};
	int rc;

	memset(findings, 0, sizeof(*findings));
	if (run->filter.reason)
		return 0;

	rc = findings_data_read(app, run, true, NULL, &data);
	if (!rc)
		rc = findings_apply_steal(&data, findings);
	if (!rc)
		array_sort(findings->finding, findings->count, sizeof(*findings->finding), compare);
	findings_data_free(&data);
	return rc;
}

void findings_free(struct findings *findings)
{
	free(findings->finding);
	memset(findings, 0, sizeof(*findings));
}
