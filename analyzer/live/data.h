/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data.h - the sums of a recording in progress, from one poll to the next
 *
 * A poll reads the last seconds of roll-ups only; what was before is kept. It is
 * read again when the sums do not match the recorded exits any more, which
 * happens when an exit that took very long comes in late.
 */
#ifndef EXITSCOPE_ANALYZER_LIVE_DATA_H
#define EXITSCOPE_ANALYZER_LIVE_DATA_H

#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/states.h"

#define LIVE_NO_KEY   INT64_MIN
#define LIVE_RECENT_S 10 /* seconds that latencies are of */

/*
 * struct live - a run that is being watched
 * @by: BY_REASON or BY_VM
 * @run: at the last poll, in app->run. Its filter of VMs and vCPUs holds for all sums, that of
 *	reasons for live_rows() alone
 * @base: sums of all exits before @cut (cycles since the start)
 * @total, @before: sums of all exits at the end and at the begin of the last interval
 * @recent: with distribution, of the last LIVE_RECENT_S seconds
 * @within: the times of the interval, also of exits that began before it or end after it; none of
 *	later intervals without rows
 * @states: what states_read() says of the interval
 * @seconds: how long it is; the first interval: since the run's start
 * @from, @to: the same in the time of the recording, cycles since the start: what a collector has
 *	not flushed yet is not in its sums, and must not be in the time that they are a share of
 * @dropped: lost in that time
 * @polls: how many intervals there were of this run
 * @end_is_whole: of a run that has ended the interval is all of it, as the first one: in the last
 *	second of it there is nothing any more
 */
struct live {
	struct app *app;
	enum agg_by by;
	int64_t run_id;
	struct agg base;
	int64_t cut;
	struct agg total;
	struct agg before;
	struct agg recent;
	struct agg within;
	struct states states;
	double seconds;
	double polled_at; /* CLOCK_MONOTONIC, seconds */
	int64_t from;
	int64_t to;
	int64_t dropped;
	int64_t dropped_before;
	unsigned int polls;
	bool end_is_whole;
};

/*
 * struct live_row - one reason, or one VM, in the last interval
 * @per_s: exits per second; @share: of all exits
 * @time: share of the vCPUs' time that was spent in such exits; what is longer than the interval is
 *	cut
 * @part: each state as a share of the vCPUs' time; all add up to 1, for what is longer than the
 *	interval is cut, and where the time of dropped exits is unknown it counts as the guest's
 * @has_part: which of them are known: none if nothing was recorded in the interval, a filter by
 *	reason leaves exits out, or the source doesn't record the parts. STATE_POLLED is in
 *	STATE_HALTED where run.has_polled is false; a reason has no part of the guest's time.
 *	STATE_UNKNOWN: false where exits are missing and nothing says how long they took
 * @mean, @p50, @p99, @max: of the recent exits, in cycles; 0: there are none
 */
struct live_row {
	char name[64]; /* from elsewhere: clean it before it is printed */
	int64_t key;
	uint64_t exits;
	double per_s;
	double share;
	double time;
	double part[STATES];
	bool has_part[STATES];
	double mean;
	double p50;
	double p99;
	double max;
};

/*
 * Read what is new. Less than @least_s seconds after the last poll this extends the interval: one
 * that is too short shows nothing. 0, or -1 with app->error; a run may be empty.
 */
int live_poll(struct live *live, double least_s);

/* The rows of all reasons or VMs of which exits were recorded, to be freed; *@n of them. NULL with
 * app->error. */
struct live_row *live_rows(struct live *live, unsigned int *n);

/*
 * The sum of all rows. Its key and name are of the reason, or VM, that most time of the interval
 * went to; LIVE_NO_KEY: there were no exits in it. 0, or -1 with app->error.
 */
int live_total(struct live *live, struct live_row *row);

void live_free(struct live *live);

/* CLOCK_MONOTONIC in seconds, as live.polled_at. */
double live_clock(void);

/* Unix time in seconds. */
double live_wall_clock(void);

#endif
