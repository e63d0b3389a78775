// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - find the run to show and apply the filter options; see db.h
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/limits.h"
#include "analyzer/query/near.h"
#include "analyzer/query/queries.h"
#include "analyzer/query/ranges.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/rowids.h"
#include "analyzer/query/vms.h"
#include "base/array.h"
#include "base/units.h"

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * Whether times of the run can be computed with. No TSC runs at 100 GHz, and none counts for
 * 30 years; a sum of all vCPUs' times has room above that.
 */
static bool is_possible(const struct run *run)
{
	const int64_t most_khz = 100000000, most_seconds = INT64_C(1000000000);

	return run->tsc_khz > 0 && run->tsc_khz <= most_khz && run->tsc_start >= 0 &&
	       run->length_cycles >= 0 &&
	       run->length_cycles / run->tsc_khz <= most_seconds * 1000 &&
	       run->length_cycles <= INT64_MAX / 4 && run->rollup_cycles > 0 &&
	       run->rollup_cycles <= 60000 * run->tsc_khz && run->hist_cycles > 0 &&
	       run->hist_cycles <= 60000 * run->tsc_khz &&
	       run->hist_cycles % run->rollup_cycles == 0;
}

static int read_columns(struct app *app, sqlite3_stmt *stmt, struct run *run)
{
	run->id = sqlite3_column_int64(stmt, 0);

	run->label = db_text(stmt, 1);
	/* Its collector is dead: the next one will say so in the file. */
	run->state = db_text(stmt, 2);
	if (run->state && !app->written && !strcmp(run->state, "recording")) {
		free(run->state);
		run->state = strdup("interrupted");
	}

	run->environment = db_text(stmt, 3);
	run->source = db_text(stmt, 4);
	run->ept = db_text(stmt, 17);
	run->command = db_text(stmt, 18);

	run->isa = sqlite3_column_int(stmt, 5);
	run->tsc_khz = sqlite3_column_int64(stmt, 6);
	run->tsc_start = sqlite3_column_int64(stmt, 7);
	run->length_cycles = sqlite3_column_int64(stmt, 8);
	run->rollup_cycles = sqlite3_column_int64(stmt, 9);
	run->hist_cycles = sqlite3_column_int64(stmt, 10);
	run->has_raw = (enum raw_rows)sqlite3_column_int(stmt, 11);
	run->has_split = sqlite3_column_int(stmt, 12);
	run->has_polled = sqlite3_column_int(stmt, 19);

	run->exits = sqlite3_column_int64(stmt, 13);
	run->dropped = sqlite3_column_int64(stmt, 14);
	run->filtered = sqlite3_column_int64(stmt, 15);
	run->unread = sqlite3_column_int64(stmt, 16);
	run->unseen = sqlite3_column_int64(stmt, 20);

	if (!run->label || !run->state || !run->environment || !run->source || !run->ept ||
	    !run->command)
		return app_fail(app, "out of memory");

	if (!is_possible(run))
		return app_fail(
			app,
			"%s: run %" PRId64
			" has an impossible TSC frequency, length or interval (the database is damaged)",
			app->path, run->id);

	/* Both kinds of sums have a boundary there. */
	run->grid_cycles =
		run->rollup_cycles / gcd(run->rollup_cycles, run->hist_cycles) * run->hist_cycles;
	return 0;
}

/* No run has the number or label @name. */
static int no_run(struct app *app, const char *name)
{
	unsigned int distance = NEAR_NONE;
	char near[64] = "";
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, "SELECT label FROM run"))
		return -1;
	while ((rc = db_step(app, stmt)) > 0) {
		const char *label = (const char *)sqlite3_column_text(stmt, 0), *found = NULL;

		/* The label is gone with the next row. */
		if (label)
			near_best(name, label, &found, &distance);
		if (found)
			snprintf(near, sizeof(near), "%s", found);
	}
	sqlite3_finalize(stmt);

	if (rc < 0)
		return -1;
	if (*near)
		return app_fail(app, "%s: no run %s (did you mean %s?)", app->path, name, near);
	return app_fail(app, "%s: no run %s (analyzer runs lists them)", app->path, name);
}

