/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_sums.h - what rows, roll-ups and histograms of a run add up to, for all equations
 *
 * Each table is read once, in the order in which it is stored. A GROUP BY vcpu, reason would sort
 * all roll-ups, whose key is (vcpu, slot, reason), and each equation would do it again.
 */
#ifndef EXITSCOPE_ANALYZER_VERIFY_VERIFY_SUMS_H
#define EXITSCOPE_ANALYZER_VERIFY_VERIFY_SUMS_H

#include <stdint.h>

#include "analyzer/query/app.h"
#include "analyzer/verify/int_table.h"
#include "analyzer/verify/verify_intervals.h"
#include "base/hash.h"

/*
 * struct vcpu_sum - one vCPU; the columns of table vcpu_sums
 * @id: vcpu.id, rising; @vm: vm.id
 * @rows: of table exit; @uneven: those whose parts are more than their time, or whose polled part
 *	is more than halted. 0 unless rows_read() was called
 * @hist_n: exits in the histograms of intervals
 * @hist_checksum: of these by reason, part and bucket; @total_checksum: the same of exit_hist_total
 */
struct vcpu_sum {
	int64_t id;
	int64_t vm;
	int64_t rows;
	int64_t uneven;
	int64_t hist_n;
	int64_t hist_checksum;
	int64_t total_checksum;
};

/*
 * struct rolled_sum - the roll-ups of a vCPU and full reason; the columns of table rolled_sums
 * @least, @first: -1: unknown in one of them
 * @uneven: exits of roll-ups whose parts are more than their time
 */
struct rolled_sum {
	int64_t vcpu;
	int64_t reason;

	int64_t n;
	int64_t n_fastpath;
	int64_t n_nested;
	int64_t n_user;
	int64_t n_synth;
	int64_t uneven;

	int64_t cycles;
	int64_t halted_cycles;
	int64_t userspace_cycles;
	int64_t preempted_cycles;
	int64_t polled_cycles;

	int64_t least;
	int64_t most;
	int64_t first;
	int64_t last;
};

/* @vcpus, @rolleds: @vcpu and @rolled as tables */
struct sums {
	struct vcpu_sum *vcpu;
	size_t vcpu_count;
	struct rolled_sum *rolled;
	uint32_t rolled_count;
	struct hash hash;
	struct int_table vcpus;
	struct int_table rolleds;
};

/*
 * Reads the vCPUs of app->run, their roll-ups and histograms. Each roll-up is compared with its
 * rows if @intervals is not NULL. -1 with the reason in @app; free @sums in any case.
 */
int sums_read_vcpus(struct app *app, struct sums *sums);
int sums_read_rollups(struct app *app, struct sums *sums, struct intervals *intervals);
int sums_read_histograms(struct app *app, struct sums *sums);

/* The vCPU with vcpu.id @id; NULL: it is not of the run. */
struct vcpu_sum *sums_find_vcpu(const struct sums *sums, int64_t id);

/* Makes the sums known to app->db as tables vcpu_sums and rolled_sums, and forgets them. */
int sums_register(struct app *app, struct sums *sums);
void sums_remove(struct app *app);

void sums_free(struct sums *sums);

#endif
