// SPDX-License-Identifier: GPL-2.0-only
/* match.c - matches the records of the rings with kvm_exit, exit by exit */
#include "collector/xcheck/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collector/events/event_lanes.h"
#include "collector/events/lost_windows.h"
#include "collector/xcheck/match_internal.h"
#include "kvm/ring/exit_reason.h"

#define HELD_MOST 65536 /* events of a lane that wait for records */

struct thread {
	uint32_t tid;
	uint32_t tgid;
};

struct match {
	uint32_t (*tgid_of)(void *user, uint32_t tid);
	void *user;
	struct event_lanes lanes;
	struct match_vcpu *vcpus;
	int vcpu_count;
	struct lost_windows lost;
	struct thread *threads; /* whose process is known */
	size_t thread_count;
	uint64_t mark;
	uint64_t unknown_vcpu; /* kvm_exit of vCPUs that were not added */
	uint64_t ambiguous;    /* events that several vCPUs may have made */
};

static struct match_count *count_of(struct match_vcpu *v, uint32_t reason)
{
	struct match_count *more;
	size_t i;

	reason = kvm_exit_basic(v->info.isa, reason);
	for (i = 0; i < v->count_count; i++) {
		if (v->counts[i].reason == reason)
			return &v->counts[i];
	}

	more = array_reserve(v->counts, i, 1, sizeof(*more));
	if (!more)
		return NULL;
	v->counts = more;
	memset(&more[i], 0, sizeof(*more));
	more[i].reason = reason;
	v->count_count++;
	return &more[i];
}

struct match *match_new(uint32_t (*tgid_of)(void *user, uint32_t tid), void *user)
{
	struct match *m = calloc(1, sizeof(*m));

	if (m) {
		m->tgid_of = tgid_of;
		m->user = user;
	}
	return m;
}

int match_add_vcpu(struct match *match, const struct match_vcpu_info *info, int *vcpu)
{
	struct match_vcpu *more =
		array_reserve(match->vcpus, (size_t)match->vcpu_count, 1, sizeof(*more));
	struct match_vcpu *v;

	if (!more)
		return -ENOMEM;
	match->vcpus = more;

	v = &more[match->vcpu_count];
	memset(v, 0, sizeof(*v));
	v->info = *info;
	v->next_seq = info->first_seq;
	*vcpu = match->vcpu_count++;
	return 0;
}

int match_records(struct match *match, int vcpu, const struct kvm_exit_record *records,
		  size_t count)
{
	struct match_vcpu *v = &match->vcpus[vcpu];
	struct record_info *b;

	for (size_t i = 0; i < count; i++) {
		b = queue_append(&v->records, sizeof(*b));
		if (!b)
			return -ENOMEM;
		*b = (struct record_info){
			.seq = records[i].seq,
			.tsc = records[i].tsc,
			.end = records[i].tsc + records[i].cycles,
			.reason = records[i].reason,
			.flags = records[i].flags,
			.pcpu = records[i].pcpu,
		};
	}
	return 0;
}

/* The process of a thread; asked for once. 0: unknown. */
static uint32_t find_process(struct match *m, uint32_t tid)
{
	struct thread *more;
	uint32_t tgid;

	for (size_t i = 0; i < m->thread_count; i++) {
		if (m->threads[i].tid == tid)
			return m->threads[i].tgid;
	}

	tgid = m->tgid_of(m->user, tid);
	if (!tgid)
		return 0;

	/* Without memory it is asked for again. */
	more = array_reserve(m->threads, m->thread_count, 1, sizeof(*more));
	if (more) {
		m->threads = more;
		more[m->thread_count++] = (struct thread){.tid = tid, .tgid = tgid};
	}
	return tgid;
}

int match_event(struct match *match, const struct kvm_event *event)
{
	struct kvm_event copy = *event;

	copy.tgid = find_process(match, event->tid);
	return event_lanes_push(&match->lanes, &copy);
}

int match_lost(struct match *match, uint32_t cpu, uint64_t from, uint64_t to)
{
	return lost_windows_add(&match->lost, cpu, from, to);
}

void match_mark(struct match *match, uint64_t tsc)
{
	match->mark = tsc;
}

/*
 * Closes the comparison of the last matched record with its interval. @next_seq: of the record
 * that comes now. Where some were lost before it, those may have been before the kvm_entry.
 */
