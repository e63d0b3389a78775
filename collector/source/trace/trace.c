// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - pairs kvm_exit with the next kvm_entry of the same vCPU */
#include "collector/source/trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/events/event_lanes.h"
#include "collector/events/event_record.h"
#include "collector/events/lost_windows.h"
#include "collector/host/host.h"

#define BATCH_RECORDS 4096U

/*
 * What a lane remembers.
 * @vcpu:	its number; -1: not announced
 * @open:	the kvm_exit that waits for its kvm_entry, if @is_open
 * @resets:	pairs that lost a side
 */
struct lane_state {
	int vcpu;
	bool is_open;
	bool ended;
	struct kvm_event open;
	uint64_t seq;
	uint64_t resets;
};

struct trace_source {
	struct source source; /* first: the two are cast into each other */
	struct trace_feed feed;
	struct event_lanes lanes;
	struct lost_windows lost;
	struct lane_state **states; /* by vCPU number */
	int vcpus;
	size_t lane; /* that this round has come to */
	bool in_round;
	bool stopping;
	bool end;
	uint64_t horizon;
	uint64_t resets;
	uint64_t first_ts;
	uint64_t last_ts;
	bool live; /* the run's start is known */
	char comm[32];
	struct kvm_exit_record records[BATCH_RECORDS];
};

static int on_event(void *user, const struct kvm_event *event)
{
	struct trace_source *s = user;

	/* Of the first round, for the run begins with its first vCPU. */
	if (!s->live && !s->vcpus && event->ts < s->first_ts)
		s->source.info.tsc_start = s->first_ts = event->ts;
	if (!s->source.info.isa && event->kind == KVM_EVENT_EXIT)
		s->source.info.isa = event->isa;
	return event_lanes_push(&s->lanes, event);
}

static int on_lost(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	return lost_windows_add(&((struct trace_source *)user)->lost, cpu, from, to);
}

static struct lane_state *state_of(struct event_lane *lane)
{
	struct lane_state *state = lane->user;

	if (!state) {
		state = calloc(1, sizeof(*state));
		if (state)
			state->vcpu = -1;
		lane->user = state;
	}
	return state;
}

/* Whether another lane is the same vCPU of the same process. */
static bool known_vcpu(const struct trace_source *s, const struct event_lane *lane)
{
	for (size_t i = 0; i < s->lanes.count; i++) {
		const struct event_lane *other = s->lanes.lanes[i];
		const struct lane_state *state = other->user;

		if (other != lane && state && state->vcpu >= 0 && other->tgid == lane->tgid &&
		    other->vcpu_id == lane->vcpu_id)
			return true;
	}
	return false;
}

