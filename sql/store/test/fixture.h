/* SPDX-License-Identifier: GPL-2.0-only */
/* fixture.h - runs of made-up records, for the tests of the store */
#ifndef EXITSCOPE_SQL_STORE_TEST_FIXTURE_H
#define EXITSCOPE_SQL_STORE_TEST_FIXTURE_H

#include "sql/store/store.h"
#include "sql/store/test/synthetic.h"
#include "sql/test/check.h"

#define RECORDS 20000

static struct kvm_exit_record records[RECORDS];

static const struct store_run test_run = {
	.source = "capture",
	.collector = "store_test",
	.isa = KVM_EXIT_ISA_VMX,
	.tsc_khz = SYNTHETIC_TSC_KHZ,
	.tsc_start = SYNTHETIC_TSC_START,
	.started_ns = 1,
	.raw = 1,
	.split = 1,
};

static inline struct store *open_run(const char *path, int raw)
{
	struct store_run run = test_run;
	struct store *store = NULL;

	run.raw = raw;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK_EQ(store_begin(store, &run), 0);
	return store;
}

static inline int add_vcpu(struct store *store, uint32_t vcpu_id)
{
	const struct store_vcpu info = {
		.comm = "test",
		.vm_id = 7,
		.ring_id = 100 + vcpu_id,
		.tgid = 42,
		.vcpu_id = vcpu_id,
	};
	int vcpu = -1;

	CHECK_EQ(store_add_vcpu(store, &info, &vcpu), 0);
	return vcpu;
}

/* Stores the next @count records of @s. */
static inline void fill(struct store *store, struct synthetic *s, int vcpu, int count)
{
	synthetic_fill(s, records, (size_t)count);
	CHECK_EQ(store_append(store, vcpu, records, (size_t)count), 0);
}

/* Records a run of two vCPUs in many flushes; adds up what went in. */
static inline void record_run(const char *path, int raw, uint32_t lose_one_in, struct synthetic *s)
{
	struct store *store = open_run(path, raw);
	struct store_vcpu_end end = {.vmfail = 3, .unread = 5, .open_exits = 1, .ended = 1};
	int vcpu[2];
	int i;
	int j;

	for (i = 0; i < 2; i++) {
		vcpu[i] = add_vcpu(store, (uint32_t)i);
		synthetic_init(&s[i], (uint32_t)i, 1);
		s[i].lose_one_in = lose_one_in;
	}
	for (j = 0; j < 10; j++) {
		for (i = 0; i < 2; i++) {
			s[i].tsc += SYNTHETIC_TSC_KHZ * 250ULL;
			synthetic_fill(&s[i], records, RECORDS / 20);
			CHECK_EQ(store_append(store, vcpu[i], records, RECORDS / 20), 0);
		}
		CHECK_EQ(store_flush(store), 0);
	}
	for (i = 0; i < 2; i++) {
		end.totals = s[i].totals;
		end.end_seq = s[i].seq;
		CHECK_EQ(store_end_vcpu(store, vcpu[i], &end), 0);
	}
	CHECK_EQ(store_finish(store, "complete", SYNTHETIC_TSC_START + 1000, 2), 0);
	store_close(store);
}

/* Roll-ups that differ from what the rows of a file of one run add up to. */
static const char rollup_differs[] =
	"SELECT count(*) FROM (SELECT * FROM exit_rollup EXCEPT SELECT vcpu,"
	" (tsc - tsc_start) / rollup_cycles slot, reason, count(*), sum(cycles),"
	" sum(halted_cycles), sum(userspace_cycles), sum(preempted_cycles), min(cycles),"
	" max(cycles), sum(flags & 1 <> 0), sum(flags & 2 <> 0), sum(flags & 4 <> 0),"
	" sum(flags & 8 <> 0), min(tsc), max(tsc), sum(coalesce(polled_cycles, 0)) FROM exit, run GROUP BY 1, 2, 3)";

#endif