static int close_delta(struct match_vcpu *v, uint64_t next_seq)
{
	struct match_count *c;

	if (!v->interval)
		return 0;

	if (next_seq == v->next_seq && v->entry_ts > v->last_end) {
		v->entries.steps[MATCH_ENTRY_HANDLED]--;
		v->entries.steps[MATCH_ENTRY_IN_GUEST]++;
	}

	c = count_of(v, v->last_reason);
	if (!c)
		return -ENOMEM;
	if (v->cycles < v->interval) {
		c->shorter++;
	} else {
		if (!c->delta)
			c->delta = calloc(HIST_BUCKETS, sizeof(*c->delta));
		if (!c->delta)
			return -ENOMEM;
		c->delta[hist_bucket(v->cycles - v->interval)]++;
	}
	v->interval = 0;
	return 0;
}

/* A kvm_exit, when it is known what followed the exit before it. */
static void count_exit_step(struct match_vcpu *v, const struct pair *p)
{
	enum match_step step = MATCH_EXIT_IN_GUEST;

	if (p->unentered) {
		step = v->slow ? MATCH_EXIT_HANDLED : MATCH_EXIT_FASTPATH;
		v->entries.reentered += !v->slow;
	}
	v->entries.steps[step]++;
}

/* Where a kvm_exit without a record is counted. */
enum unmatched {
	UNMATCHED_BEFORE,
	UNMATCHED_GAP,
	UNMATCHED_OPEN,
	UNMATCHED_AFTER,
	UNMATCHED_TRACE_ONLY,
};

/* Counts the oldest kvm_exit and removes it. */
static int count_unmatched(struct match_vcpu *v, enum unmatched where)
{
	const struct pair *p = queue_head(&v->pairs, sizeof(*p));
	struct match_count *c = count_of(v, p->reason);

	if (!c)
		return -ENOMEM;

	c->traced++;
	c->before += where == UNMATCHED_BEFORE;
	c->gap += where == UNMATCHED_GAP;
	c->open += where == UNMATCHED_OPEN;
	c->after += where == UNMATCHED_AFTER;
	c->trace_only += where == UNMATCHED_TRACE_ONLY;
	count_exit_step(v, p);
	v->slow = false;
	queue_pop(&v->pairs);
	return 0;
}

/*
 * Classifies the oldest kvm_exit when no record and no lost record can match it. @last: it is
 * the last such event. Before the first record, an exit may be one that began before the
 * recording, also if it was traced a little later.
 */
static enum unmatched classify_unmatched(const struct match_vcpu *v, const struct pair *p,
					 bool last)
{
	bool began_before = p->exit_ts < v->info.first_snapshot_tsc;

	if (!v->any && (began_before || (last && v->info.open_at_start)))
		return UNMATCHED_BEFORE;
	return UNMATCHED_TRACE_ONLY;
}

/* Number of kvm_exit in the queue that happened before @tsc. */
static size_t pending_before(const struct match_vcpu *v, uint64_t tsc)
{
	const struct pair *p = queue_head(&v->pairs, sizeof(*p));
	size_t count = 0;

	while (count < v->pairs.count && p[count].exit_ts < tsc)
		count++;
	return count;
}

/*
 * Counts each kvm_exit before @tsc. The last @lost of them have no record because it was lost,
 * and the last of all, if @open, because its exit is still open.
 */