static int find_run(struct app *app, const char *name, struct run *run)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, query_run_find))
		return -1;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = db_step(app, stmt);

	if (rc > 0)
		rc = read_columns(app, stmt, run);
	else if (!rc && name)
		rc = no_run(app, name);
	else if (!rc)
		rc = app_fail(app, "%s: no run in it (record one with collector --db)", app->path);
	sqlite3_finalize(stmt);
	return rc;
}

/* No vCPU passes --vm and --vcpu. */
static int no_vcpu(struct app *app, const struct run *run)
{
	const char *vm = app->filter.vm, *near = NULL;
	unsigned int distance = NEAR_NONE;

	for (unsigned int i = 0; vm && i < run->n_vms; i++)
		near_best(vm, run->vms[i].name, &near, &distance);
	if (near && distance)
		return app_fail(app, "run %" PRId64 ": no such VM: --vm %s (did you mean %s?)",
				run->id, vm, near);
	if (vm && !app->filter.vcpu)
		return app_fail(app,
				"run %" PRId64
				": no such VM: --vm %s (analyzer runs --vcpus lists them)",
				run->id, vm);
	return app_fail(app,
			"run %" PRId64
			": no such vCPU: %s%s%s--vcpu %s (analyzer runs --vcpus lists them)",
			run->id, vm ? "--vm " : "", vm ? vm : "", vm ? " " : "",
			app->filter.vcpu ? app->filter.vcpu : "any");
}

static int add_vcpu(struct app *app, struct run *run, sqlite3_stmt *stmt)
{
	struct vcpu_ref *more = array_reserve(run->vcpus, run->n_vcpus, 1, sizeof(*more));

	if (!more)
		return app_fail(app, "out of memory");
	run->vcpus = more;
	more[run->n_vcpus++] = (struct vcpu_ref){
		.id = sqlite3_column_int64(stmt, 0),
		.vm = sqlite3_column_int64(stmt, 1),
		.vcpu_id = sqlite3_column_int64(stmt, 2),
		.begin = sqlite3_column_int64(stmt, 4),
		.end = sqlite3_column_int64(stmt, 5),
	};
	run->shown_exits += sqlite3_column_int64(stmt, 6);
	run->shown_dropped += sqlite3_column_int64(stmt, 7);
	run->shown_filtered += sqlite3_column_int64(stmt, 8);
	run->shown_unread += sqlite3_column_int64(stmt, 9);
	return 0;
}

/* The vCPUs of the run that --vm and --vcpu leave. */
static int find_vcpus(struct app *app, struct run *run)
{
	struct vms_filter vms = {.patterns = NULL};
	struct ranges vcpus;
	sqlite3_stmt *stmt;
	int rc;

	if (ranges_parse(app, "--vcpu", app->filter.vcpu, &vcpus) || vms_read(app, run) ||
	    vms_parse(app, app->filter.vm, &vms) || db_prepare(app, &stmt, query_run_vcpus)) {
		free(vms.patterns);
		return -1;
	}
	sqlite3_bind_int64(stmt, 1, run->id);
	sqlite3_bind_int64(stmt, 2, run->tsc_start);
	sqlite3_bind_int64(stmt, 3, run->length_cycles);
	while ((rc = db_step(app, stmt)) > 0) {
		const struct vm_ref *vm = vms_find(run, sqlite3_column_int64(stmt, 1));

		if (vm && vms_pass(&vms, vm) && ranges_has(&vcpus, sqlite3_column_int64(stmt, 2)) &&
		    add_vcpu(app, run, stmt)) {
			rc = -1;
			break;
		}
	}
	sqlite3_finalize(stmt);
	free(vms.patterns);
	run->shown_unseen = app->filter.vm || app->filter.vcpu ? 0 : run->unseen;
	run->shown_dropped += run->shown_unseen;

	if (!rc && !run->n_vcpus && (app->filter.vm || app->filter.vcpu))
		return no_vcpu(app, run);
	return rc;
}

