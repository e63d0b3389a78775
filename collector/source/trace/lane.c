// SPDX-License-Identifier: GPL-2.0-only
/* lane.c - conflicts between the threads of one vCPU id, and their slots; see lane.h */
#include "collector/source/trace/lane.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "collector/source/trace/vcpus.h"

/* Threads with one vCPU id of one process: that many VMs without process ids, each with a vCPU 0.
 */
#define MOST_THREADS 65536U

/* An event of a thread. @order: its number in the lane; 0: there is none */
struct step {
	enum kvm_event_kind kind;
	uint32_t cpu;
	uint64_t ts;
	uint64_t order;
};

/*
 * @first, @last: its events
 * @older, @newer: number + 1 of its neighbours among those whose last event is of the same kind,
 *	in the order of these events; 0: there is none
 * @conflict_count: members that it conflicts with
 * @conflicts: bit i: it conflicts with member i, for the members before it whose events are not all
 *	before its first one; NULL: none of them
 * @below: number + 1 of the member below it, as lane.h says; 0: there is none
 */
struct lane_member {
	uint32_t tid;
	uint32_t slot;
	uint32_t older;
	uint32_t newer;
	uint32_t below;
	uint32_t conflict_count;
	struct step first;
	struct step last;
	uint64_t *conflicts;
};

/*
 * While slots are given to members.
 * @top: by the kind of its last event, number + 1 of the member on top; 0: there is none
 * @taken_for: number + 1 of a member that conflicts with one in it
 */
struct lane_slot {
	uint32_t top[KVM_EVENT_ENTRY + 1];
	uint32_t taken_for;
};

static bool has_tid(const void *items, uint32_t i, const void *key)
{
	return ((const struct lane_member *)items)[i].tid == *(const uint32_t *)key;
}

static uint32_t *find_place(const struct lane *lane, uint32_t tid)
{
	return hash_place(&lane->place, hash_mix(0, tid), has_tid, lane->member, &tid);
}

static struct lane_member *find_member(struct lane *lane, uint32_t tid)
{
	uint32_t found;

	if (!lane->vcpu.threads)
		return NULL;
	/* Most events are of the thread of the one before. */
	if (lane->member[lane->last].tid == tid)
		return &lane->member[lane->last];
	found = *find_place(lane, tid);
	if (!found)
		return NULL;
	lane->last = found - 1;
	return &lane->member[lane->last];
}

