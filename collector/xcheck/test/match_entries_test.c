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

/* The steps of exit and entry in each state; in the order of enum match_step. */
static void check_steps(struct match *m, const uint64_t wanted[MATCH_STEPS])
{
	for (int i = 0; i < MATCH_STEPS; i++)
		CHECK(match_entries(m, 0)->steps[i] == wanted[i]);
	match_free(m);
}

/* What can be wrong with the order of events although there are as many of each as should be. */
enum mutant {
	SOUND,
	NO_ENTRY,    /* of exit 1 */
	TWO_ENTRIES, /* of exit 2, as after VMfail */
	BOTH,	     /* so that their number is right */
	LATE_ENTRY,  /* of exit 1, when the record says that the guest runs */
	TWO_EXITS,   /* of exit 1 */
	MUTANTS
};

static void trace_mutant(struct match *m, enum mutant mutant)
{
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t entry = i * STEP + WHOLE - 150;

		add_event(m, KVM_EVENT_EXIT, i * STEP + 50);
		if (mutant == TWO_EXITS && i == 1)
			add_event(m, KVM_EVENT_EXIT, i * STEP + 60);
		if ((mutant == TWO_ENTRIES || mutant == BOTH) && i == 2)
			add_event(m, KVM_EVENT_ENTRY, entry - 50);
		if (mutant == LATE_ENTRY && i == 1)
			entry = i * STEP + WHOLE + 1;
		if ((mutant != NO_ENTRY && mutant != BOTH) || i != 1)
			add_event(m, KVM_EVENT_ENTRY, entry);
		put(m, record(i));
	}
}

static void test_steps(void)
{
	static const uint64_t wanted[MUTANTS][MATCH_STEPS] = {
		[SOUND] = {4, 0, 0, 4, 0},	 [NO_ENTRY] = {3, 0, 1, 3, 0},
		[TWO_ENTRIES] = {4, 0, 0, 4, 1}, [BOTH] = {3, 0, 1, 3, 1},
		[LATE_ENTRY] = {4, 0, 0, 3, 1},	 [TWO_EXITS] = {4, 0, 1, 4, 0},
	};

	for (int mutant = 0; mutant < MUTANTS; mutant++) {
		struct match *m = start();

		trace_mutant(m, (enum mutant)mutant);
		finish_gone(m, 4);
		check_steps(m, wanted[mutant]);
	}
}

/* Where events were lost, or a lost record may have been before the entry, nothing is wrong. */
static void test_steps_unknown(void)
{
	struct match *m = start();

	add_event(m, KVM_EVENT_ENTRY, 10);
	CHECK(!match_lost(m, 1, 20, STEP));
	add_event(m, KVM_EVENT_ENTRY, STEP + 10);
	finish_gone(m, 2);
	check_steps(m, (const uint64_t[MATCH_STEPS]){0, 0, 0, 2, 0});

	m = start();
	add_event(m, KVM_EVENT_EXIT, 50);
	put(m, record(0));
	add_event(m, KVM_EVENT_ENTRY, STEP + WHOLE - 150); /* of a synthesized exit, lost */
	trace(m, 2);
	put(m, record(2));
	finish_gone(m, 3);
	check_steps(m, (const uint64_t[MATCH_STEPS]){2, 0, 0, 2, 0});
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
	test_steps();
	test_steps_unknown();
	test_vmfail_and_reason();
	return 0;
}
