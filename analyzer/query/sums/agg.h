/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg.h - read sums and distributions of exits by a key
 *
 * By reason, VM or vCPU they come from the roll-ups, so their cost does not grow with the
 * number of exits; by anything else, and of a window that cuts intervals of the
 * roll-ups, from the recorded rows (run->by_rows).
 *
 *	agg.c -> agg_rows.c, agg_totals.c -> group.c
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_H
#define EXITSCOPE_ANALYZER_QUERY_SUMS_AGG_H

#include "analyzer/query/app.h"
#include "analyzer/query/sums/group.h"
#include "base/wrap.h"

enum agg_by {
	BY_REASON,
	BY_SUBKEY,
	BY_VM,
	BY_VCPU,
	BY_RIP,
	BY_USER_REASON,
	BY_PCPU,
	BY_CR3,
	BY_REGION,
	BY_SLOT
};

/* The highest level of exit_rollup_coarse. */
#define AGG_LEVELS 5

/* What agg_read() does in addition to the sums. */
#define AGG_DIST      1U  /* fill group.dist */
#define AGG_EXACT     2U  /* read rows, though roll-ups would do; percentiles are exact */
#define AGG_HANDLER   4U  /* group.dist is of handler time */
#define AGG_DIST_ONLY 8U  /* bins from histograms: fill group.dist alone */
#define AGG_COUNTS    16U /* bins from roll-ups: fill group.n, cycles and halted alone */
#define AGG_TIMES     32U /* fill group.first and group.last, which else may be missing */
#define AGG_SPLIT     64U /* bins from roll-ups: AGG_COUNTS, and userspace, preempted and polled */

/*
 * struct agg_bins - the bins of BY_SLOT
 * @begin: where bin 0 begins, in cycles since the run's start
 * @width: cycles of a bin; from roll-ups a multiple of rollup_cycles * 8^level
 * @level: of exit_rollup_coarse; begin is then 0; 0: exit_rollup
 * @count: how many there are: the last one has what is after it, too; 0: no end
 */
struct agg_bins {
	int64_t begin;
	int64_t width;
	int level;
	int64_t count;
};

/* The bin of a time since the start of the run, in cycles; of a forged one any. */
static inline int64_t agg_bin(const struct agg_bins *bins, int64_t since)
{
	int64_t bin = wrap_subtract(since, bins->begin) / bins->width;

	return bins->count && bin >= bins->count ? bins->count - 1 : bin;
}

/**
 * agg_read - add the exits that pass the filter of @run to @agg
 * @by: what to group by; BY_SLOT: see agg_read_bins()
 * @flags: AGG_*
 *
 * For BY_REASON, BY_VM and BY_VCPU of a whole run, group.dropped is filled from KVM's totals
 * where the run has them. Return: 0, or -1 with app->error.
 */
int agg_read(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
	     struct agg *agg);

/*
 * Add the exits that were filtered out while recording to group.dropped, by reason key, where KVM's
 * totals have them: of the whole run. Return: 0, or -1 with app->error.
 */
int agg_read_filtered(struct app *app, const struct run *run, struct agg *agg);

/* Sees an exit of reason key @reason, as the sums of it alone; its TSC is @exit->first. */
typedef void agg_see(void *context, int64_t rowid, int64_t reason, const struct group *exit);

/*
 * As agg_read() by what only rows have, without a distribution; @see gets each exit. One pass for
 * callers that need both.
 */
int agg_read_seen(struct app *app, const struct run *run, enum agg_by by, agg_see *see,
		  void *context, struct agg *agg);

/*
 * The same by {bin, reason key}. @flags: AGG_DIST or AGG_DIST_ONLY; AGG_EXACT: read rows, though
 * roll-ups would do, and add them to buckets. With AGG_DIST from roll-ups, @bins->width is a
 * multiple of hist_cycles.
 */
int agg_read_bins(struct app *app, const struct run *run, const struct agg_bins *bins,
		  unsigned int flags, struct agg *agg);

/**
 * agg_rate_window - the time that a rate of @group is of: the part of the window in which those
 * lived whose exits they are, from the first moment of any vCPU to the last one
 * @by: BY_VCPU: of that vCPU; BY_VM: of the vCPUs of that VM; else of all that --vm and --vcpu
 *	leave: a VM that is asked for alone has the same rate as among others. Without these
 *	filters it is the whole window.
 * @group: has the key of BY_VCPU and BY_VM; else not read
 * @from, @to: in cycles since the run's start
 */
void agg_rate_window(const struct run *run, enum agg_by by, const struct group *group,
		     int64_t *from, int64_t *to);

/* How long that is, in cycles. */
int64_t agg_rate_time(const struct run *run, enum agg_by by, const struct group *group);

/* Whether that time says anything about a rate: a life that begins with its only exit does not. */
bool agg_has_rate(const struct run *run, enum agg_by by, const struct group *group);

/* agg_rate_time(), or 0 where it says nothing about a rate. */
int64_t agg_known_rate_time(const struct run *run, enum agg_by by, const struct group *group);

/* Bind a vCPU (vcpu.id), the window's first and last interval, and @level to ?1 to ?4 of a
 * statement. */
void agg_bind_slots(sqlite3_stmt *stmt, const struct run *run, int64_t vcpu, int level);

/* Whether this is read from single exits. */
bool agg_needs_rows(const struct run *run, enum agg_by by, unsigned int flags);

#endif