static int one_number(struct app *app, const char *sql, int64_t run, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(app, &stmt, sql))
		return -1;
	if (sqlite3_bind_parameter_count(stmt))
		sqlite3_bind_int64(stmt, 1, run);
	rc = db_step(app, stmt);
	*value = rc > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* The same of a run whose exits are in chunks; @first stays if it has rows. */
static int find_first_chunk(struct app *app, const struct run *run, int64_t *first)
{
	int64_t chunks, from;

	if (one_number(app, query_run_chunks, run->id, &chunks) ||
	    (chunks && one_number(app, query_run_first_chunk, run->id, &from)))
		return -1;
	if (chunks)
		*first = from;
	return 0;
}

/* Where the rows of a run begin that keeps the last ones only. */
static int find_rows(struct app *app, struct run *run)
{
	int64_t first, begin;

	run->rows_start_cycles = 0;
	if (run->has_raw != RAW_LAST)
		return 0;

	if (one_number(app, query_run_first_row, run->id, &first) ||
	    (app->has_chunks && find_first_chunk(app, run, &first)) ||
	    one_number(app, query_run_first_exit, run->id, &begin))
		return -1;
	/* That of a forged exit may be before the run. */
	if (first > begin && first > run->tsc_start)
		run->rows_start_cycles = first - run->tsc_start;
	return 0;
}

/* Whether KVM's totals say of which reasons all dropped exits were. */
static int find_totals(struct app *app, struct run *run)
{
	int64_t dropped, totals;

	if (one_number(app, query_run_dropped, run->id, &dropped) ||
	    one_number(app, query_run_totals, run->id, &totals))
		return -1;
	run->has_totals = totals && dropped == run->dropped;
	return 0;
}

/* --from and --to: exact where there are rows, else moved out to whole intervals. */
static int set_window(struct app *app, struct run *run)
{
	const struct filter *filter = &app->filter;
	int64_t length_ns = cycles_to_ns(run->length_cycles, run->tsc_khz);
	char lasted[UNITS_TEXT];

	run->filter = *filter;
	run->from = 0;
	run->to = INT64_MAX;
	run->widened = false;
	run->follows = false;
	run->by_rows = false;
	run->first_row = INT64_MIN;
	run->last_row = INT64_MAX;
	if (filter->from_ns >= 0 && filter->to_ns >= 0 && filter->from_ns >= filter->to_ns)
		return app_fail(app, "--from must be before --to");
	if (!filter->to_ns)
		return app_fail(app, "--to must be after the start of the run, 0");
	if (filter->from_ns > length_ns)
		return app_fail(app, "--from is after the end of run %" PRId64 ", which lasted %s",
				run->id, units_ns((double)length_ns, lasted));

	if (filter->from_ns >= 0)
		run->from = ns_to_cycles(filter->from_ns, run->tsc_khz);
	if (filter->to_ns >= 0 && filter->to_ns < length_ns)
		run->to = ns_to_cycles(filter->to_ns, run->tsc_khz);
	if (run_is_whole(run))
		return 0;

	run->by_rows = run->has_raw == RAW_ALL ||
		       (run->has_raw == RAW_LAST && run->from >= run->rows_start_cycles);
	if (!run->by_rows) {
		int64_t from = run->from, to = run->to;

		run->from = run_grid_from(run);
		run->to = run_grid_to(run);
		run->widened = run->from != from || run->to != to;
	}

	return run->by_rows ? rowids_find(app, run) : 0;
}