static int announce(struct trace_source *s, struct event_lane *lane, struct source_item *item)
{
	struct lane_state *state = lane->user;
	struct lane_state **more = reallocarray(s->states, (size_t)s->vcpus + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	s->states = more;
	more[s->vcpus] = state;
	state->vcpu = s->vcpus++;
	lane->tgid = s->feed.tgid(s->feed.self, lane->tid);
	host_comm(lane->tgid, s->comm, sizeof(s->comm));
	item->kind = SOURCE_VCPU;
	item->vcpu = state->vcpu;
	item->made_tsc = 0;
	item->info = (struct store_vcpu){
		.comm = s->comm,
		.vm_id = lane->tgid ? lane->tgid : lane->tid,
		.ring_id = known_vcpu(s, lane) ? lane->tid : 0,
		.tgid = lane->tgid,
		.vcpu_id = lane->vcpu_id,
	};
	return 0;
}

/* One side of a pair is missing: an exit that has no record. */
static void reset(struct trace_source *s, struct lane_state *state)
{
	state->is_open = false;
	state->seq++;
	state->resets++;
	s->resets++;
}

/* Takes one event; true if it completed @record. */
static bool take_event(struct trace_source *s, struct lane_state *state, const struct kvm_event *e,
		       struct kvm_exit_record *record)
{
	bool lost = state->is_open &&
		    (lost_windows_hit(&s->lost, state->open.cpu, state->open.ts, e->ts) ||
		     lost_windows_hit(&s->lost, e->cpu, state->open.ts, e->ts));

	s->last_ts = e->ts;
	if (e->kind == KVM_EVENT_EXIT) {
		if (state->is_open)
			reset(s, state);
		state->open = *e;
		state->is_open = true;
		return false;
	}
	if (lost)
		reset(s, state);
	if (!state->is_open)
		return false;
	state->is_open = false;
	event_record(record, &state->open, e->ts);
	record->seq = state->seq++;
	return true;
}

/* Up to BATCH_RECORDS records of a lane. */
static size_t pair_up(struct trace_source *s, struct event_lane *lane)
{
	const struct kvm_event *e;
	size_t count = 0;

	while (count < BATCH_RECORDS && (e = event_lane_peek(lane, s->horizon))) {
		count += take_event(s, lane->user, e, &s->records[count]);
		event_lane_pop(lane);
	}
	return count;
}

static int visit(struct trace_source *s, struct event_lane *lane, struct source_item *item)
{
	struct lane_state *state = state_of(lane);

	if (!state)
		return -ENOMEM;
	if (!event_lane_peek(lane, s->horizon))
		return 0;
	if (state->vcpu < 0)
		return announce(s, lane, item);
	item->count = pair_up(s, lane);
	if (!item->count)
		return 0;
	item->kind = SOURCE_RECORDS;
	item->vcpu = state->vcpu;
	item->records = s->records;
	return 0;
}

/* The end of the first vCPU that was not ended, or SOURCE_FINISHED. */
static void end_next(struct trace_source *s, struct source_item *item)
{
	uint64_t lost = s->feed.lost(s->feed.self);
	uint64_t hidden = lost > s->resets ? (lost - s->resets) / 2 : 0;
	struct lane_state *state;

	for (int i = 0; i < s->vcpus; i++) {
		state = s->states[i];
		if (state->ended)
			continue;
		state->ended = true;
		item->kind = SOURCE_END_VCPU;
		item->vcpu = i;
		/* Exits lost with both sides, by the pairs that lost one. */
		if (s->resets)
			hidden = hidden * state->resets / s->resets;
		else
			hidden = i ? 0 : hidden;
		item->end = (struct store_vcpu_end){
			.end_seq = state->seq + hidden,
			.open_exits = state->is_open,
		};
		return;
	}
	if (!s->source.info.tsc_end) {
		s->source.info.tsc_end = s->last_ts;
		s->source.info.ended_ns = host_realtime_ns();
	}
	item->kind = SOURCE_FINISHED;
}

static int fill(struct trace_source *s, struct fault *fault)
{
	const struct trace_sink sink = {.event = on_event, .lost = on_lost, .user = s};
	int rc;

	/* The stop takes effect first, so that the last fill is complete. */
	if (s->stopping && s->feed.stop) {
		s->feed.stop(s->feed.self);
		s->feed.stop = NULL;
	}
	rc = s->feed.fill(s->feed.self, &sink, &s->horizon, &s->end, fault);
	if (rc)
		return fault_set(fault, rc, "%s: %s", s->source.ops->name, strerror(-rc));
	if (s->stopping || s->end)
		s->horizon = UINT64_MAX;
	s->in_round = true;
	s->lane = 0;
	return 0;
}

static int trace_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct trace_source *s = (struct trace_source *)source;
	int rc = 0;

	item->kind = SOURCE_NOTHING;
	if (!s->in_round)
		rc = fill(s, fault);
	while (!rc && s->lane < s->lanes.count) {
		rc = visit(s, s->lanes.lanes[s->lane], item);
		if (rc == -ENOMEM)
			return fault_set(fault, rc, "out of memory");
		if (rc || item->kind != SOURCE_NOTHING)
			return rc;
		s->lane++;
	}
	if (rc)
		return rc;
	if (s->horizon == UINT64_MAX)
		end_next(s, item);
	else
		s->in_round = false;
	return 0;
}

static void trace_stop(struct source *source)
{
	((struct trace_source *)source)->stopping = true;
}

static void trace_close(struct source *source)
{
	struct trace_source *s = (struct trace_source *)source;

	s->feed.close(s->feed.self);
	for (size_t i = 0; i < s->lanes.count; i++)
		free(s->lanes.lanes[i]->user);
	event_lanes_free(&s->lanes);
	lost_windows_free(&s->lost);
	run_info_free(&s->source.info);
	free(s->states);
	free((void *)s->source.ops);
	free(s);
}

int source_trace_open(const struct trace_feed *feed, const char *name, const struct run_info *info,
		      struct source **source, struct fault *fault)
{
	struct trace_source *s = calloc(1, sizeof(*s));
	struct source_ops *ops = calloc(1, sizeof(*ops));

	*source = NULL;
	if (!s || !ops) {
		free(s);
		free(ops);
		feed->close(feed->self);
		return fault_set(fault, -ENOMEM, "out of memory");
	}
	*ops = (struct source_ops){
		.name = name,
		.next = trace_next,
		.stop = trace_stop,
		.close = trace_close,
	};
	s->source.ops = ops;
	s->source.info = *info;
	s->source.info.unsplit = 1;
	s->live = info->tsc_start != 0;
	s->first_ts = UINT64_MAX;
	s->source.fd = -1;
	s->feed = *feed;
	*source = &s->source;
	return 0;
}
