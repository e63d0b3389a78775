// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - find the run to look at and apply the filter options; see db.h
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/limits.h"
#include "analyzer/query/reason.h"

#define RUN_COLUMNS                                                                                \
	"SELECT v.run, v.label, v.state, v.environment, v.source, r.isa, v.tsc_khz, v.tsc_start,"  \
	" v.duration_cycles, r.rollup_cycles, r.hist_cycles, v.has_raw, v.has_split, v.exits,"     \
	" v.dropped, v.filtered, v.unread, v.ept FROM runs v JOIN run r ON r.id = v.run "

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

static int take_row(struct app *app, sqlite3_stmt *stmt, struct run *run)
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
	run->isa = sqlite3_column_int(stmt, 5);
	run->tsc_khz = sqlite3_column_int64(stmt, 6);
	run->tsc_start = sqlite3_column_int64(stmt, 7);
	run->length_cycles = sqlite3_column_int64(stmt, 8);
	run->rollup_cycles = sqlite3_column_int64(stmt, 9);
	run->hist_cycles = sqlite3_column_int64(stmt, 10);
	run->has_raw = sqlite3_column_int(stmt, 11);
	run->has_split = sqlite3_column_int(stmt, 12);
	run->exits = sqlite3_column_int64(stmt, 13);
	run->dropped = sqlite3_column_int64(stmt, 14);
	run->filtered = sqlite3_column_int64(stmt, 15);
	run->unread = sqlite3_column_int64(stmt, 16);
	if (!run->label || !run->state || !run->environment || !run->source || !run->ept)
		return app_fail(app, "out of memory");
	if (!is_possible(run))
		return app_fail(
			app,
			"%s: run %" PRId64
			" has an impossible TSC frequency, length or interval (the database is damaged)",
			app->path, run->id);
	run->grid_cycles =
		run->rollup_cycles / gcd(run->rollup_cycles, run->hist_cycles) * run->hist_cycles;
	return 0;
}

/* A number names an id; anything else, or a number that is no id, a label. */
static int find_run(struct app *app, const char *name, struct run *run)
{
	sqlite3_stmt *stmt;
	int rc;

	if (db_prepare(
		    app, &stmt,
		    name ? RUN_COLUMNS
			    "WHERE v.run = CAST(?1 AS INTEGER) AND ?1 NOT GLOB '*[^0-9]*' OR v.label = ?1 ORDER BY v.label = ?1, v.run DESC LIMIT 1"
			 : RUN_COLUMNS "ORDER BY v.run DESC LIMIT 1"))
		return -1;
	if (name)
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = db_step(app, stmt);
	if (rc > 0)
		rc = take_row(app, stmt, run);
	else if (!rc && name)
		rc = app_fail(app, "%s: no run %s (analyzer runs lists them)", app->path, name);
	else if (!rc)
		rc = app_fail(app, "%s: no run in it (record one with collector --db)", app->path);
	sqlite3_finalize(stmt);
	return rc;
}

static int parse_id(struct app *app, const char *option, const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 0);
	if (errno || end == text || *end || *value < 0)
		return app_fail(app, "%s %s: not a number", option, text);
	return 0;
}

/* The vCPUs of the run that --vm and --vcpu leave. */
static int find_vcpus(struct app *app, struct run *run)
{
	int64_t vm = -1, vcpu = -1;
	sqlite3_stmt *stmt;
	int rc;

	if ((app->filter.vm && parse_id(app, "--vm", app->filter.vm, &vm)) ||
	    (app->filter.vcpu && parse_id(app, "--vcpu", app->filter.vcpu, &vcpu)))
		return -1;
	if (db_prepare(
		    app, &stmt,
		    "SELECT vcpu, vm, vcpu_id FROM coverage WHERE run = ?1 AND (?2 < 0 OR vm = ?2 OR tgid = ?2) AND (?3 < 0 OR vcpu_id = ?3) ORDER BY vm, vcpu_id, vcpu"))
		return -1;
	sqlite3_bind_int64(stmt, 1, run->id);
	sqlite3_bind_int64(stmt, 2, vm);
	sqlite3_bind_int64(stmt, 3, vcpu);
	while ((rc = db_step(app, stmt)) > 0) {
		struct vcpu_ref *more = realloc(run->vcpus, (run->n_vcpus + 1) * sizeof(*more));

		if (!more) {
			rc = app_fail(app, "out of memory");
			break;
		}
		run->vcpus = more;
		more[run->n_vcpus++] = (struct vcpu_ref){
			.id = sqlite3_column_int64(stmt, 0),
			.vm = sqlite3_column_int64(stmt, 1),
			.vcpu_id = sqlite3_column_int64(stmt, 2),
		};
	}
	sqlite3_finalize(stmt);
	if (!rc && !run->n_vcpus && (app->filter.vm || app->filter.vcpu))
		return app_fail(
			app,
			"run %" PRId64
			": no such vCPU: --vm %s --vcpu %s (analyzer runs --vcpus lists them)",
			run->id, app->filter.vm ? app->filter.vm : "any",
			app->filter.vcpu ? app->filter.vcpu : "any");
	return rc;
}

