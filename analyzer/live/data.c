// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - the sums of a recording in progress; see data.h
 */
#include "analyzer/live/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/query/db.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/rowids.h"
#include "analyzer/query/time/edges.h"
#include "analyzer/query/vms.h"

#define KEEP_S 20 /* seconds that are read again at each poll */

static double read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double live_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

double live_wall_clock(void)
{
	return read_clock(CLOCK_REALTIME);
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

	/* Of all reasons, so that their sum can be held against the recorded exits. */
	part.reasons = 0;
	part.from = from;
	part.to = to;
	rc = agg_read(live->app, &part, live->by, 0, &agg);
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
	return agg_read(live->app, &part, live->by, AGG_DIST, &live->recent);
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

static void begin_interval(struct live *live)
{
	live->from = live->polls ? live->to : 0;
	live->seconds = 0;
	live->dropped = 0;
	live->polls++;
}

/* @extends: what was before this interval stays. */
static int read_sums(struct live *live, bool extends)
{
	struct run *run = &live->app->run;

	run_close(run);
	if (run_open(live->app, live->app->filter.run, run))
		return -1;
	if (run->id != live->run_id)
		reset(live);
	if (extends) {
		agg_free(&live->total);
	} else {
		agg_free(&live->before);
		live->before = live->total;
	}
	memset(&live->total, 0, sizeof(live->total));
	if (sum_up(live))
		return -1;
	if (agg_total(&live->total).n != (uint64_t)run->shown_exits && live->cut) {
		agg_free(&live->base);
		if (add_range(live, 0, live->cut, &live->base) || sum_up(live))
			return -1;
	}
	return move_cut(live) || read_recent(live) ? -1 : 0;
}

/* Let the interval end now. */
static void set_interval(struct live *live, double time, bool extends)
{
	const struct run *run = &live->app->run;

	if (live->end_is_whole && strcmp(run->state, "recording")) {
		live->polls = 0;
		live->dropped_before = 0;
	}
	/* Another run has no interval yet that could be extended. */
	if (!extends || !live->polls)
		begin_interval(live);
	if (live->polls == 1)
		live->seconds = (double)run->length_cycles / 1e3 / (double)run->tsc_khz;
	else
		live->seconds += time - live->polled_at;
	live->polled_at = time;
	live->to = run->length_cycles;
	live->dropped += run->shown_dropped - live->dropped_before;
	live->dropped_before = run->shown_dropped;
}

/* Whether the states of the vCPUs are known: they need all exits, and the parts of their time. */
static bool has_states(const struct run *run)
{
	return run->has_split && !run->reasons && !run->no_durations;
}

/* Whether the times within the interval can be told from those of exits that began before it. */
static bool has_within(const struct live *live)
{
	return live->polls == 1 || live->app->run.has_raw == RAW_ALL;
}

static int set_interval_window(const struct live *live, struct run *window)
{
	*window = live->app->run;
	if (live->polls == 1)
		return 0;
	window->from = live->from;
	window->to = live->to;
	window->by_rows = window->has_raw == RAW_ALL;
	return window->by_rows ? rowids_find(live->app, window) : 0;
}

/* Exits that reach over an end of the interval count with what they have within it. */
static int cut_edges(struct live *live, const struct run *window)
{
	struct edge *edges;
	int rc = edges_read(live->app, window, &edges);

	for (unsigned int i = 0; !rc && edges && i < window->n_vcpus; i++) {
		const struct group *parts[] = {&edges[i].before, &edges[i].after};

		for (int part = 0; part < 2 && !rc; part++) {
			int64_t key = live->by == BY_VM ? window->vcpus[i].vm : parts[part]->key[0];
			struct group *to = agg_group(&live->within, (int64_t[4]){key});

			if (!to)
				rc = app_fail(live->app, "out of memory");
			else if (part)
				group_subtract_times(to, parts[part]);
			else
				group_add_times(to, parts[part]);
		}
	}
	free(edges);
	return rc;
}

static int read_within(struct live *live, struct run *window)
{
	/* Of all reasons, as the other sums are. */
	window->reasons = 0;
	if (agg_read(live->app, window, live->by, 0, &live->within))
		return -1;
	return cut_edges(live, window);
}

static int read_interval(struct live *live)
{
	struct run window;

	agg_free(&live->within);
	states_free(&live->states);
	if (set_interval_window(live, &window))
		return -1;
	if (has_states(&window) && states_read(live->app, &window, false, &live->states))
		return -1;
	return has_within(live) ? read_within(live, &window) : 0;
}

int live_poll(struct live *live, double least_s)
{
	double time = live_clock();
	bool extends = live->polls && time - live->polled_at < least_s;
	int rc;

	/* One snapshot for all that is read; a writer is not held up. */
	if (sqlite3_exec(live->app->db, "BEGIN", NULL, NULL, NULL))
		return app_fail_sql(live->app);
	rc = read_sums(live, extends);
	if (!rc) {
		set_interval(live, time, extends);
		rc = read_interval(live);
	}
	sqlite3_exec(live->app->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* Time of the vCPUs that a row is about. */
static double capacity_of(const struct live *live, int64_t key)
{
	const struct run *run = &live->app->run;
	struct run one = *run;
	double sum = 0;

	if (live->by != BY_VM)
		return run_vcpu_time(run, live->from, live->to);
	one.n_vcpus = 1;
	for (unsigned int i = 0; i < run->n_vcpus; i++) {
		one.vcpus = &run->vcpus[i];
		if (run->vcpus[i].vm == key)
			sum += run_vcpu_time(&one, live->from, live->to);
	}
	return sum;
}

/* The states of a VM, or of all. */
static void take_states(const struct run *run, struct live_row *row, const struct state_row *states)
{
	if (states->wall <= 0)
		return;
	for (int i = 0; i < STATES; i++) {
		row->part[i] = state_share(states, (enum state)i);
		row->has_part[i] = i != STATE_POLLED || run->has_polled;
	}
	row->has_part[STATE_UNKNOWN] = states->is_certain;
}

/* The states during the exits of a row. */
static void fill_parts(const struct live *live, struct live_row *row, const struct group *times,
		       double capacity)
{
	const struct run *run = &live->app->run;

	if (capacity <= 0 || !has_states(run))
		return;

	states_add(run, times, 1 / capacity, row->part);
	for (int i = 0; i < STATES; i++)
		row->part[i] = fmax(row->part[i], 0);
	states_add_guest(1, row->part);

	for (int i = 0; i < STATES; i++)
		row->has_part[i] = i != STATE_POLLED || run->has_polled;
	row->has_part[STATE_UNKNOWN] = !live->dropped && !run->shown_filtered;
}

/* Seconds that the rate of a row is of; of the first interval as in the other commands. */
static double rate_seconds(const struct live *live, enum agg_by by, const struct group *group)
{
	const struct run *run = &live->app->run;

	if (live->polls > 1)
		return live->seconds;
	return (double)agg_known_rate_time(run, by, group) / 1e3 / (double)run->tsc_khz;
}

/*
 * Fill the part of a row that is of the last interval
 * @n: exits; @times: their times within it; @seconds: what its rate is of; @all: exits of all rows
 */
static void fill_interval(const struct live *live, struct live_row *row, uint64_t n,
			  const struct group *times, double capacity, double seconds, uint64_t all)
{
	row->per_s = seconds > 0 ? (double)n / seconds : 0;
	row->share = all ? (double)n / (double)all : 0;
	row->time = capacity > 0 ? (double)times->cycles / capacity : 0;
	/* Without rows an exit counts when it ends, and may have begun before the interval. */
	row->time = fmin(row->time, 1);
	fill_parts(live, row, times, capacity);
}

/* The states of a VM, or of all (@key LIVE_NO_KEY); NULL: not known. */
static const struct state_row *find_states(const struct live *live, int64_t key)
{
	if (live->states.rows && key == LIVE_NO_KEY)
		return &live->states.total;
	for (unsigned int i = 0; live->by == BY_VM && i < live->states.rows; i++)
		if (live->states.row[i].vm == key)
			return &live->states.row[i];
	return NULL;
}

/* The sums of a key at the begin of the interval; of the first one: none. */
static struct group find_before(const struct live *live, const int64_t key[4])
{
	const struct group *old = live->polls > 1 ? agg_find(&live->before, key) : NULL;

	return old ? *old : group_empty();
}

/* The times of a key in the interval. */
static struct group times_of(const struct live *live, const struct group *total,
			     const struct group *old)
{
	const struct group *within = agg_find(&live->within, total->key);
	struct group times = *total;

	if (has_within(live))
		return within ? *within : group_empty();
	group_subtract_times(&times, old);
	return times;
}

/* Latencies of @g, which may be empty. */
static void fill_recent(struct live_row *row, const struct group *g)
{
	if (!g || !g->n)
		return;
	row->mean = (double)g->cycles / (double)g->n;
	row->p50 = (double)group_quantile(g, 0.5);
	row->p99 = (double)group_quantile(g, 0.99);
	row->max = (double)g->max;
}

/* Whether the filter by reason leaves a group; those of VMs and vCPUs hold for all sums. */
static bool passes(const struct live *live, const struct group *group)
{
	return live->by == BY_VM || reason_passes(&live->app->run, group->key[0]);
}

/* Exits of the last interval that pass the filter. */
static uint64_t count_new(const struct live *live)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < live->total.groups; i++)
		if (passes(live, &live->total.group[i]))
			n += live->total.group[i].n;
	for (uint32_t i = 0; live->polls > 1 && i < live->before.groups; i++)
		if (passes(live, &live->before.group[i]))
			n -= live->before.group[i].n;
	return n;
}

/* -1 with app->error. */
static int name_row(struct live *live, struct live_row *row)
{
	const struct run *run = &live->app->run;

	if (live->by == BY_VM) {
		snprintf(row->name, sizeof(row->name), "%s", vms_label(run, row->key));
		return 0;
	}
	return reason_name(live->app, run->isa, row->key, row->name, sizeof(row->name)) ? 0 : -1;
}

struct live_row *live_rows(struct live *live, unsigned int *n)
{
	struct live_row *rows = calloc(live->total.groups + 1, sizeof(*rows));
	uint64_t all = count_new(live);

	*n = 0;
	if (!rows) {
		app_fail(live->app, "out of memory");
		return NULL;
	}
	for (unsigned int i = 0; i < live->total.groups; i++) {
		const struct group *total = &live->total.group[i];
		struct group old = find_before(live, total->key);
		struct group times = times_of(live, total, &old);
		const struct state_row *states = find_states(live, total->key[0]);
		struct live_row *row = &rows[*n];

		/* KVM's totals know of it, but no record is there. */
		if (!passes(live, total) || !total->n)
			continue;
		row->key = total->key[0];
		row->exits = total->n;
		if (name_row(live, row)) {
			free(rows);
			return NULL;
		}
		fill_interval(live, row, total->n - old.n, &times, capacity_of(live, row->key),
			      rate_seconds(live, live->by, total), all);
		if (states)
			take_states(&live->app->run, row, states);
		/* The rest of the time is not the guest's alone: other reasons have theirs. */
		row->has_part[STATE_GUEST] &= live->by == BY_VM;
		row->has_part[STATE_UNKNOWN] &= live->by == BY_VM;
		fill_recent(row, agg_find(&live->recent, total->key));
		++*n;
	}
	return rows;
}

/* The sum of all groups that pass the filter, to be freed with dist_free(). 0 or -ENOMEM. */
static int sum_passing(const struct live *live, const struct agg *agg, struct group *sum)
{
	int rc = 0;

	for (uint32_t i = 0; i < agg->groups && !rc; i++) {
		if (!passes(live, &agg->group[i]))
			continue;
		group_add(sum, &agg->group[i]);
		rc = dist_add_all(&sum->dist, &agg->group[i].dist);
	}
	return rc ? rc : dist_sort(&sum->dist);
}

/* The key that most of the interval's time went to, of exits at least. */
static int64_t find_main_key(const struct live *live)
{
	uint64_t most = 0, most_exits = 0;
	int64_t key = LIVE_NO_KEY;

	for (uint32_t i = 0; i < live->total.groups; i++) {
		const struct group *now = &live->total.group[i];
		struct group old = find_before(live, now->key);
		uint64_t cycles = times_of(live, now, &old).cycles, n = now->n - old.n;

		if (!n || !passes(live, now) || cycles < most ||
		    (cycles == most && n <= most_exits))
			continue;
		most = cycles;
		most_exits = n;
		key = now->key[0];
	}
	return key;
}

int live_total(struct live *live, struct live_row *row)
{
	const struct run *run = &live->app->run;
	struct group now = group_empty(), old = group_empty(), recent = group_empty();
	struct group times = group_empty();
	const struct state_row *states = find_states(live, LIVE_NO_KEY);
	int rc = sum_passing(live, &live->total, &now);

	if (!rc && live->polls > 1)
		rc = sum_passing(live, &live->before, &old);
	if (!rc)
		rc = sum_passing(live, &live->recent, &recent);
	if (!rc && has_within(live))
		rc = sum_passing(live, &live->within, &times);

	*row = (struct live_row){.key = LIVE_NO_KEY};
	if (rc) {
		rc = app_fail(live->app, "out of memory");
	} else {
		row->exits = now.n;
		if (!has_within(live)) {
			group_add_times(&times, &now);
			group_subtract_times(&times, &old);
		}
		fill_interval(live, row, now.n - old.n, &times,
			      run_vcpu_time(run, live->from, live->to),
			      rate_seconds(live, BY_REASON, NULL), now.n - old.n);
		if (states)
			take_states(run, row, states);
		fill_recent(row, &recent);
		row->key = find_main_key(live);
		if (row->key != LIVE_NO_KEY)
			rc = name_row(live, row);
	}
	dist_free(&now.dist);
	dist_free(&old.dist);
	dist_free(&recent.dist);
	dist_free(&times.dist);
	return rc;
}

void live_free(struct live *live)
{
	agg_free(&live->base);
	agg_free(&live->total);
	agg_free(&live->before);
	agg_free(&live->recent);
	agg_free(&live->within);
	states_free(&live->states);
}
