// SPDX-License-Identifier: GPL-2.0-only
/* match_test.c - every kvm_exit and every record ends up under the one right heading */
#include <string.h>

#include "collector/xcheck/test/match_fixture.h"

/* The vCPU goes on; the last snapshot was at exit @at, @open or between two exits. */
static struct match_count finish_live(struct match *m, uint64_t seq, uint64_t at, bool open)
{
	const struct match_vcpu_end end = {
		.seq = seq,
		.last_snapshot_tsc = at * STEP + 300,
		.open = open,
	};

	match_end_vcpu(m, 0, &end);
	return finish(m);
}

/* Rounds as in a recording: 40 exits, handed in a few at a time, events late. */
static void test_all_match(void)
{
	struct match *m = start();
	struct match_count c;
	const struct match_entries *entries;

	for (uint64_t i = 1; i <= 40; i++) {
		put(m, record(i - 1));
		trace(m, i - 1);
		match_mark(m, i * STEP - 600); /* in the middle of the last one */
		CHECK(!match_run(m));
	}
	entries = match_entries(m, 0);
	CHECK(entries->traced == 39); /* one entry is after the mark */
	CHECK(entries->unpaired == 0 && entries->reentered == 0);
	c = finish_gone(m, 40);
	CHECK(c.matched == 40 && c.traced == 40 && c.records == 40);
	CHECK(!c.differ && !c.shorter && !c.overlaps);
	CHECK(c.delta[hist_bucket(200)] == 40);
	match_free(m);
}

/* A run of which all is known: where the recording begins and ends, what was dropped. */
struct scene {
	uint64_t exits, first, last; /* exits 0 .. exits - 1; recorded: first .. last - 1 */
	bool gone;
	uint64_t suppressed; /* an exit without record and number; exits: none */
	uint64_t dropped;
};

static struct scene random_scene(bool suppress)
{
	struct scene s = {.exits = 10 + (uint64_t)random() % 200};

	s.first = (uint64_t)random() % 3 ? (uint64_t)random() % (s.exits / 2) : 0;
	s.gone = random() % 2;
	s.last = s.gone ? s.exits : s.first + 1 + (uint64_t)random() % (s.exits - s.first - 1);
	s.suppressed = s.exits;
	if (suppress)
		s.suppressed = s.first + (uint64_t)random() % (s.last - s.first);
	return s;
}

/* Hands in the records, the ring being full for a time again and again. */
static uint64_t put_scene(struct match *m, struct scene *s)
{
	uint64_t seq = s->first;
	bool full = false;

	for (uint64_t i = s->first; i < s->last; i++) {
		struct kvm_exit_record r = record(i);

		if (random() % 10 == 0)
			full = !full;
		if (i == s->suppressed)
			continue;
		r.seq = seq++;
		s->dropped += full;
		if (!full)
			put(m, r);
	}
	return seq;
}

static void run_scene(bool suppress)
{
	struct scene s = random_scene(suppress);
	/* Looks at any time of the exit that is open then. */
	uint64_t at = s.first ? (s.first - 1) * STEP + 10 + (uint64_t)random() % STEP : 0;
	struct match *m = start_at(s.first, at);
	struct match_count c;
	uint64_t seq, hidden;

	for (uint64_t i = 0; i < s.exits; i++)
		trace(m, i);
	seq = put_scene(m, &s);
	c = s.gone ? finish_gone(m, seq) : finish_live(m, seq, s.last, true);
	CHECK(c.gap == s.dropped && c.open == !s.gone && !c.record_only);
	CHECK(c.matched == s.last - s.first - s.dropped - suppress);
	/* One that is missing right at the attach may be taken for the open one. */
	hidden = c.before - s.first;
	CHECK(hidden == 0 || (hidden == 1 && s.first && suppress));
	CHECK(c.trace_only == suppress - hidden);
	CHECK(c.after == (s.gone ? 0 : s.exits - s.last - 1));
	match_free(m);
}

/*
 * Whatever was dropped and wherever it began and ended, the sums are exact, and one
 * suppressed record shows.
 */
static void test_random_scenes(void)
{
	srandom(1);
	for (int i = 0; i < 2000; i++) {
		run_scene(false);
		run_scene(true);
	}
}

/* The events of one CPU arrive after those of another. */
static void test_out_of_order(void)
{
	struct match *m = start();

	for (uint64_t i = 0; i < 20; i++)
		put(m, record(i));
	for (uint64_t i = 10; i < 20; i++)
		trace(m, i);
	for (uint64_t i = 0; i < 10; i++)
		trace(m, i);
	CHECK(finish_gone(m, 20).matched == 20);
	match_free(m);
}

