// SPDX-License-Identifier: GPL-2.0-only
/* survey.c - what must be known of a file before its records */
#include <errno.h>
#include <string.h>

#include "collector/source/trace/notes.h"
#include "collector/source/trace/trace_source.h"

/* Events of a file in no order of time that are held at once, to be sorted: some 100 bytes each. */
#define HELD_MOST (UINT64_C(1) << 23)

/* The run has all events of the file, not those of KVM alone. */
static void take_span(struct trace_source *s)
{
	struct run_info *info = &s->source.info;
	uint64_t from, to;

	if (!s->feed.span || !s->feed.span(s->feed.self, &from, &to))
		return;
	if (!s->has_start || from < info->tsc_start)
		info->tsc_start = from;
	s->has_start = true;
	if (to > info->tsc_end)
		info->tsc_end = to;
}

/* Read a file for the first time. */
static int read_through(struct trace_source *s, struct fault *fault)
{
	int rc = 0;

	s->surveying = true;
	s->end = false;
	s->horizon = 0;
	while (!rc && s->horizon != UINT64_MAX)
		rc = trace_source_fill(s, fault);

	s->surveying = false;
	s->end = false;
	s->knows_lost = true;
	s->feed.losses(s->feed.self, &s->surveyed);
	take_span(s);
	if (!rc)
		s->feed.rewind(s->feed.self);
	return rc;
}

/* The wall clock at the first and the last event, where the file knows it. */
static void set_wall_clock(struct run_info *info, int64_t offset_ns)
{
	uint64_t started = info->tsc_start + (uint64_t)offset_ns;
	uint64_t ended = info->tsc_end + (uint64_t)offset_ns;

	if (!offset_ns || started > INT64_MAX || ended > INT64_MAX || ended < started)
		return;
	info->started_ns = (int64_t)started;
	info->ended_ns = (int64_t)ended;
}

/* Read it once more, with what is known now. */
static int read_again(struct trace_source *s, struct fault *fault)
{
	memset(s->seen, 0, sizeof(s->seen));
	s->exits_of_thread_0 = 0;
	identity_restart(s->identity);
	return read_through(s, fault);
}

/* Nothing of what was read counts: events are others now. */
static void forget(struct trace_source *s)
{
	struct run_info *info = &s->source.info;

	info->tsc_start = info->tsc_end = 0;
	info->isa = 0;
	s->has_start = s->unsorted = s->lost_late = s->knows_lost = false;
	lost_windows_free(&s->lost);
}

/* Let the feed decide what the whole file has shown, and read it again if that changes events. */
static int decide(struct trace_source *s, struct fault *fault)
{
	int rc = s->feed.decide ? s->feed.decide(s->feed.self, &s->feed, fault) : 0;

	if (rc <= 0)
		return rc;
	forget(s);
	return read_again(s, fault);
}

/* Read it once more, and from now on to its end before any event is used. */
static int read_held(struct trace_source *s, struct fault *fault)
{
	uint64_t events = 0;

	for (int kind = 0; kind < KVM_EVENT_KINDS; kind++)
		events += s->seen[kind];
	if (events > HELD_MOST)
		return fault_set(
			fault, -E2BIG,
			"%s: its %llu events are not in order of time, more than can be sorted here (print the whole trace instead of one CPU after the other, or import the recording itself)",
			s->ops.name, (unsigned long long)events);
	s->is_held = true;
	s->lost_late = false;
	return read_again(s, fault);
}

/* The database has times up to 2^63; no clock comes so far. */
static int check_times(const struct trace_source *s, struct fault *fault)
{
	if (s->source.info.tsc_end <= INT64_MAX)
		return 0;
	return fault_set(fault, -EPROTO,
			 "%s: damaged: it has times that no clock shows (2^63 or more)",
			 s->source.info.text[RUN_LABEL]);
}

/* Entries alone: nothing can be said, unless the exits were lost. */
static int check_exits(const struct trace_source *s, struct fault *fault)
{
	const struct losses_reported *lost = &s->surveyed;

	if (s->seen[KVM_EVENT_EXIT] || !s->seen[KVM_EVENT_ENTRY])
		return 0;
	if (lost->events || lost->more || lost->unread || lost->cut_at)
		return 0;
	return fault_set(fault, -ENOENT, "%s: no kvm_exit was recorded, only kvm_entry (%s)",
			 s->source.info.text[RUN_LABEL], s->feed.no_entry_way);
}

int trace_source_survey(struct trace_source *s, struct fault *fault)
{
	int rc = read_through(s, fault);

	if (!rc)
		rc = decide(s, fault);
	if (!rc && s->unsorted)
		rc = read_held(s, fault);
	if (!rc && s->seen[KVM_EVENT_EXIT] && !identity_count(s->identity)) {
		s->ids_are_of_threads = true;
		rc = read_again(s, fault);
	}
	if (!rc && identity_learned_late(s->identity))
		rc = read_again(s, fault);
	/* Two threads may have seemed to be two vCPUs for what was lost between their events. */
	if (!rc && s->lost_late && identity_has_split(s->identity))
		rc = read_again(s, fault);
	if (rc)
		return rc;

	rc = check_times(s, fault);
	if (!rc)
		rc = check_exits(s, fault);
	if (rc)
		return rc;

	s->untimed = s->feed.no_time || s->feed.sampled || !s->seen[KVM_EVENT_ENTRY] ||
		     s->exits_of_thread_0;
	if (!s->seen[KVM_EVENT_ENTRY])
		identity_split_unknown(s->identity);
	s->source.info.untimed = s->untimed && s->seen[KVM_EVENT_EXIT];
	if (!s->source.info.tsc_end)
		s->source.info.tsc_end = 1; /* no event: no time of this machine instead */
	set_wall_clock(&s->source.info, s->feed.wall_offset_ns);
	notes_begin(&s->source.notes,
		    &(struct notes_begin){
			    .feed = &s->feed,
			    .identity = s->identity,
			    .no_entries = !s->seen[KVM_EVENT_ENTRY] && s->seen[KVM_EVENT_EXIT],
			    .ids_are_of_threads = s->ids_are_of_threads,
			    .exits_of_thread_0 = s->exits_of_thread_0,
			    .one_cpu_of = s->untimed ? 0 : s->surveyed.one_cpu_of,
			    .one_cpu = s->surveyed.one_cpu,
			    .timed = !s->untimed && s->seen[KVM_EVENT_EXIT],
		    });
	return 0;
}
