/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data.h - what the rules of findings.h look at
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_FINDINGS_DATA_H
#define EXITSCOPE_ANALYZER_QUERY_FINDINGS_DATA_H

#include "analyzer/query/sums/agg.h"
#include "analyzer/query/time/states.h"

/*
 * struct findings_data - the recording, summed up
 * @reasons: by reason, with distributions
 * @keys: by sub-key; empty unless @has_keys; @own_keys: the same if they had to be read
 * @states: by VM; empty unless @has_states
 * @total: all exits
 * @is_real: times are those of real hardware
 * @is_whole: no exits were filtered while recording: shares of exits mean something
 */
struct findings_data {
	struct app *app;
	const struct run *run;
	struct agg reasons;
	struct agg keys;
	struct agg own_keys;
	struct states states;
	struct group total;
	bool has_keys;
	bool has_states;
	bool is_real;
	bool is_whole;
};

/* Read all, or (@states_only) what rules about states need. @keys: as of findings_read(). */
int findings_data_read(struct app *app, const struct run *run, bool states_only,
		       const struct agg *keys, struct findings_data *data);
void findings_data_free(struct findings_data *data);

/* @n exits as a share of all, 0 to 1. */
double findings_share(const struct findings_data *data, uint64_t n);

/* Cycles of the recording in seconds. */
double findings_seconds(const struct findings_data *data, double cycles);

struct key_range {
	int64_t low, high;
};

enum port_direction { PORT_ANY, PORT_IN, PORT_OUT };

/* Exits on ports of @range, which ends with {0, 0}. */
struct group findings_ports(const struct findings_data *data, const struct key_range *range,
			    enum port_direction direction);

/* Writes of MSR @msr. */
struct group findings_msr_writes(const struct findings_data *data, int64_t msr);

/* Exits of a reason with a key: control register 3, vector 14, ... */
struct group findings_key(const struct findings_data *data, int64_t vmx, int64_t svm, int64_t key);

/* Exits of a reason, by its number in each architecture; -1: it has none there. */
struct group findings_reason(const struct findings_data *data, int64_t vmx, int64_t svm);

/* Accesses to guest-physical addresses low to high that KVM emulates (MMIO). */
struct group findings_mmio(const struct findings_data *data, int64_t low, int64_t high);

/*
 * struct findings_pages - faults of guest memory in the second-level page table
 * @faults: how many
 * @pages, @regions: different pages of 4 KiB and regions of 2 MiB
 */
struct findings_pages {
	struct group faults;
	uint64_t pages;
	uint64_t regions;
};

/* Return: 0, or -1 with app->error. All VMs together have the addresses of one. */
int findings_pages(const struct findings_data *data, struct findings_pages *pages);

/* Of several VMs: counts @pages->pages and regions of each, from the rows, which it reads again. */
int findings_pages_by_vm(const struct findings_data *data, struct findings_pages *pages);

#endif