bool run_knows_unread(const struct run *run)
{
	return !strcmp(run->source, "device") || !strcmp(run->source, "capture");
}

bool run_is_whole(const struct run *run)
{
	return !run->from && run->to == INT64_MAX;
}

/* Whether the run has sums of long intervals; files made before they were known
 * have no table for them.
 */
static int find_coarse(struct app *app, struct run *run)
{
	int64_t found;

	if (one_number(app, "SELECT count(*) FROM sqlite_schema WHERE name = 'exit_rollup_coarse'",
		       0, &found))
		return -1;
	if (found && one_number(app, query_run_coarse, run->id, &found))
		return -1;
	run->coarse = found;
	return 0;
}

/* Dropped exits: of @placed is known where; at most @most and at least @least are in the window. */
struct window_losses {
	int64_t placed;
	int64_t most;
	int64_t least;
};

static int add_losses(struct app *app, sqlite3_stmt *stmt, const struct run *run, int64_t vcpu,
		      struct window_losses *losses)
{
	int64_t to = run->tsc_start;
	int rc;

	if (__builtin_add_overflow(to, run_grid_to(run), &to))
		to = INT64_MAX;
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, vcpu);
	sqlite3_bind_int64(stmt, 2, run->tsc_start + run_grid_from(run));
	sqlite3_bind_int64(stmt, 3, to);
	rc = db_step(app, stmt);
	if (rc > 0) {
		losses->placed += sqlite3_column_int64(stmt, 0);
		losses->most += sqlite3_column_int64(stmt, 1);
		losses->least += sqlite3_column_int64(stmt, 2);
	}
	return rc < 0 ? -1 : 0;
}

/* Losses have no place where only a number of them is known. */
static int find_window_losses(struct app *app, struct run *run)
{
	struct window_losses losses = {0};
	sqlite3_stmt *stmt;
	int rc = 0;

	run->window_lost_most = -1;
	run->window_is_complete = !run->shown_dropped;
	if (run->window_is_complete || run_is_whole(run) || run->shown_unseen)
		return 0;
	if (db_prepare(app, &stmt, query_run_window_lost))
		return -1;
	for (unsigned int i = 0; i < run->n_vcpus && !rc; i++)
		rc = add_losses(app, stmt, run, run->vcpus[i].id, &losses);
	sqlite3_finalize(stmt);
	if (losses.placed == run->shown_dropped) {
		run->window_is_complete = !losses.most;
		run->window_lost_least = losses.least;
		run->window_lost_most = losses.most;
	}
	return rc;
}

int run_set_window(struct app *app, struct run *run)
{
	return set_window(app, run) || find_window_losses(app, run) ? -1 : 0;
}

int run_open(struct app *app, const char *name, struct run *run)
{
	memset(run, 0, sizeof(*run));
	if (find_run(app, name, run) || limits_read(app, run) || find_vcpus(app, run) ||
	    find_coarse(app, run) || find_rows(app, run) || find_totals(app, run) ||
	    run_set_window(app, run) || reason_filter(app, run))
		return -1;
	return 0;
}

void run_close(struct run *run)
{
	free(run->label);
	free(run->state);
	free(run->environment);
	free(run->source);
	free(run->ept);
	free(run->command);
	free(run->vcpus);
	vms_free(run);
	memset(run, 0, sizeof(*run));
}

int run_nothing(struct app *app)
{
	if (!app->run.exits)
		return app_fail(app, "run %" PRId64 " \"%s\": no exit was recorded", app->run.id,
				app->run.label);
	return app_fail(app, "run %" PRId64 " \"%s\": no exit matches the options", app->run.id,
			app->run.label);
}

