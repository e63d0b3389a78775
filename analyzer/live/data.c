// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - the sums of a recording in progress; see data.h
 */
#include "analyzer/live/data.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"

#define KEEP_S 20 /* seconds that are read again at each poll */

double live_clock(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Add the sums of all groups. */
static int add_all(struct app *app, struct agg *to, const struct agg *from)
{
	for (uint32_t i = 0; i < from->groups; i++) {
		struct group *group = agg_group(to, from->group[i].key);

		if (!group)
			return app_fail(app, "out of memory");
		group_add(group, &from->group[i]);
	}
	return 0;
}

/* Add what the roll-ups hold from @from to @to, in cycles since the start. */
static int add_range(struct live *live, int64_t from, int64_t to, struct agg *sums)
{
	struct run part = live->app->run;
	struct agg agg = {0};
	int rc;

	part.from = from;
	part.to = to;
	rc = agg_read(live->app, &part, BY_REASON, 0, &agg);
	if (!rc)
		rc = add_all(live->app, sums, &agg);
	agg_free(&agg);
	return rc;
}

/* live->total = base + all that came since. */
static int sum_up(struct live *live)
{
	agg_free(&live->total);
	if (add_all(live->app, &live->total, &live->base))
		return -1;
	return add_range(live, live->cut, INT64_MAX, &live->total);
}

/* Let the base grow up to KEEP_S seconds before the end. */
static int move_cut(struct live *live)
{
	const struct run *run = &live->app->run;
	int64_t cut = run->length_cycles - KEEP_S * run->tsc_khz * 1000;
	int rc;

	cut -= cut % run->grid_cycles;
	if (cut <= live->cut)
		return 0;
	rc = add_range(live, live->cut, cut, &live->base);
	live->cut = cut;
	return rc;
}

static int read_recent(struct live *live)
{
	struct run part = live->app->run;
	int64_t from = part.length_cycles - LIVE_RECENT_S * part.tsc_khz * 1000;

	part.from = from > 0 ? from : 0;
	part.to = INT64_MAX;
	agg_free(&live->recent);
	return agg_read(live->app, &part, BY_REASON, AGG_DIST, &live->recent);
}

/* Another run than before: begin again. */
static void reset(struct live *live)
{
	agg_free(&live->base);
	agg_free(&live->total);
	live->run_id = live->app->run.id;
	live->cut = 0;
	live->polls = 0;
	live->dropped_before = 0;
}

static int read_sums(struct live *live)
{
	struct run *run = &live->app->run;

	run_close(run);
	if (run_open(live->app, live->app->filter.run, run))
		return -1;
	if (run->id != live->run_id)
		reset(live);
	agg_free(&live->before);
	live->before = live->total;
	memset(&live->total, 0, sizeof(live->total));
	if (sum_up(live))
		return -1;
	if (agg_total(&live->total).n != (uint64_t)run->exits && live->cut) {
		agg_free(&live->base);
		if (add_range(live, 0, live->cut, &live->base) || sum_up(live))
			return -1;
	}
	return move_cut(live) || read_recent(live) ? -1 : 0;
}

int live_poll(struct live *live)
{
	const struct run *run = &live->app->run;
	double time = live_clock();
	int rc;

	/* One snapshot for all that is read; a writer is not held up. */
	if (sqlite3_exec(live->app->db, "BEGIN", NULL, NULL, NULL))
		return app_fail_sql(live->app);
	rc = read_sums(live);
	sqlite3_exec(live->app->db, "COMMIT", NULL, NULL, NULL);
	if (rc)
		return -1;
	live->seconds = live->polls ? time - live->polled_at
				    : (double)run->length_cycles / 1e3 / (double)run->tsc_khz;
	live->polled_at = time;
	live->dropped = run->dropped - live->dropped_before;
	live->dropped_before = run->dropped;
	live->polls++;
	return 0;
}

/* Fill the part of a row that is of the last interval. */
static void fill_interval(struct live *live, struct live_row *row, const struct group *total,
			  uint64_t all)
{
	const struct run *run = &live->app->run;
	const struct group *old = NULL;
	int64_t interval = (int64_t)(live->seconds * 1e3 * (double)run->tsc_khz);
	double capacity = run_vcpu_time(run, run->length_cycles - interval, run->length_cycles);
	uint64_t n = total->n, cycles = total->cycles;

	for (uint32_t i = 0; live->polls > 1 && i < live->before.groups; i++)
		if (live->before.group[i].key[0] == total->key[0])
			old = &live->before.group[i];
	if (old) {
		n -= old->n;
		cycles -= old->cycles;
	}
	row->per_s = live->seconds > 0 ? (double)n / live->seconds : 0;
	row->share = all ? (double)n / (double)all : 0;
	row->time = capacity > 0 ? (double)cycles / capacity : 0;
}

static void fill_recent(const struct live *live, struct live_row *row)
{
	for (uint32_t i = 0; i < live->recent.groups; i++) {
		const struct group *g = &live->recent.group[i];

		if (g->key[0] != row->key)
			continue;
		row->mean = (double)g->cycles / (double)g->n;
		row->p50 = (double)group_quantile(g, 0.5);
		row->p99 = (double)group_quantile(g, 0.99);
		row->max = (double)g->max;
	}
}

struct live_row *live_rows(struct live *live, unsigned int *n)
{
	struct live_row *rows = calloc(live->total.groups + 1, sizeof(*rows));
	uint64_t all = agg_total(&live->total).n;

	if (live->polls > 1)
		all -= agg_total(&live->before).n;
	*n = live->total.groups;
	if (!rows) {
		app_fail(live->app, "out of memory");
		return NULL;
	}
	for (unsigned int i = 0; i < *n; i++) {
		const struct group *total = &live->total.group[i];

		rows[i].key = total->key[0];
		rows[i].exits = total->n;
		if (!reason_name(live->app, live->app->run.isa, rows[i].key, rows[i].name,
				 sizeof(rows[i].name))) {
			free(rows);
			return NULL;
		}
		fill_interval(live, &rows[i], total, all);
		fill_recent(live, &rows[i]);
	}
	return rows;
}

void live_free(struct live *live)
{
	agg_free(&live->base);
	agg_free(&live->total);
	agg_free(&live->before);
	agg_free(&live->recent);
}
