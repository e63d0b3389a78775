// SPDX-License-Identifier: GPL-2.0-only
/* pairs.c - pairs the events of one vCPU, and counts what has no partner */
#include "collector/source/trace/pairs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "collector/events/event_record.h"

/* Record the open exit, which ended at @end. */
static int record_open(struct pairs *p, uint64_t end)
{
	struct kvm_exit_record *record = array_reserve(p->records, p->count, 1, sizeof(*record));

	if (!record)
		return -ENOMEM;
	p->records = record;

	record = &p->records[p->count++];
	event_record(record, &p->open, end);
	record->seq = p->seq++;
	p->is_open = false;
	p->recorded++;
	p->cycles += record->cycles;
	return 0;
}

/* The open exit's kvm_entry was lost. */
static void give_up_open(struct pairs *p)
{
	p->is_open = false;
	p->unpaired++;
	p->seq++;
}

/* Whether events of the vCPU may have been lost since the open exit. */
static bool may_be_lost(const struct pairs *p, const struct kvm_event *event,
			const struct lost_windows *lost)
{
	return lost_windows_hit(lost, p->open.cpu, p->open.ts, event->ts) ||
	       lost_windows_hit(lost, event->cpu, p->open.ts, event->ts) ||
	       lost_windows_hit_any(lost, &p->cpus, p->open.ts, event->ts, p->trip);
}

static int take_exit(struct pairs *p, const struct kvm_event *event,
		     const struct lost_windows *lost)
{
	int rc = 0;

	if (p->is_open && p->untimed) {
		rc = record_open(p, p->open.ts);
	} else if (p->is_open) {
		if (may_be_lost(p, event, lost))
			p->halves++;
		else
			p->reentered++;
		give_up_open(p);
	}

	if (event->period > PAIRS_EXITS_MAX - p->seq)
		return -EOVERFLOW;
	if (event->period > 1) {
		p->sampled_out += event->period - 1;
		p->seq += event->period - 1;
	}
	p->open = *event;
	p->is_open = true;
	p->exits++;
	return rc;
}

static int take_entry(struct pairs *p, const struct kvm_event *event,
		      const struct lost_windows *lost)
{
	if (p->untimed)
		return 0;
	if (!p->is_open) {
		/* Before its first event the vCPU may have been in the host. */
		if (p->begun && p->last_kind == KVM_EVENT_ENTRY) {
			p->missing++;
			p->seq++;
		}
		return 0;
	}
	if (may_be_lost(p, event, lost)) {
		give_up_open(p);
		return 0;
	}
	return record_open(p, event->ts);
}

/* An event that is older than the one before it would make records overlap. */
static void take_late(struct pairs *p, const struct kvm_event *event)
{
	p->late++;
	if (event->kind == KVM_EVENT_EXIT) {
		p->exits++;
		p->unpaired++;
		p->seq++;
	} else if (p->is_open) {
		give_up_open(p);
	}
}

/*
 * Whether it is the event before once more: no vCPU has two exits, or entries, at the same ns. perf
 * has been seen to write a part of its buffer twice.
 */
static bool is_repeated(const struct pairs *p, const struct kvm_event *event)
{
	if (p->untimed || !p->begun || event->ts != p->last_ts || event->kind != p->last_kind)
		return false;
	return event->kind == KVM_EVENT_ENTRY ||
	       (event->cpu == p->open.cpu && event->reason == p->open.reason &&
		event->guest_rip == p->open.guest_rip && event->info1 == p->open.info1);
}

int pairs_take(struct pairs *pairs, const struct kvm_event *event, const struct lost_windows *lost)
{
	int rc;

	if (event->kind > KVM_EVENT_ENTRY) {
		if (pairs->is_open)
			kvm_event_join(&pairs->open, event);
		return 0;
	}
	if (is_repeated(pairs, event))
		return 0;
	if (pairs->begun && event->ts < pairs->last_ts) {
		take_late(pairs, event);
		return 0;
	}

	lost_windows_cpus_add(&pairs->cpus, event->cpu);
	rc = event->kind == KVM_EVENT_EXIT ? take_exit(pairs, event, lost)
					   : take_entry(pairs, event, lost);
	if (!pairs->begun)
		pairs->first_ts = event->ts;
	pairs->begun = true;
	pairs->last_kind = event->kind;
	pairs->last_ts = event->ts;
	return rc;
}

int pairs_end(struct pairs *pairs)
{
	if (!pairs->is_open || !pairs->untimed)
		return 0;
	return record_open(pairs, pairs->open.ts);
}

bool pairs_are_possible(const struct pairs *pairs)
{
	return pairs->cycles <= pairs->last_ts - pairs->first_ts;
}

void pairs_free(struct pairs *pairs)
{
	free(pairs->records);
	pairs->records = NULL;
}