/* A run's vCPUs have ids in a row, mostly in the order of the list; else a plain scan. */
const struct vcpu_ref *run_find_vcpu(const struct run *run, int64_t id)
{
	uint64_t at = run->n_vcpus ? (uint64_t)id - (uint64_t)run->vcpus[0].id : 0;

	if (at < run->n_vcpus && run->vcpus[at].id == id)
		return &run->vcpus[at];
	for (unsigned int i = 0; i < run->n_vcpus; i++)
		if (run->vcpus[i].id == id)
			return &run->vcpus[i];
	return NULL;
}

bool run_has_vcpu(const struct run *run, int64_t id)
{
	return run_find_vcpu(run, id);
}

int64_t run_vm_of(const struct run *run, int64_t id)
{
	const struct vcpu_ref *vcpu = run_find_vcpu(run, id);

	return vcpu ? vcpu->vm : -1;
}

int64_t run_grid_from(const struct run *run)
{
	if (run->by_rows)
		return run->from;
	return run->from / run->grid_cycles * run->grid_cycles;
}

int64_t run_grid_to(const struct run *run)
{
	if (run->by_rows || run->to == INT64_MAX)
		return run->to;
	return (run->to + run->grid_cycles - 1) / run->grid_cycles * run->grid_cycles;
}

static int64_t length(const struct run *run, int64_t from, int64_t to)
{
	int64_t end = to < run->length_cycles ? to : run->length_cycles;

	return end > from ? end - from : 0;
}

/* The life of a vCPU from @from to @to; *@begin is not after *@end. */
static void clip_life(const struct run *run, const struct vcpu_ref *vcpu, int64_t from, int64_t to,
		      int64_t *begin, int64_t *end)
{
	*begin = vcpu->begin > from ? vcpu->begin : from;
	*end = vcpu->end < to ? vcpu->end : to;
	if (*end > run->length_cycles)
		*end = run->length_cycles;
	if (*end < *begin)
		*end = *begin;
}

double run_vcpu_time(const struct run *run, int64_t from, int64_t to)
{
	double sum = 0;

	for (unsigned int i = 0; i < run->n_vcpus; i++) {
		int64_t begin, end;

		clip_life(run, &run->vcpus[i], from, to, &begin, &end);
		sum += (double)(end - begin);
	}
	return sum;
}

void run_clip_life(const struct run *run, const struct vcpu_ref *vcpu, int64_t *begin, int64_t *end)
{
	clip_life(run, vcpu, run_grid_from(run), run_grid_to(run), begin, end);
}

int64_t run_length(const struct run *run)
{
	return length(run, run->from, run->to);
}

int64_t run_grid_length(const struct run *run)
{
	return length(run, run_grid_from(run), run_grid_to(run));
}

int run_needs_rows(struct app *app, const struct run *run)
{
	if (run->has_raw != RAW_NONE)
		return 0;
	return app_fail(
		app,
		"run %" PRId64
		" \"%s\" has no single exits (recorded with --no-raw), only sums by reason and vCPU",
		run->id, run->label);
}

/* The window that was asked for, not moved out to whole intervals: of rows alone. */
static void set_exact_range(struct run *run)
{
	if (run->widened && run->from)
		run->from = ns_to_cycles(run->filter.from_ns, run->tsc_khz);
	if (run->widened && run->to != INT64_MAX)
		run->to = ns_to_cycles(run->filter.to_ns, run->tsc_khz);
	run->widened = false;
	run->by_rows = true;
}

int run_rows(struct app *app, struct run *run)
{
	if (run_needs_rows(app, run))
		return -1;
	if (run->has_raw == RAW_EVENTS) {
		set_exact_range(run);
		return 0;
	}
	if (run->rows_start_cycles <= run->from)
		return 0;

	if (run->rows_start_cycles >= run->to)
		return app_fail(
			app,
			"run %" PRId64
			" \"%s\" keeps single exits from %.3f s on only, which is after --to",
			run->id, run->label,
			(double)cycles_to_ns(run->rows_start_cycles, run->tsc_khz) / 1e9);
	set_exact_range(run);
	run->from = run->rows_start_cycles;
	return 0;
}
