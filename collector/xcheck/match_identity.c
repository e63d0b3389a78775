// SPDX-License-Identifier: GPL-2.0-only
/*
 * match_identity.c - which vCPU an event is of, where a process has several with its id
 *
 * HOW IT WORKS. Two VMs of one process have vCPUs of the same id, and a tracepoint names no VM.
 * But kvm_exit and kvm_entry happen inside of the exit's record, and between two records with
 * sequence numbers in a row a vCPU is in the guest, where nothing is traced:
 *
 *	VM A	|=====|      |======|    |====|
 *	VM B	   |=====|            |=|        |====|
 *	trace	 x  x  e e    x    e   xe x  e     x  e
 *		 A  B  A B    A    A   BB A  A     B  B
 *
 * Where both are in an exit, the one that this event fits is meant: a kvm_exit is the first event
 * in its record and on the CPU of the exit, a kvm_entry comes after a kvm_exit and at the very end
 * of its record. Records that were lost, or that have not ended yet, leave open whether a vCPU was
 * in the guest. Then the thread that made the last event of a vCPU decides: most vCPUs have one of
 * their own. What even that can't tell apart is counted.
 */
#include "collector/xcheck/match_internal.h"

/* Where a vCPU was, as far as the records show. */
enum place {
	PLACE_NOT_HERE, /* in the guest, or gone */
	PLACE_UNKNOWN,	/* its record was lost, or has not ended */
	PLACE_IN_EXIT,
};

/*
 * @begin: no event of this exit is before it
 * @record: PLACE_IN_EXIT: the one
 */
struct position {
	enum place place;
	uint64_t begin;
	const struct record_info *record;
};

/* How well an event fits, the best last. */
enum fit {
	FIT_IMPOSSIBLE,
	FIT_BADLY, /* as a second kvm_exit, a kvm_entry without a kvm_exit */
	FIT_BADLY_SAME_THREAD,
	FIT_OTHER_THREAD,
	FIT_NO_EVENT_YET,
	FIT_SAME_THREAD,
	FIT_RECORD,
};