/* Room for one more member. */
static int grow(struct lane *lane)
{
	uint32_t count = lane->vcpu.threads;
	struct lane_member *members = array_reserve(lane->member, count, 1, sizeof(*members));
	struct lane_slot *slots;
	uint32_t *by_exit;
	int rc;

	if (!members)
		return -ENOMEM;
	lane->member = members;
	slots = array_reserve(lane->slot, count, 1, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	lane->slot = slots;
	by_exit = array_reserve(lane->by_exit, lane->by_exit_count, 1, sizeof(*by_exit));
	if (!by_exit)
		return -ENOMEM;
	lane->by_exit = by_exit;

	rc = hash_make_room(&lane->place, count);
	for (uint32_t i = 0; rc > 0 && i < count; i++)
		*find_place(lane, members[i].tid) = i + 1;
	return rc < 0 ? rc : 0;
}

/* A thread of the lane, made if need be. -ENOMEM, -E2BIG. */
static int get_member(struct lane *lane, uint32_t tid, const struct step *step,
		      struct lane_member **member)
{
	uint32_t count = lane->vcpu.threads;

	*member = find_member(lane, tid);
	if (*member)
		return 0;
	if (count == MOST_THREADS)
		return -E2BIG;
	if (grow(lane))
		return -ENOMEM;

	*member = &lane->member[count];
	**member = (struct lane_member){.tid = tid, .first = *step};
	*find_place(lane, tid) = count + 1;
	if (step->kind == KVM_EVENT_EXIT)
		lane->by_exit[lane->by_exit_count++] = count;
	lane->last = count;
	lane->vcpu.threads++;
	lane->is_stale = true;
	return 0;
}

/* Whether @next can't be of the vCPU whose last event, on another thread, was @last. */
static bool excludes(const struct step *last, const struct step *next,
		     const struct lost_windows *lost)
{
	if (next->kind == KVM_EVENT_ENTRY && last->kind == KVM_EVENT_EXIT)
		return false; /* it may have moved */
	return !lost_windows_hit(lost, last->cpu, last->ts, next->ts) &&
	       !lost_windows_hit(lost, next->cpu, last->ts, next->ts);
}

static bool is_in_conflict(const struct lane_member *later, uint32_t earlier)
{
	return later->conflicts && later->conflicts[earlier / 64] >> earlier % 64 & 1;
}

static int set_conflict(struct lane *lane, uint32_t one, uint32_t other)
{
	uint32_t i = one > other ? one : other, j = one > other ? other : one;
	struct lane_member *later = &lane->member[i];

	if (is_in_conflict(later, j))
		return 0;
	if (!later->conflicts)
		later->conflicts = calloc(i / 64 + 1, sizeof(*later->conflicts));
	if (!later->conflicts)
		return -ENOMEM;

	later->conflicts[j / 64] |= UINT64_C(1) << j % 64;
	later->conflict_count++;
	lane->member[j].conflict_count++;
	lane->is_stale = true;
	return 0;
}

/* Compare with members whose last event is of that kind, and younger than the own last one. */
static int compare_last(struct lane *lane, uint32_t self, enum kvm_event_kind kind,
			const struct step *next, const struct lost_windows *lost)
{
	uint64_t since = lane->member[self].last.order;
	int rc = 0;

	for (uint32_t n = lane->newest[kind]; n && !rc; n = lane->member[n - 1].older) {
		const struct lane_member *other = &lane->member[n - 1];

		if (other->last.order <= since)
			break;
		if (excludes(&other->last, next, lost))
			rc = set_conflict(lane, self, n - 1);
	}
	return rc;
}

/* Compare with a member that may have begun since the own last event. *@is_new: it has. */
static int compare_first(struct lane *lane, uint32_t self, uint32_t other, bool *is_new,
			 const struct lost_windows *lost)
{
	const struct step *last = &lane->member[self].last, *first = &lane->member[other].first;

	*is_new = first->order > last->order;
	return *is_new && excludes(last, first, lost) ? set_conflict(lane, self, other) : 0;
}

/* Compare with the members that have begun since the own last event. */
static int compare_new(struct lane *lane, uint32_t self, const struct lost_windows *lost)
{
	bool is_new = true;
	int rc = 0;

	if (lane->member[self].last.kind == KVM_EVENT_EXIT) {
		for (uint32_t i = lane->by_exit_count; i-- > 0 && is_new && !rc;)
			rc = compare_first(lane, self, lane->by_exit[i], &is_new, lost);
		return rc;
	}
	for (uint32_t i = lane->vcpu.threads; i-- > 0 && is_new && !rc;)
		rc = compare_first(lane, self, i, &is_new, lost);
	return rc;
}

static int find_conflicts(struct lane *lane, uint32_t self, const struct step *next,
			  const struct lost_windows *lost)
{
	int rc;

	if (lane->member[self].conflict_count == lane->vcpu.threads - 1)
		return 0;
	rc = compare_last(lane, self, KVM_EVENT_ENTRY, next, lost);
	if (!rc && next->kind == KVM_EVENT_EXIT)
		rc = compare_last(lane, self, KVM_EVENT_EXIT, next, lost);
	return rc ? rc : compare_new(lane, self, lost);
}

static void unlink_member(struct lane *lane, const struct lane_member *self)
{
	if (self->newer)
		lane->member[self->newer - 1].older = self->older;
	else
		lane->newest[self->last.kind] = self->older;
	if (self->older)
		lane->member[self->older - 1].newer = self->newer;
}

/* Its last event becomes @step, the newest one of the lane. */
static void set_last(struct lane *lane, struct lane_member *self, const struct step *step)
{
	uint32_t *newest = &lane->newest[step->kind];
	uint32_t number = (uint32_t)(self - lane->member) + 1;

	if (self->last.order)
		unlink_member(lane, self);
	self->last = *step;
	self->newer = 0;
	self->older = *newest;
	if (*newest)
		lane->member[*newest - 1].newer = number;
	*newest = number;
}

int lane_see(struct lane *lane, const struct kvm_event *event, const struct lost_windows *lost)
{
	const struct step step = {event->kind, event->cpu, event->ts, ++lane->order};
	struct lane_member *member;
	int rc = get_member(lane, event->tid, &step, &member);

	if (rc)
		return rc;
	lost_windows_cpus_add(&lane->cpus, event->cpu);
	if (member->last.order)
		rc = find_conflicts(lane, (uint32_t)(member - lane->member), &step, lost);
	set_last(lane, member, &step);
	return rc;
}

/* The oldest of the members whose last event is of that kind; number + 1, 0: there is none. */
static uint32_t oldest_of(const struct lane *lane, enum kvm_event_kind kind)
{
	uint32_t oldest = lane->newest[kind];

	while (oldest && lane->member[oldest - 1].older)
		oldest = lane->member[oldest - 1].older;
	return oldest;
}

/*
 * Put members whose events were all before @first on top of their slots.
 * @next: the oldest one that is not there yet, as oldest_of()
 */
static void put_on_top(struct lane *lane, uint32_t *next, const struct step *first)
{
	while (*next && lane->member[*next - 1].last.order < first->order) {
		struct lane_member *member = &lane->member[*next - 1];
		uint32_t *top = &lane->slot[member->slot].top[member->last.kind];

		member->below = *top;
		*top = *next;
		*next = member->newer;
	}
}

/* Whether a member whose events are over keeps one that begins out of its slot. */
static bool keeps_out(const struct lane *lane, uint32_t *top, const struct step *first,
		      const struct lost_windows *lost)
{
	for (; *top; *top = lane->member[*top - 1].below) {
		const struct step *last = &lane->member[*top - 1].last;

		/* Lost events of its CPU excuse it from those that begin later, too. */
		if (!lost_windows_hit(lost, last->cpu, last->ts, first->ts))
			return excludes(last, first, lost);
	}
	return false;
}

/* Mark the slots of members that conflict with number @i, as both had events at the time. */
static void mark_conflicts(struct lane *lane, uint32_t i)
{
	const uint64_t *conflicts = lane->member[i].conflicts;

	for (uint32_t word = 0; conflicts && word <= i / 64; word++) {
		for (uint64_t left = conflicts[word]; left; left &= left - 1) {
			uint32_t earlier = 64 * word + (uint32_t)__builtin_ctzll(left);

			lane->slot[lane->member[earlier].slot].taken_for = i + 1;
		}
	}
}

/* The lowest slot in which no member before number @i conflicts with it. */
static uint32_t lowest_slot(struct lane *lane, uint32_t i, const struct lost_windows *lost)
{
	const struct step *first = &lane->member[i].first;
	uint32_t count = lane->vcpu.slots;

	if (lane->is_split)
		return i;
	mark_conflicts(lane, i);
	for (uint32_t slot = 0; slot < count; slot++) {
		uint32_t *top = lane->slot[slot].top;

		if (lane->slot[slot].taken_for != i + 1 &&
		    !keeps_out(lane, &top[KVM_EVENT_ENTRY], first, lost) &&
		    (first->kind == KVM_EVENT_ENTRY ||
		     !keeps_out(lane, &top[KVM_EVENT_EXIT], first, lost)))
			return slot;
	}
	return count;
}

void lane_update_slots(struct lane *lane, const struct lost_windows *lost)
{
	uint32_t next[KVM_EVENT_ENTRY + 1];

	if (!lane->is_stale)
		return;
	lane->is_stale = false;
	lane->vcpu.slots = 0;
	for (int kind = KVM_EVENT_EXIT; kind <= KVM_EVENT_ENTRY; kind++)
		next[kind] = oldest_of(lane, (enum kvm_event_kind)kind);

	/* With more the recording is refused: members stand in the order in which they are seen. */
	for (uint32_t i = 0; i < lane->vcpu.threads && lane->vcpu.slots <= VCPUS_MOST; i++) {
		struct lane_member *member = &lane->member[i];

		for (int kind = KVM_EVENT_EXIT; kind <= KVM_EVENT_ENTRY; kind++)
			put_on_top(lane, &next[kind], &member->first);
		member->slot = lowest_slot(lane, i, lost);
		if (member->slot == lane->vcpu.slots)
			lane->slot[lane->vcpu.slots++] = (struct lane_slot){.taken_for = 0};
	}
}

uint32_t lane_slot_of(struct lane *lane, uint32_t tid)
{
	const struct lane_member *member = find_member(lane, tid);

	return member ? member->slot : 0;
}

void lane_free(struct lane *lane)
{
	for (uint32_t i = 0; i < lane->vcpu.threads; i++)
		free(lane->member[i].conflicts);
	free(lane->member);
	free(lane->slot);
	free(lane->by_exit);
	hash_free(&lane->place);
}
