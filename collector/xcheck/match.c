// SPDX-License-Identifier: GPL-2.0-only
/* match.c - matches the records of the rings with kvm_exit, exit by exit */
#include "collector/xcheck/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/events/event_lanes.h"
#include "collector/events/lost_windows.h"

/* One kvm_exit and the kvm_entry after it (entry_ts 0: not seen). */
struct pair {
	uint64_t exit_ts;
	uint64_t entry_ts;
	uint32_t reason;
};

/* What is needed of a record. @end: tsc + cycles */
struct brief {
	uint64_t seq;
	uint64_t tsc;
	uint64_t end;
	uint32_t reason;
	uint32_t flags;
	uint32_t pcpu;
};

/* items[first .. first + count - 1], each @size bytes */
struct fifo {
	char *items;
	size_t size;
	size_t first;
	size_t count;
	size_t room;
};

/*
 * @interval:	kvm_exit to kvm_entry of the last matched record, 0: none open
 * @cycles:	cycles of that record and of the synthesized ones after it, which
 *		lie inside the same interval
 */
struct vcpu {
	struct match_vcpu_info info;
	struct fifo pairs;
	struct fifo records;
	struct match_count *counts;
	size_t count_count;
	uint64_t entries;
	uint64_t unpaired;
	uint64_t next_seq;
	uint64_t last_end;
	uint64_t interval;
	uint64_t cycles;
	uint32_t last_reason;
	bool any;
	struct match_vcpu_end end;
};

struct match {
	uint32_t (*tgid_of)(void *user, uint32_t tid);
	void *user;
	struct event_lanes lanes;
	struct vcpu *vcpus;
	int vcpu_count;
	struct lost_windows lost;
	uint64_t mark;
	uint64_t strangers;
};

/* What a lane remembers: whether, and for which vCPU, a kvm_exit waits for its
 * kvm_entry.
 */
struct lane_state {
	bool open;
	int vcpu;     /* -1: a stranger */
	uint32_t cpu; /* of the kvm_exit */
};

static void *fifo_add(struct fifo *f)
{
	size_t room;
	char *more;

	if (f->first + f->count == f->room && f->first > f->room / 2) {
		memmove(f->items, f->items + f->first * f->size, f->count * f->size);
		f->first = 0;
	}
	if (f->first + f->count == f->room) {
		room = f->room ? 2 * f->room : 64;
		more = reallocarray(f->items, room, f->size);
		if (!more)
			return NULL;
		f->items = more;
		f->room = room;
	}
	return f->items + (f->first + f->count++) * f->size;
}

static void *fifo_head(struct fifo *f)
{
	return f->count ? f->items + f->first * f->size : NULL;
}

static void *fifo_tail(struct fifo *f)
{
	return f->count ? f->items + (f->first + f->count - 1) * f->size : NULL;
}

static void fifo_pop(struct fifo *f)
{
	f->first++;
	if (!--f->count)
		f->first = 0;
}

static uint32_t basic_reason(const struct vcpu *v, uint32_t reason)
{
	return v->info.isa == KVM_EXIT_ISA_VMX ? reason & 0xffff : reason;
}

static struct match_count *count_of(struct vcpu *v, uint32_t reason)
{
	struct match_count *more;
	size_t i;

	reason = basic_reason(v, reason);
	for (i = 0; i < v->count_count; i++) {
		if (v->counts[i].reason == reason)
			return &v->counts[i];
	}
	more = reallocarray(v->counts, i + 1, sizeof(*more));
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
	struct vcpu *more =
		reallocarray(match->vcpus, (size_t)match->vcpu_count + 1, sizeof(*more));
	struct vcpu *v;

	if (!more)
		return -ENOMEM;
	match->vcpus = more;
	v = &more[match->vcpu_count];
	memset(v, 0, sizeof(*v));
	v->info = *info;
	v->next_seq = info->first_seq;
	v->pairs.size = sizeof(struct pair);
	v->records.size = sizeof(struct brief);
	*vcpu = match->vcpu_count++;
	return 0;
}