static int set_range(struct app *app, struct run *run)
{
	const struct filter *filter = &app->filter;
	int64_t length_ns = cycles_to_ns(run->length_cycles, run->tsc_khz);

	run->from = 0;
	run->to = INT64_MAX;
	if (filter->from_ns >= 0 && filter->to_ns >= 0 && filter->from_ns >= filter->to_ns)
		return app_fail(app, "--from must lie before --to");
	if (filter->from_ns > length_ns)
		return app_fail(
			app, "--from lies behind the end of run %" PRId64 ", which lasted %.3f s",
			run->id, (double)length_ns / 1e9);
	if (filter->from_ns >= 0)
		run->from = ns_to_cycles(filter->from_ns, run->tsc_khz);
	if (filter->to_ns >= 0 && filter->to_ns < length_ns)
		run->to = ns_to_cycles(filter->to_ns, run->tsc_khz);
	return 0;
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

/* Whether the run has sums of long intervals; files made before they were known
 * have no table for them.
 */
static int find_coarse(struct app *app, struct run *run)
{
	int64_t found;

	if (one_number(app, "SELECT count(*) FROM sqlite_schema WHERE name = 'exit_rollup_coarse'",
		       0, &found))
		return -1;
	if (found &&
	    one_number(
		    app,
		    "SELECT EXISTS (SELECT 1 FROM exit_rollup_coarse WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1))",
		    run->id, &found))
		return -1;
	run->coarse = found;
	return 0;
}

int run_open(struct app *app, const char *name, struct run *run)
{
	memset(run, 0, sizeof(*run));
	if (find_run(app, name, run) || limits_read(app, run) || find_vcpus(app, run) ||
	    find_coarse(app, run) || set_range(app, run) || reason_filter(app, run))
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
	free(run->vcpus);
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

/* Few vCPUs, mostly asked for in order: a plain scan. */
bool run_has_vcpu(const struct run *run, int64_t id)
{
	for (unsigned int i = 0; i < run->n_vcpus; i++)
		if (run->vcpus[i].id == id)
			return true;
	return false;
}

int64_t run_grid_from(const struct run *run)
{
	return run->from / run->grid_cycles * run->grid_cycles;
}

int64_t run_grid_to(const struct run *run)
{
	if (run->to == INT64_MAX)
		return INT64_MAX;
	return (run->to + run->grid_cycles - 1) / run->grid_cycles * run->grid_cycles;
}

static int64_t length(const struct run *run, int64_t from, int64_t to)
{
	int64_t end = to < run->length_cycles ? to : run->length_cycles;

	return end > from ? end - from : 0;
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
	if (run->has_raw)
		return 0;
	return app_fail(
		app,
		"run %" PRId64
		" \"%s\" has no single exits (recorded with --no-raw), only sums by reason and vCPU",
		run->id, run->label);
}

int run_rows(struct app *app, struct run *run)
{
	int64_t first, begin;

	if (run_needs_rows(app, run))
		return -1;
	if (run->has_raw == 1)
		return 0;
	if (one_number(
		    app,
		    "SELECT e.tsc FROM exit e WHERE e.vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1) ORDER BY e.rowid LIMIT 1",
		    run->id, &first))
		return -1;
	if (one_number(
		    app,
		    "SELECT min(first_tsc) FROM exit_rollup WHERE vcpu IN (SELECT vcpu FROM coverage WHERE run = ?1)",
		    run->id, &begin))
		return -1;
	first -= run->tsc_start;
	if (first <= run->from || first <= begin - run->tsc_start)
		return 0;
	if (first >= run->to)
		return app_fail(
			app,
			"run %" PRId64
			" \"%s\" keeps single exits from %.3f s on only, which is behind --to",
			run->id, run->label, (double)cycles_to_ns(first, run->tsc_khz) / 1e9);
	run->from = first;
	run->rows_from = first;
	return 0;
}