static int count_unmatched_before(struct match_vcpu *v, uint64_t tsc, uint64_t lost, bool open)
{
	uint64_t accounted = lost + open;

	for (size_t left = pending_before(v, tsc); left; left--) {
		enum unmatched where = UNMATCHED_GAP;

		if (left > accounted)
			where = classify_unmatched(v, queue_head(&v->pairs, sizeof(struct pair)),
						   left == accounted + 1);
		else if (left == 1 && open)
			where = UNMATCHED_OPEN;

		if (count_unmatched(v, where))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Checks that a record begins after the one before it has ended, if none was lost in between.
 * A synthesized one may begin right at that end.
 */
static int check_overlap(struct match_vcpu *v, const struct record_info *r, bool synth)
{
	struct match_count *previous;
	bool overlaps = synth ? v->last_end > r->tsc : v->last_end >= r->tsc;

	if (!v->any || r->seq != v->next_seq || !overlaps)
		return 0;

	previous = count_of(v, v->last_reason);
	if (!previous)
		return -ENOMEM;
	previous->overlaps++;
	return 0;
}

/* Counts a record and its kvm_exit; their times are compared in close_delta(). */
static void count_match(struct match_vcpu *v, struct match_count *c, const struct record_info *r,
			const struct pair *p)
{
	c->traced++;
	c->matched++;
	c->differ += kvm_exit_basic(v->info.isa, p->reason) != c->reason;
	count_exit_step(v, p);
	if (p->entry_ts && !(r->flags & (KVM_EXIT_REC_NO_REENTRY | KVM_EXIT_REC_TSC_BACK))) {
		v->interval = p->entry_ts - p->exit_ts;
		v->entry_ts = p->entry_ts;
		v->cycles = r->end - r->tsc;
	}
}

/* A record that KVM synthesized: it has no kvm_exit, and is inside the interval of another. */
static int match_synthesized(struct match_vcpu *v, const struct record_info *r)
{
	struct match_count *c;

	v->cycles += r->end - r->tsc;
	if (count_unmatched_before(v, r->tsc, r->seq - v->next_seq, false) ||
	    check_overlap(v, r, true))
		return -ENOMEM;

	c = count_of(v, r->reason);
	if (!c)
		return -ENOMEM;
	c->records++;
	c->synthesized++;
	return 0;
}

/* A record of a real exit; all trace events up to its end are known. */
static int match_real(struct match *m, struct match_vcpu *v, const struct record_info *r)
{
	struct match_count *c;
	const struct pair *p;

	if (close_delta(v, r->seq) ||
	    count_unmatched_before(v, r->tsc, r->seq - v->next_seq, false) ||
	    check_overlap(v, r, false))
		return -ENOMEM;

	c = count_of(v, r->reason);
	if (!c)
		return -ENOMEM;
	c->records++;
	v->last_reason = r->reason;

	p = queue_head(&v->pairs, sizeof(*p));
	if (p && p->exit_ts <= r->end) {
		count_match(v, c, r, p);
		queue_pop(&v->pairs);
	} else if (lost_windows_hit(&m->lost, r->pcpu, r->tsc, r->end)) {
		c->untraced++;
	} else {
		c->record_only++;
	}
	v->slow = !(r->flags & KVM_EXIT_REC_FASTPATH);
	return 0;
}

static int match_record(struct match *m, struct match_vcpu *v, const struct record_info *r)
{
	int rc = r->flags & KVM_EXIT_REC_SYNTH ? match_synthesized(v, r) : match_real(m, v, r);

	v->next_seq = r->seq + 1;
	v->last_end = r->end;
	v->any = true;
	return rc;
}

static struct match_candidates candidates_of(struct match *m, const struct event_lane *lane,
					     const struct kvm_event *e)
{
	struct match_candidates candidates = {
		.vcpus = m->vcpus,
		.count = m->vcpu_count,
		/* The process of a thread may become known only later. */
		.tgid = lane->tgid ? lane->tgid : find_process(m, e->tid),
		.vcpu_id = lane->vcpu_id,
	};

	match_find_fitting(&candidates, e);
	return candidates;
}

/* Whether a trace event may have been lost between the one on @cpu at @ts and this one. */
static bool lost_since(const struct match *m, uint32_t cpu, uint64_t ts, const struct kvm_event *e)
{
	return lost_windows_hit(&m->lost, cpu, ts, e->ts) ||
	       lost_windows_hit(&m->lost, e->cpu, ts, e->ts);
}

static bool lost_since_exit(const struct match *m, const struct last_events *last,
			    const struct kvm_event *e)
{
	return lost_since(m, last->cpu, last->ts, e);
}

static int handle_exit(struct match *m, struct match_vcpu *v, const struct kvm_event *e)
{
	struct pair *p = queue_append(&v->pairs, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct pair){
		.exit_ts = e->ts,
		.reason = e->reason,
		.unentered = v->traced.open && !lost_since_exit(m, &v->traced, e),
	};
	v->traced = (struct last_events){.open = true, .tid = e->tid, .cpu = e->cpu, .ts = e->ts};
	return 0;
}

static void handle_entry(struct match *m, struct match_vcpu *v, const struct kvm_event *e)
{
	struct pair *p = queue_tail(&v->pairs, sizeof(*p));
	/* Where events were lost in between, it is the entry of another exit. */
	bool paired = v->traced.open && !lost_since_exit(m, &v->traced, e);
	bool again = !v->traced.open && v->traced.entry_ts &&
		     !lost_since(m, v->traced.entry_cpu, v->traced.entry_ts, e);

	v->entries.steps[again ? MATCH_ENTRY_IN_GUEST : MATCH_ENTRY_HANDLED]++;
	v->traced.open = false;
	v->traced.tid = e->tid;
	v->traced.entry_cpu = e->cpu;
	v->traced.entry_ts = e->ts;
	v->entries.traced++;
	v->entries.unpaired += !paired;
	if (paired && p)
		p->entry_ts = e->ts;
}

static int handle_event(struct match *m, const struct match_candidates *candidates,
			const struct kvm_event *e)
{
	bool ambiguous;
	int vcpu = match_identify(candidates, e, &ambiguous);

	m->ambiguous += ambiguous;
	if (vcpu < 0) {
		m->unknown_vcpu += e->kind == KVM_EVENT_EXIT;
		return 0;
	}
	if (e->kind == KVM_EVENT_EXIT)
		return handle_exit(m, &m->vcpus[vcpu], e);
	handle_entry(m, &m->vcpus[vcpu], e);
	return 0;
}

static int run_lane(struct match *m, struct event_lane *lane, uint64_t horizon)
{
	const struct kvm_event *e;
	int rc = 0;

	while (!rc && (e = event_lane_peek(lane, horizon))) {
		const struct match_candidates candidates = candidates_of(m, lane, e);

		/* An idle vCPU has no record for long; memory for its sake is bounded. */
		if (horizon != UINT64_MAX && lane->events.count < HELD_MOST &&
		    match_is_early(&candidates, e)) {
			match_hold(&candidates, e);
			break;
		}
		rc = handle_event(m, &candidates, e);
		event_lane_pop(lane);
	}
	return rc;
}

/* All events before @horizon, then all records that ended before it and before what waits. */
static int run(struct match *m, uint64_t horizon)
{
	struct record_info *b;
	int rc = 0;

	for (int i = 0; i < m->vcpu_count; i++)
		m->vcpus[i].held_from = UINT64_MAX;
	for (size_t i = 0; i < m->lanes.count && !rc; i++)
		rc = run_lane(m, m->lanes.lanes[i], horizon);
	for (int i = 0; i < m->vcpu_count && !rc; i++) {
		while (!rc && (b = queue_head(&m->vcpus[i].records, sizeof(*b))) &&
		       b->end < horizon && b->end < m->vcpus[i].held_from) {
			rc = match_record(m, &m->vcpus[i], b);
			queue_pop(&m->vcpus[i].records);
		}
	}
	return rc;
}

int match_run(struct match *match)
{
	return run(match, match->mark);
}

void match_end_vcpu(struct match *match, int vcpu, const struct match_vcpu_end *end)
{
	match->vcpus[vcpu].end = *end;
	match->vcpus[vcpu].ended = true;
}

/* What was traced after the last record: dropped, open at the last snapshot, or after it. */
static int finish_vcpu(struct match_vcpu *v)
{
	enum unmatched rest = v->end.gone ? UNMATCHED_TRACE_ONLY : UNMATCHED_AFTER;

	if (count_unmatched_before(v, v->end.last_snapshot_tsc, v->end.seq - v->next_seq,
				   v->end.open))
		return -ENOMEM;
	while (v->pairs.count) {
		if (count_unmatched(v, rest))
			return -ENOMEM;
	}
	return close_delta(v, v->end.seq);
}

int match_finish(struct match *match)
{
	int rc = run(match, UINT64_MAX);

	for (int i = 0; i < match->vcpu_count && !rc; i++)
		rc = finish_vcpu(&match->vcpus[i]);
	return rc;
}

const struct match_count *match_counts(const struct match *match, int vcpu, size_t *count)
{
	*count = match->vcpus[vcpu].count_count;
	return match->vcpus[vcpu].counts;
}

const struct match_entries *match_entries(const struct match *match, int vcpu)
{
	return &match->vcpus[vcpu].entries;
}

uint64_t match_unknown_vcpu(const struct match *match)
{
	return match->unknown_vcpu;
}

uint64_t match_ambiguous(const struct match *match)
{
	return match->ambiguous;
}

static void free_vcpu(struct match_vcpu *v)
{
	for (size_t i = 0; i < v->count_count; i++)
		free(v->counts[i].delta);
	free(v->counts);
	queue_free(&v->pairs);
	queue_free(&v->records);
}

void match_free(struct match *match)
{
	event_lanes_free(&match->lanes);
	for (int i = 0; i < match->vcpu_count; i++)
		free_vcpu(&match->vcpus[i]);
	free(match->vcpus);
	free(match->threads);
	lost_windows_free(&match->lost);
	free(match);
}