static void test_edges(void)
{
	struct match *m = start_at(5, 4 * STEP + 300);
	struct match_count c;

	for (uint64_t i = 0; i < 20; i++)
		trace(m, i);
	for (uint64_t i = 5; i < 10; i++)
		put(m, record(i));
	c = finish_live(m, 10, 10, true);
	CHECK(c.before == 5 && c.matched == 5 && c.open == 1 && c.after == 9);
	CHECK(!c.trace_only && !c.record_only);
	match_free(m);

	/* Exit 4 was counted, but was traced only after the snapshot. */
	m = start_at(5, 4 * STEP + 20);
	for (uint64_t i = 0; i < 10; i++)
		trace(m, i);
	for (uint64_t i = 5; i < 10; i++)
		put(m, record(i));
	c = finish_gone(m, 10);
	CHECK(c.before == 5 && c.matched == 5 && !c.trace_only);
	match_free(m);

	/* The first exits of the recording were dropped; and nothing more than they. */
	m = start_at(5, 4 * STEP + 300);
	for (uint64_t i = 0; i < 10; i++)
		trace(m, i);
	put(m, record(8));
	put(m, record(9));
	c = finish_gone(m, 10);
	CHECK(c.before == 5 && c.gap == 3 && c.matched == 2 && !c.trace_only);
	match_free(m);
}

/* Records that are suppressed next to some that the ring dropped. */
static void test_gap_is_bounded(void)
{
	struct match *m = start();
	struct kvm_exit_record r;
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++) {
		trace(m, i);
		r = record(i);
		r.seq = i < 6 ? i : i - 2; /* of 2 to 5, two were suppressed */
		if (i < 2 || i > 5)
			put(m, r);
	}
	c = finish_gone(m, 8);
	CHECK(c.matched == 6 && c.gap == 2 && c.trace_only == 2);
	match_free(m);

	m = start();
	for (uint64_t i = 0; i < 10; i++)
		trace(m, i);
	put(m, record(0));
	c = finish_live(m, 4, 8, true);
	CHECK(c.matched == 1 && c.gap == 3 && c.open == 1 && c.after == 1 && c.trace_only == 4);
	match_free(m);
}

/* The counts of a suppressed record, in the middle and at the end. */
static void test_missing_records(void)
{
	struct match *m = start();
	struct kvm_exit_record r;
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++) {
		trace(m, i);
		r = record(i);
		r.seq = i < 4 ? i : i - 1; /* suppressed before it got a number */
		if (i != 4 && i != 9)
			put(m, r);
	}
	c = finish_gone(m, 8);
	CHECK(c.matched == 8 && c.trace_only == 2 && !c.gap);
	match_free(m);
}

/* No record at all: a hook that isn't there. */
static void test_no_records(void)
{
	struct match *m = start();
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++)
		trace(m, i);
	c = finish_live(m, 0, 9, false);
	CHECK(c.trace_only == 10);
	match_free(m);
}

static void test_dropped_records(void)
{
	struct match *m = start();
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++) {
		trace(m, i);
		if (i < 3 || i == 6)
			put(m, record(i));
	}
	c = finish_gone(m, 10);
	CHECK(c.matched == 4 && c.gap == 6 && !c.trace_only);
	match_free(m);

	/* Dropped before the last snapshot, after the last record; the exits after them are not. */
	m = start();
	for (uint64_t i = 0; i < 10; i++) {
		trace(m, i);
		if (i < 2)
			put(m, record(i));
	}
	c = finish_live(m, 6, 6, true);
	CHECK(c.matched == 2 && c.gap == 4 && c.open == 1 && c.after == 3 && !c.trace_only);
	match_free(m);
}

static void test_lost_events(void)
{
	struct match *m = start();
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++) {
		put(m, record(i));
		if (i < 2 || i > 6)
			trace(m, i);
	}
	CHECK(!match_lost(m, 1, 1 * STEP + 450, 6 * STEP + 40)); /* not exit 6 + 50 */
	c = finish_gone(m, 10);
	CHECK(c.matched == 5 && c.untraced == 5 && !c.record_only);
	match_free(m);

	/* The kvm_entry of exit 1 and the kvm_exit of exit 2 are lost: no pair. */
	m = start();
	for (uint64_t i = 0; i < 4; i++)
		put(m, record(i));
	trace(m, 0);
	add_event(m, KVM_EVENT_EXIT, 1 * STEP + 50);
	add_event(m, KVM_EVENT_ENTRY, 2 * STEP + WHOLE - 150);
	trace(m, 3);
	CHECK(!match_lost(m, 1, 1 * STEP + 50, 2 * STEP + WHOLE - 150));
	c = finish_gone(m, 4);
	CHECK(c.matched == 3 && c.untraced == 1 && !c.shorter);
	match_free(m);

	m = start();
	for (uint64_t i = 0; i < 3; i++)
		put(m, record(i));
	CHECK(!match_lost(m, 0, 0, 9 * STEP)); /* another CPU's */
	CHECK(finish_gone(m, 3).record_only == 3);
	match_free(m);
}

