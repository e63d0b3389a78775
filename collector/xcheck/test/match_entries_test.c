// SPDX-License-Identifier: GPL-2.0-only
/* match_entries_test.c - VM entries: those that failed, and those that KVM did not trace */
#include "collector/xcheck/test/match_fixture.h"

/* A VM entry that fails with VMfail: kvm_entry twice. And two reasons for one. */
static void test_vmfail_and_reason(void)
{
	struct match *m = start();
	struct kvm_exit_record r = record(0);
	const struct match_entries *entries;

	trace(m, 0);
	add_event(m, KVM_EVENT_ENTRY, WHOLE - 20);
	r.reason = 12;
	put(m, r);
	end_gone(m, 0, 1);
	CHECK(!match_finish(m));
	entries = match_entries(m, 0);
	CHECK(entries->traced == 2 && entries->unpaired == 1 && entries->reentered == 0);
	CHECK(match_counts(m, 0, &(size_t){0})[0].differ == 1);
	match_free(m);
}

/*
 * Exit 1 is a fastpath that enters again without kvm_entry. Exit 2 has no kvm_entry either, but
 * no fastpath that could explain it; @lost: its record was lost.
 */
static uint64_t reentered(uint32_t flags, bool lost)
{
	struct match *m = start();
	uint64_t n;

	for (uint64_t i = 0; i < 4; i++) {
		struct kvm_exit_record r = record(i);

		r.flags = i == 1 ? flags : 0;
		if (i != 2 || !lost)
			put(m, r);
		if (i == 1 || i == 2)
			add_event(m, KVM_EVENT_EXIT, i * STEP + 50);
		else
			trace(m, i);
		/* What came before the mark is matched while the next exit is still to come. */
		match_mark(m, (i + 1) * STEP);
		CHECK(!match_run(m));
	}
	finish_gone(m, 4);
	n = match_entries(m, 0)->reentered;
	CHECK(match_entries(m, 0)->traced == 2);
	match_free(m);
	return n;
}

/* A kvm_entry that was lost says nothing of a fastpath. */
static void test_lost_entry(void)
{
	struct match *m = start();
	struct kvm_exit_record r = record(0);

	r.flags = KVM_EXIT_REC_FASTPATH;
	put(m, r);
	add_event(m, KVM_EVENT_EXIT, 50);
	CHECK(!match_lost(m, 1, 60, STEP));
	put(m, record(1));
	trace(m, 1);
	finish_gone(m, 2);
	CHECK(match_entries(m, 0)->reentered == 0);
	match_free(m);
}

static void test_fastpath_entries(void)
{
	CHECK(reentered(0, false) == 0);
	CHECK(reentered(KVM_EXIT_REC_FASTPATH, false) == 1);
	CHECK(reentered(0, true) == 1);
	CHECK(reentered(KVM_EXIT_REC_FASTPATH, true) == 2);
}

int main(void)
{
	test_fastpath_entries();
	test_lost_entry();
	test_vmfail_and_reason();
	return 0;
}