int match_records(struct match *match, int vcpu, const struct kvm_exit_record *records,
		  size_t count)
{
	struct vcpu *v = &match->vcpus[vcpu];
	struct brief *b;

	for (size_t i = 0; i < count; i++) {
		b = fifo_add(&v->records);
		if (!b)
			return -ENOMEM;
		*b = (struct brief){
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

int match_event(struct match *match, const struct kvm_event *event)
{
	return event_lanes_push(&match->lanes, event);
}

int match_lost(struct match *match, uint32_t cpu, uint64_t from, uint64_t to)
{
	return lost_windows_add(&match->lost, cpu, from, to);
}

void match_mark(struct match *match, uint64_t tsc)
{
	match->mark = tsc;
}

/* Closes the comparison of the last matched record with its interval. */
static int close_delta(struct vcpu *v)
{
	struct match_count *c;

	if (!v->interval)
		return 0;
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

/* What a kvm_exit without a record is. */
enum stray {
	STRAY_BEFORE,
	STRAY_GAP,
	STRAY_OPEN,
	STRAY_AFTER,
	STRAY_TRACE_ONLY,
};

/* Counts the oldest kvm_exit under its heading and forgets it. */
static int put_stray(struct vcpu *v, enum stray stray)
{
	const struct pair *p = fifo_head(&v->pairs);
	struct match_count *c = count_of(v, p->reason);

	if (!c)
		return -ENOMEM;
	c->traced++;
	c->before += stray == STRAY_BEFORE;
	c->gap += stray == STRAY_GAP;
	c->open += stray == STRAY_OPEN;
	c->after += stray == STRAY_AFTER;
	c->trace_only += stray == STRAY_TRACE_ONLY;
	fifo_pop(&v->pairs);
	return 0;
}

/*
 * The oldest kvm_exit, which belongs to no record and to no gap. @last: the next
 * one does.
 */
static enum stray beyond_gap(const struct vcpu *v, const struct pair *p, bool last)
{
	if (!v->any && (p->exit_ts < v->info.from_tsc || (last && v->info.open_first)))
		return STRAY_BEFORE;
	return STRAY_TRACE_ONLY;
}

/* How many kvm_exit wait that happened before @tsc. */
static size_t strays_before(struct vcpu *v, uint64_t tsc)
{
	const struct pair *p = fifo_head(&v->pairs);
	size_t count = 0;

	while (count < v->pairs.count && p[count].exit_ts < tsc)
		count++;
	return count;
}

/* Each kvm_exit before @tsc, of which the last @lost have no record because it was lost
 * and the last of all because its exit is still open.
 */
static int put_strays(struct vcpu *v, uint64_t tsc, uint64_t lost, bool open)
{
	uint64_t ours = lost + open;
	enum stray stray;
	int rc = 0;

	for (size_t left = strays_before(v, tsc); left && !rc; left--) {
		if (left > ours)
			stray = beyond_gap(v, fifo_head(&v->pairs), left == ours + 1);
		else if (left == 1 && open)
			stray = STRAY_OPEN;
		else
			stray = STRAY_GAP;
		rc = put_stray(v, stray);
	}
	return rc;
}

static int pair_up(struct vcpu *v, struct match_count *c, const struct brief *b,
		   const struct pair *p)
{
	c->traced++;
	c->matched++;
	c->differ += basic_reason(v, p->reason) != c->reason;
	if (p->entry_ts && !(b->flags & (KVM_EXIT_REC_NO_REENTRY | KVM_EXIT_REC_TSC_BACK))) {
		v->interval = p->entry_ts - p->exit_ts;
		v->cycles = b->end - b->tsc;
	}
	return 0;
}

/* Finds the partner of one record; all trace events up to its end are known. */
static int match_record(struct match *m, struct vcpu *v, const struct brief *b)
{
	bool synth = b->flags & KVM_EXIT_REC_SYNTH;
	struct match_count *c;
	struct pair *p;

	if (synth)
		v->cycles += b->end - b->tsc;
	else if (close_delta(v))
		return -ENOMEM;
	if (put_strays(v, b->tsc, b->seq - v->next_seq, false))
		return -ENOMEM;
	p = fifo_head(&v->pairs);
	c = v->any ? count_of(v, v->last_reason) : NULL;
	if (c && b->seq == v->next_seq && (synth ? v->last_end > b->tsc : v->last_end >= b->tsc))
		c->overlaps++;
	c = count_of(v, b->reason);
	if (!c)
		return -ENOMEM;
	c->records++;
	v->next_seq = b->seq + 1;
	v->last_end = b->end;
	v->last_reason = synth ? v->last_reason : b->reason;
	v->any = true;
	if (synth) {
		c->synthesized++;
	} else if (p && p->exit_ts <= b->end) {
		pair_up(v, c, b, p);
		fifo_pop(&v->pairs);
	} else if (lost_windows_hit(&m->lost, b->pcpu, b->tsc, b->end)) {
		c->untraced++;
	} else {
		c->record_only++;
	}
	return 0;
}

/* The vCPU that a lane worked for at a time: the youngest made before it. */
static int owner(struct match *m, struct event_lane *lane, uint64_t ts)
{
	const struct match_vcpu_info *info;
	int best = -1;

	if (!lane->tgid)
		lane->tgid = m->tgid_of(m->user, lane->tid);
	for (int i = 0; i < m->vcpu_count; i++) {
		info = &m->vcpus[i].info;
		if (info->tgid == lane->tgid && info->vcpu_id == lane->vcpu_id &&
		    info->made_tsc <= ts &&
		    (best < 0 || info->made_tsc > m->vcpus[best].info.made_tsc))
			best = i;
	}
	return best;
}

static int take_exit(struct match *m, struct lane_state *state, const struct kvm_event *e)
{
	struct pair *p;

	state->open = true;
	state->cpu = e->cpu;
	if (state->vcpu < 0) {
		m->strangers++;
		return 0;
	}
	p = fifo_add(&m->vcpus[state->vcpu].pairs);
	if (!p)
		return -ENOMEM;
	*p = (struct pair){.exit_ts = e->ts, .reason = e->reason};
	return 0;
}

static int take_event(struct match *m, struct event_lane *lane, const struct kvm_event *e)
{
	struct lane_state *state = lane->user;
	int vcpu = owner(m, lane, e->ts);
	bool paired = state->open && state->vcpu == vcpu;
	struct pair *p;

	state->vcpu = vcpu;
	if (e->kind == KVM_EVENT_EXIT)
		return take_exit(m, state, e);
	state->open = false;
	if (vcpu < 0)
		return 0;
	p = fifo_tail(&m->vcpus[vcpu].pairs);
	/* Where events were lost in between, it is the entry of another exit. */
	if (paired && p)
		paired = !lost_windows_hit(&m->lost, state->cpu, p->exit_ts, e->ts) &&
			 !lost_windows_hit(&m->lost, e->cpu, p->exit_ts, e->ts);
	m->vcpus[vcpu].entries++;
	m->vcpus[vcpu].unpaired += !paired;
	if (paired && p)
		p->entry_ts = e->ts;
	return 0;
}

static int run_lane(struct match *m, struct event_lane *lane, uint64_t horizon)
{
	const struct kvm_event *e;
	int rc = 0;

	if (!lane->user)
		lane->user = calloc(1, sizeof(struct lane_state));
	if (!lane->user)
		return -ENOMEM;
	while (!rc && (e = event_lane_peek(lane, horizon))) {
		rc = take_event(m, lane, e);
		event_lane_pop(lane);
	}
	return rc;
}

/* All events before @horizon, then all records that ended before it. */
static int run(struct match *m, uint64_t horizon)
{
	struct brief *b;
	int rc = 0;

	for (size_t i = 0; i < m->lanes.count && !rc; i++)
		rc = run_lane(m, m->lanes.lanes[i], horizon);
	for (int i = 0; i < m->vcpu_count && !rc; i++) {
		while (!rc && (b = fifo_head(&m->vcpus[i].records)) && b->end < horizon) {
			rc = match_record(m, &m->vcpus[i], b);
			fifo_pop(&m->vcpus[i].records);
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
}

/* What was traced behind the last record: dropped, open at the last look, or after it. */
static int finish_vcpu(struct vcpu *v)
{
	int rc = put_strays(v, v->end.look_tsc, v->end.seq - v->next_seq, v->end.open);

	while (!rc && fifo_head(&v->pairs))
		rc = put_stray(v, v->end.gone ? STRAY_TRACE_ONLY : STRAY_AFTER);
	return rc ? rc : close_delta(v);
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

void match_entries(const struct match *match, int vcpu, uint64_t *entries, uint64_t *unpaired)
{
	*entries = match->vcpus[vcpu].entries;
	*unpaired = match->vcpus[vcpu].unpaired;
}

uint64_t match_strangers(const struct match *match)
{
	return match->strangers;
}

static void free_vcpu(struct vcpu *v)
{
	for (size_t i = 0; i < v->count_count; i++)
		free(v->counts[i].delta);
	free(v->counts);
	free(v->pairs.items);
	free(v->records.items);
}

void match_free(struct match *match)
{
	for (size_t i = 0; i < match->lanes.count; i++)
		free(match->lanes.lanes[i]->user);
	event_lanes_free(&match->lanes);
	for (int i = 0; i < match->vcpu_count; i++)
		free_vcpu(&match->vcpus[i]);
	free(match->vcpus);
	lost_windows_free(&match->lost);
	free(match);
}