/* Stamps in the wrong place: too late, too short, up to the next exit. */
static void test_wrong_stamps(void)
{
	struct match *late = start(), *brief = start(), *whole = start();
	struct kvm_exit_record r;
	struct match_count c;

	for (uint64_t i = 0; i < 10; i++) {
		trace(late, i);
		trace(brief, i);
		trace(whole, i);
		r = record(i);
		r.tsc += 60;
		put(late, r);
		r = record(i);
		r.cycles = 100;
		put(brief, r);
		r.cycles = STEP;
		put(whole, r);
	}
	c = finish_gone(late, 10);
	CHECK(c.matched == 0 && c.trace_only == 10 && c.record_only == 10);
	CHECK(finish_gone(brief, 10).shorter == 10);
	CHECK(finish_gone(whole, 10).overlaps == 9);
	match_free(late);
	match_free(brief);
	match_free(whole);
}

/* Exit 33 made up while emulating: inside the interval of the exit before it. */
static void test_synthesized(void)
{
	struct match *m = start();
	struct kvm_exit_record r;
	const struct match_count *counts;
	size_t count;

	for (uint64_t i = 0; i < 10; i++) {
		trace(m, i);
		r = record(i);
		r.seq = 2 * i;
		r.cycles = 300;
		put(m, r);
		r.seq++;
		r.tsc += 300;
		r.reason = 33 | 1U << 31;
		r.flags = KVM_EXIT_REC_SYNTH;
		put(m, r);
	}
	end_gone(m, 0, 20);
	CHECK(!match_finish(m));
	counts = match_counts(m, 0, &count);
	CHECK(count == 2 && counts[0].reason == 10 && counts[1].reason == 33);
	CHECK(counts[0].matched == 10 && !counts[0].shorter && !counts[0].overlaps);
	CHECK(counts[0].delta[hist_bucket(200)] == 10);
	CHECK(counts[1].synthesized == 10 && !counts[1].record_only && !counts[1].overlaps);
	match_free(m);
}

/* One process, the same vCPU id: two VMs one after the other. And one that was not added. */
static void test_whose(void)
{
	struct match_vcpu_info info = {.tgid = TGID,
				       .vcpu_id = 2,
				       .created_tsc = 10 * STEP,
				       .first_snapshot_tsc = 10 * STEP};
	const struct kvm_event other = {.ts = 5, .kind = KVM_EVENT_EXIT, .tid = 999, .vcpu_id = 2};
	struct match *m = start();
	const struct match_count *counts;
	struct kvm_exit_record r;
	size_t count;
	int second;

	CHECK(!match_add_vcpu(m, &info, &second) && second == 1);
	CHECK(!match_event(m, &other));
	for (uint64_t i = 0; i < 20; i++) {
		trace(m, i);
		r = record(i);
		r.seq = i % 10;
		CHECK(!match_records(m, i >= 10, &r, 1));
	}
	end_gone(m, 0, 10);
	end_gone(m, 1, 10);
	CHECK(!match_finish(m));
	for (int vcpu = 0; vcpu < 2; vcpu++) {
		counts = match_counts(m, vcpu, &count);
		CHECK(count == 1 && counts[0].matched == 10 && counts[0].traced == 10);
	}
	CHECK(match_unknown_vcpu(m) == 1);
	match_free(m);
}

/* A vCPU that runs on two threads in turn: an exit may end on another thread. */
static void test_moves_between_threads(void)
{
	struct match *m = start();
	struct match_count c;

	for (uint64_t i = 0; i < 20; i++) {
		struct kvm_event leaves = {.ts = i * STEP + 50,
					   .kind = KVM_EVENT_EXIT,
					   .tid = i % 2 ? TID : OTHER_TID,
					   .vcpu_id = 2,
					   .reason = 10,
					   .cpu = 1};
		struct kvm_event enters = leaves;

		enters.kind = KVM_EVENT_ENTRY;
		enters.ts = i * STEP + WHOLE - 150;
		enters.tid = i % 2 ? OTHER_TID : TID;
		put(m, record(i));
		CHECK(!match_event(m, &leaves) && !match_event(m, &enters));
		match_mark(m, i * STEP);
		CHECK(!match_run(m));
	}
	c = finish_gone(m, 20);
	CHECK(c.matched == 20 && !c.trace_only && !c.record_only && !c.shorter);
	CHECK(c.delta[hist_bucket(200)] == 20);
	match_free(m);
}

int main(void)
{
	test_all_match();
	test_out_of_order();
	test_edges();
	test_gap_is_bounded();
	test_random_scenes();
	test_missing_records();
	test_no_records();
	test_dropped_records();
	test_lost_events();
	test_wrong_stamps();
	test_synthesized();
	test_whose();
	test_moves_between_threads();
	return 0;
}
