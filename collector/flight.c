// SPDX-License-Identifier: GPL-2.0-only
/* flight.c - keeps the exits around events; see flight.h */
#include "collector/flight.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/*
 * struct lane - a vCPU
 * @history: its last exits that are not kept so far, @count of them, the oldest at @first once
 *	there are as many as options.before; NULL: none yet
 * @after: exits to keep after the event
 * @event_tsc: these are younger than that
 */
struct lane {
	uint64_t vm_id;
	struct kvm_exit_record *history;
	uint32_t first;
	uint32_t count;

	uint32_t after;
	uint64_t event_tsc;

	struct flight_counts counts;
};

struct flight {
	struct flight_options options;
	flight_keep keep;
	void *context;

	struct lane *lanes;
	int lane_count;
	uint64_t events[TRIGGERS];
};

int flight_new(const struct flight_options *options, const struct store_run *info, flight_keep keep,
	       void *context, struct flight **flight, struct fault *fault)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		return fault_set(fault, -ENOMEM, "--trigger: out of memory");
	*f = (struct flight){.options = *options, .keep = keep, .context = context};

	for (int i = 0; i < f->options.count; i++) {
		int rc = trigger_bind(&f->options.trigger[i], info->isa, info->tsc_khz, info->split,
				      fault);

		if (rc) {
			free(f);
			return rc;
		}
	}
	*flight = f;
	return 0;
}

int flight_add_vcpu(struct flight *flight, int vcpu, uint64_t vm_id)
{
	size_t count = (size_t)flight->lane_count;
	struct lane *more = array_reserve(flight->lanes, count, 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	flight->lanes = more;
	if (vcpu != flight->lane_count)
		return -EINVAL;
	more[flight->lane_count++] = (struct lane){.vm_id = vm_id};
	return 0;
}

/* Hands on @count exits of a vCPU. */
static int keep(struct flight *flight, struct lane *lane, const struct kvm_exit_record *records,
		size_t count)
{
	if (!count)
		return 0;
	lane->counts.kept += count;
	return flight->keep(flight->context, (int)(lane - flight->lanes), records, count);
}

/* Keeps the history, the oldest first. */
static int release_history(struct flight *flight, struct lane *lane)
{
	uint32_t older = lane->count - lane->first;
	int rc = keep(flight, lane, lane->history + lane->first, older);

	if (!rc)
		rc = keep(flight, lane, lane->history, lane->first);
	lane->first = 0;
	lane->count = 0;
	return rc;
}

/* Puts an exit into the history; the oldest one makes room, and is left out. */
static int remember(struct flight *flight, struct lane *lane, const struct kvm_exit_record *record)
{
	uint32_t before = flight->options.before;

	if (!before)
		return 0;
	if (!lane->history)
		lane->history = malloc(before * sizeof(*lane->history));
	if (!lane->history)
		return -ENOMEM;

	if (lane->count < before) {
		lane->history[lane->count++] = *record;
		return 0;
	}
	lane->history[lane->first] = *record;
	lane->first = lane->first + 1 == before ? 0 : lane->first + 1;
	return 0;
}

/* The first trigger that an exit meets; -1: it is not an event. */
static int find_event(const struct flight *flight, const struct kvm_exit_record *record)
{
	for (int i = 0; i < flight->options.count; i++)
		if (trigger_meets(&flight->options.trigger[i], record))
			return i;
	return -1;
}

/* Opens the windows of all vCPUs of the VM. Any exit of @own comes after its event. */
static int open_windows(struct flight *flight, const struct lane *own, uint64_t event_tsc)
{
	int rc = 0;

	for (int i = 0; !rc && i < flight->lane_count; i++) {
		struct lane *lane = &flight->lanes[i];

		if (lane->vm_id != own->vm_id)
			continue;
		lane->after = flight->options.after;
		lane->event_tsc = lane == own ? 0 : event_tsc;
		rc = release_history(flight, lane);
	}
	return rc;
}

/*
 * Takes an event: first what was kept up to it (@kept exits before @record), then the
 * histories, so that the exits of each vCPU stay in their order.
 */
static int take_event(struct flight *flight, struct lane *lane, int index,
		      const struct kvm_exit_record *record, size_t kept)
{
	int rc = keep(flight, lane, record - kept, kept);

	flight->events[index]++;
	lane->counts.events++;
	if (!rc)
		rc = open_windows(flight, lane, record->tsc);
	return rc;
}

int flight_take(struct flight *flight, int vcpu, const struct kvm_exit_record *records,
		size_t count)
{
	struct lane *lane;
	size_t kept = 0; /* exits before the present one that are to be handed on */
	int rc = 0;

	if (vcpu < 0 || vcpu >= flight->lane_count)
		return -EINVAL;
	lane = &flight->lanes[vcpu];

	for (size_t i = 0; !rc && i < count; i++) {
		const struct kvm_exit_record *record = &records[i];
		int index = find_event(flight, record);

		lane->counts.exits++;
		if (index >= 0) {
			rc = take_event(flight, lane, index, record, kept);
			kept = 1;
		} else if (lane->after) {
			lane->after -= record->tsc > lane->event_tsc;
			kept++;
		} else {
			rc = keep(flight, lane, record - kept, kept);
			kept = 0;
			if (!rc)
				rc = remember(flight, lane, record);
		}
	}
	return rc ? rc : keep(flight, lane, records + count - kept, kept);
}

void flight_end_vcpu(struct flight *flight, int vcpu)
{
	struct lane *lane;

	if (vcpu < 0 || vcpu >= flight->lane_count)
		return;
	lane = &flight->lanes[vcpu];
	free(lane->history);
	lane->history = NULL;
	lane->first = 0;
	lane->count = 0;
}

void flight_get_vcpu_counts(const struct flight *flight, int vcpu, struct flight_counts *counts)
{
	*counts = flight->lanes[vcpu].counts;
}

void flight_get_counts(const struct flight *flight, struct flight_counts *counts)
{
	*counts = (struct flight_counts){.exits = 0};
	for (int i = 0; i < flight->lane_count; i++) {
		counts->exits += flight->lanes[i].counts.exits;
		counts->kept += flight->lanes[i].counts.kept;
		counts->events += flight->lanes[i].counts.events;
	}
}

uint64_t flight_events_of(const struct flight *flight, int index)
{
	return flight->events[index];
}

void flight_free(struct flight *flight)
{
	if (!flight)
		return;
	for (int i = 0; i < flight->lane_count; i++)
		free(flight->lanes[i].history);
	free(flight->lanes);
	free(flight);
}