/* The number of records in the queue that begin before @ts. They are in order of time. */
static size_t records_before(const struct match_vcpu *v, uint64_t ts)
{
	const struct record_info *r = queue_head(&v->records, sizeof(*r));
	size_t low = 0, high = v->records.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r[middle].tsc < ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* After all records that are known. */
static struct position locate_at_end(const struct match_vcpu *v, uint64_t ts, uint64_t end,
				     uint64_t next_seq)
{
	const struct match_vcpu_end *last = &v->end;
	bool nothing_came = v->ended && last->seq == next_seq && !last->open;

	if (v->ended && last->gone && ts > last->last_snapshot_tsc)
		return (struct position){.place = PLACE_NOT_HERE};
	if (nothing_came && (last->gone || ts < last->last_snapshot_tsc))
		return (struct position){.place = PLACE_NOT_HERE};
	return (struct position){.place = PLACE_UNKNOWN, .begin = end};
}

static struct position locate(const struct match_vcpu *v, uint64_t ts)
{
	const struct record_info *r = queue_head(&v->records, sizeof(*r));
	size_t before = records_before(v, ts);
	uint64_t end = v->last_end, next_seq = v->next_seq;
	bool known = v->any || !v->info.open_at_start;

	if (before) {
		if (ts < r[before - 1].end)
			return (struct position){PLACE_IN_EXIT, r[before - 1].tsc, &r[before - 1]};
		end = r[before - 1].end;
		next_seq = r[before - 1].seq + 1;
		known = true;
	}

	if (before == v->records.count)
		return locate_at_end(v, ts, end, next_seq);
	/* Before its first exit a vCPU enters the guest. */
	if (known && r[before].seq == next_seq && ts >= v->info.first_snapshot_tsc &&
	    (v->any || before || v->traced.tid))
		return (struct position){.place = PLACE_NOT_HERE};
	return (struct position){.place = PLACE_UNKNOWN, .begin = end};
}

/* Whether the events of the vCPU before leave room for this one. */
static bool follows(const struct match_vcpu *v, const struct position *at,
		    const struct kvm_event *e)
{
	bool has_exit = v->traced.ts && v->traced.ts >= at->begin;

	/* At first a vCPU enters the guest without an exit; after its last exit it never does. */
	if (e->kind == KVM_EVENT_ENTRY)
		return !v->traced.ts ||
		       (has_exit && v->traced.open &&
			!(at->record && at->record->flags & KVM_EXIT_REC_NO_REENTRY));
	/* A record has one kvm_exit; several records may be missing. */
	return !has_exit || (!at->record && !v->traced.open);
}

static enum fit fit_of(const struct match_vcpu *v, const struct position *at,
		       const struct kvm_event *e)
{
	bool same_thread = v->traced.tid == e->tid;

	if (at->place == PLACE_NOT_HERE)
		return FIT_IMPOSSIBLE;
	if (!follows(v, at, e))
		return same_thread ? FIT_BADLY_SAME_THREAD : FIT_BADLY;

	if (e->kind == KVM_EVENT_EXIT && at->record && at->record->pcpu == e->cpu)
		return FIT_RECORD;
	if (!v->traced.tid)
		return FIT_NO_EVENT_YET;
	return same_thread ? FIT_SAME_THREAD : FIT_OTHER_THREAD;
}

/* A kvm_entry is at the very end of its record: of several, the one that ends first. */
static uint64_t end_of(const struct position *at, const struct kvm_event *e)
{
	return e->kind == KVM_EVENT_ENTRY && at->record ? at->record->end : UINT64_MAX;
}

/* Whether an event of the candidates' lane may be of vCPU @i, at some time. */
static bool is_of_lane(const struct match_candidates *candidates, int i)
{
	const struct match_vcpu_info *info = &candidates->vcpus[i].info;

	return info->tgid == candidates->tgid && info->vcpu_id == candidates->vcpu_id;
}

static bool may_be(const struct match_candidates *candidates, int i, const struct kvm_event *e)
{
	return is_of_lane(candidates, i) && candidates->vcpus[i].info.created_tsc <= e->ts;
}

void match_find_fitting(struct match_candidates *candidates, const struct kvm_event *event)
{
	const struct match_vcpu *vcpus = candidates->vcpus;

	candidates->fitting = 0;
	candidates->youngest = -1;
	for (int i = 0; i < candidates->count; i++) {
		int best = candidates->youngest;

		if (!may_be(candidates, i, event))
			continue;
		candidates->fitting++;
		if (best < 0 || vcpus[i].info.created_tsc > vcpus[best].info.created_tsc)
			candidates->youngest = i;
	}
}

/* The end of the last record that is known; UINT64_MAX: there will be none. */
static uint64_t known_until(const struct match_vcpu *v)
{
	const struct record_info *last = queue_tail(&v->records, sizeof(*last));

	if (v->ended)
		return UINT64_MAX;
	return last ? last->end : v->last_end;
}

bool match_is_early(const struct match_candidates *candidates, const struct kvm_event *event)
{
	/* One alone needs no records. */
	for (int i = 0; candidates->fitting > 1 && i < candidates->count; i++) {
		if (may_be(candidates, i, event) && known_until(&candidates->vcpus[i]) <= event->ts)
			return true;
	}
	return false;
}

void match_hold(const struct match_candidates *candidates, const struct kvm_event *event)
{
	for (int i = 0; i < candidates->count; i++) {
		/* Events after this one wait, too: those of vCPUs that were created later. */
		if (is_of_lane(candidates, i))
			candidates->vcpus[i].held_from = event->ts;
	}
}

int match_identify(const struct match_candidates *candidates, const struct kvm_event *event,
		   bool *ambiguous)
{
	enum fit best_fit = FIT_IMPOSSIBLE;
	uint64_t best_end = UINT64_MAX;
	int best = candidates->youngest;

	*ambiguous = false;
	if (candidates->fitting < 2)
		return best;

	for (int i = 0; i < candidates->count; i++) {
		const struct match_vcpu *v = &candidates->vcpus[i];
		struct position at;
		uint64_t end;
		enum fit fit;

		if (!may_be(candidates, i, event))
			continue;
		at = locate(v, event->ts);
		fit = fit_of(v, &at, event);
		end = end_of(&at, event);
		if (fit == FIT_IMPOSSIBLE)
			continue;

		if (fit > best_fit || (fit == best_fit && end < best_end)) {
			*ambiguous = false;
			best_fit = fit;
			best_end = end;
			best = i;
		} else if (fit == best_fit && end == best_end) {
			*ambiguous = true;
			if (v->info.created_tsc > candidates->vcpus[best].info.created_tsc)
				best = i;
		}
	}
	return best;
}
