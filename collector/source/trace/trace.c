// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - the source that makes records of tracepoints */
#include "collector/source/trace/trace_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/host/host.h"
#include "collector/source/trace/notes.h"

/*
 * Two switches of CPU and a VM entry take longer than that: each is a wake-up by an interrupt of
 * another CPU, some us on any of them.
 */
#define TRIP_NS UINT64_C(2000)

/* The process of a thread. Most events are of the thread of the one before. */
static uint32_t process_of(struct trace_source *s, uint32_t tid)
{
	if (!tid || tid != s->known_tid) {
		s->known_tgid = s->feed.tgid(s->feed.self, tid);
		s->known_tid = tid;
	}
	return s->known_tgid;
}

static int on_event(void *user, const struct kvm_event *event)
{
	struct trace_source *s = user;
	struct kvm_event full = *event;

	if (!full.tgid && s->feed.tgid)
		full.tgid = process_of(s, full.tid);
	if (s->surveying && (!s->has_start || full.ts < s->source.info.tsc_start)) {
		s->source.info.tsc_start = full.ts;
		s->has_start = true;
	}
	s->unsorted |= s->surveying && full.ts < s->last_horizon;
	return event_queue_push(&s->queue, &full);
}

static int on_lost(void *user, uint32_t cpu, uint64_t from, uint64_t to)
{
	struct trace_source *s = user;

	if (s->knows_lost)
		return 0;
	s->lost_late |= from < s->horizon;
	return lost_windows_add(&s->lost, cpu, from, to);
}

/* The vCPU of an event, made if need be. */
static int get_vcpu(struct trace_source *s, const struct kvm_event *event, struct vcpu **vcpu)
{
	const struct vcpu key = {
		.tgid = event->tgid,
		.vcpu_id = event->vcpu_id,
		.slot = identity_slot(s->identity, event),
		.tid = event->tid,
		.number = -1,
		.pairs = {.untimed = s->untimed,
			  .trip = TRIP_NS * s->source.info.tsc_khz / 1000000},
	};
	bool made;
	int rc = vcpus_get(&s->vcpus, &key, vcpu, &made);

	if (!rc && made)
		identity_cpus(s->identity, event, &(*vcpu)->pairs.cpus);
	return rc;
}

/* The event's vCPU id and process, as far as they can be known. */
static int name_vcpu(struct trace_source *s, struct kvm_event *event)
{
	int rc = s->ids_are_of_threads ? identity_number_threads(s->identity, event) : 0;

	event->vcpu_id = identity_name_vcpu(s->identity, event);
	if (!event->tgid && event->tid)
		event->tgid = identity_process(s->identity, event->tid);
	return rc;
}

/* The first reading. Events whose thread is not known yet are seen again in the second. */
static int survey_event(struct trace_source *s, struct kvm_event *event)
{
	if (event->kind == KVM_EVENT_EXIT && !s->source.info.isa)
		s->source.info.isa = event->isa;
	if (event->kind == KVM_EVENT_EXIT && event->isa && event->isa != s->source.info.isa)
		return -EXDEV;
	if (event->ts > s->source.info.tsc_end)
		s->source.info.tsc_end = event->ts;
	s->seen[event->kind]++;
	s->exits_of_thread_0 += event->kind == KVM_EVENT_EXIT && !event->tid;
	if (event->kind > KVM_EVENT_ENTRY || name_vcpu(s, event))
		return 0;
	return identity_see(s->identity, event, &s->lost);
}

static int take_event(struct trace_source *s, struct kvm_event *event)
{
	struct vcpu *vcpu;
	int rc = name_vcpu(s, event);

	if (!rc && s->live) {
		s->seen[event->kind]++;
		if (event->kind <= KVM_EVENT_ENTRY)
			rc = identity_see(s->identity, event, &s->lost);
	}
	if (rc)
		return rc;
	if (event->vcpu_id == KVM_EVENT_NO_VCPU) {
		s->exits_without_vcpu += event->kind == KVM_EVENT_EXIT;
		return 0;
	}

	rc = get_vcpu(s, event, &vcpu);
	return rc ? rc : pairs_take(&vcpu->pairs, event, &s->lost);
}

/* Everything that is older than the horizon, in order of time. */
static int take_events(struct trace_source *s)
{
	const struct kvm_event *oldest;
	int rc = 0;

	while (!rc && (oldest = event_queue_peek(&s->queue, s->horizon))) {
		struct kvm_event event = *oldest;

		event_queue_pop(&s->queue);
		rc = s->surveying ? survey_event(s, &event) : take_event(s, &event);
	}
	return rc;
}

static int too_many_exits(const struct trace_source *s, struct fault *fault)
{
	return fault_set(fault, -EPROTO,
			 "%s: damaged: more exits are missing in it than a host can have",
			 s->ops.name);
}

int trace_source_fill(struct trace_source *s, struct fault *fault)
{
	const struct trace_sink sink = {.event = on_event, .lost = on_lost, .user = s};
	int rc;

	/* The stop takes effect first, so that the last fill is complete. */
	if (s->stopping && s->feed.stop) {
		s->feed.stop(s->feed.self);
		s->feed.stop = NULL;
	}

	/* Meanwhile the number may have become another thread's. */
	s->known_tid = 0;
	s->last_horizon = s->horizon;
	rc = s->feed.fill(s->feed.self, &sink, &s->horizon, &s->end, fault);
	if (!rc) {
		if (s->stopping || s->end)
			s->horizon = UINT64_MAX;
		else if (s->is_held)
			s->horizon = 0;
		lost_windows_sort(&s->lost);
		rc = take_events(s);
	}
	if (rc == -ENOMEM)
		return fault_set(fault, rc, "out of memory");
	if (rc == -E2BIG)
		return fault_set(
			fault, -EPROTO,
			"%s: more than %u vCPUs, or 65536 threads of one vCPU id (many short VMs: import shorter recordings, as trace-cmd split makes them)",
			s->ops.name, VCPUS_MOST);
	if (rc == -EXDEV)
		return fault_set(
			fault, -EPROTO,
			"%s: has exits of Intel's and of AMD's virtualization, which no host has (import each recording by itself)",
			s->ops.name);
	if (rc == -EOVERFLOW)
		return too_many_exits(s, fault);
	return rc ? fault_set(fault, rc, "%s: %s", s->ops.name, strerror(-rc)) : 0;
}

/* The number that the host gave to a thread or process. */
static uint32_t number_on_host(const struct trace_source *s, uint32_t number)
{
	return s->feed.thread_bits ? number & ((1U << s->feed.thread_bits) - 1) : number;
}

static void announce(struct trace_source *s, struct vcpu *vcpu, struct source_item *item)
{
	vcpu->number = s->announced++;
	s->feed.comm(s->feed.self, vcpu->tgid, vcpu->tid, s->comm, sizeof(s->comm));
	item->kind = SOURCE_VCPU;
	item->vcpu = vcpu->number;
	item->created_tsc = 0;
	item->info = (struct store_vcpu){
		.comm = *s->comm ? s->comm : NULL,
		.vm_id = identity_vm(s->identity, vcpu->tgid, vcpu->tid),
		.tgid = number_on_host(s, vcpu->tgid),
		.tid = number_on_host(s, vcpu->tid),
		.vcpu_id = vcpu->vcpu_id,
	};
}

/* What this round has of a vCPU: first its announcement, then its records. */
static bool give(struct trace_source *s, struct vcpu *vcpu, struct source_item *item)
{
	if (vcpu->number < 0) {
		announce(s, vcpu, item);
		return true;
	}
	if (!vcpu->pairs.count)
		return false;
	item->kind = SOURCE_RECORDS;
	item->vcpu = vcpu->number;
	item->records = vcpu->pairs.records;
	item->count = vcpu->pairs.count;
	vcpu->pairs.count = 0;
	return true;
}

/* Where the events of a vCPU were interrupted; without any, how many it has. */
static uint64_t weight_of(const struct trace_source *s, const struct vcpu *vcpu)
{
	const struct pairs *p = &vcpu->pairs;

	return s->weight ? p->unpaired + p->missing : p->exits;
}

/*
 * The exits of all vCPUs that were lost with both sides. Those of which one side is
 * there are in the vCPUs' own counts already.
 */
static void share_losses(struct trace_source *s)
{
	struct losses_reported reported = {0};
	struct losses_seen seen = {
		.exits = s->seen[KVM_EVENT_EXIT],
		.entries = s->untimed ? 0 : s->seen[KVM_EVENT_ENTRY],
	};
	uint64_t unpaired = 0;

	s->feed.losses(s->feed.self, &reported);
	for (int kind = KVM_EVENT_MSR; kind < KVM_EVENT_KINDS && !reported.keys_apart; kind++)
		reported.others += s->seen[kind];
	for (size_t i = 0; i < s->vcpus.count; i++) {
		const struct pairs *p = &s->vcpus.vcpu[i]->pairs;

		seen.missing += p->missing;
		seen.halves += p->halves;
		seen.reentered += p->reentered;
		unpaired += p->unpaired;
		s->sampled_out += p->sampled_out;
		s->weight += p->unpaired + p->missing;
	}

	s->cut_at = reported.cut_at;
	s->losses = losses_of(&reported, &seen);
	s->source.estimated = !s->losses.exact || s->sampled_out;
	s->source.dropped_most = losses_most(&reported, &seen);
	if (s->source.dropped_most || !losses_are_open(&reported))
		s->source.dropped_most += unpaired + s->sampled_out;
	s->losses.exits -= seen.missing;
	for (size_t i = 0; i < s->vcpus.count; i++)
		s->weight_left += weight_of(s, s->vcpus.vcpu[i]);
	notes_end(&s->source.notes,
		  &(struct notes_end){
			  .sampled_out = s->sampled_out,
			  .missing = seen.missing,
			  .reentered = seen.reentered,
			  .lost = reported.events + reported.more + reported.unread,
			  .exits_without_vcpu = s->exits_without_vcpu,
			  .unread = reported.unread,
			  .lost_keys = reported.keys,
			  .no_keys = reported.no_keys,
			  .quiet_loss = s->feed.quiet_loss,
		  });
}

/* No vCPU was seen: what is known of those that may have been there. */
static void note_missed_vcpus(struct trace_source *s)
{
	struct losses_reported reported = {0};
	struct notes_missed_vcpus known = {.feed = &s->feed};

	s->feed.losses(s->feed.self, &reported);
	known.lost = reported.events;
	known.more = reported.more;
	known.exits = reported.exits_known ? reported.exits : 0;
	s->source.unseen = known.exits;
	s->source.misses_vcpus =
		known.lost || known.more || reported.partial || s->feed.may_lack_exits;
	if (s->source.misses_vcpus)
		notes_missed_vcpus(&s->source.notes, &known);
}

/* Part of the lost exits that falls to @vcpu, so that all parts add up. */
static uint64_t take_share(struct trace_source *s, const struct vcpu *vcpu)
{
	uint64_t weight = weight_of(s, vcpu), part;

	if (!s->weight_left)
		return 0;
	part = weight == s->weight_left ? s->losses.exits
					: (uint64_t)((double)s->losses.exits *
						     ((double)weight / (double)s->weight_left));
	s->losses.exits -= part;
	s->weight_left -= weight;
	return part;
}

/* The end of the first vCPU that was not ended, or SOURCE_FINISHED. */
static int end_next(struct trace_source *s, struct source_item *item, struct fault *fault)
{
	if (s->ended < s->vcpus.count) {
		const struct vcpu *vcpu = s->vcpus.vcpu[s->ended++];

		if (!pairs_are_possible(&vcpu->pairs))
			return fault_set(
				fault, -EPROTO,
				"%s: the exits of vCPU %u add up to more than the recording (its clock does not measure time: record with the clock local, mono or x86-tsc)",
				s->ops.name, vcpu->vcpu_id);
		item->kind = SOURCE_END_VCPU;
		item->vcpu = vcpu->number;
		item->end = (struct store_vcpu_end){
			.end_seq = vcpu->pairs.seq + take_share(s, vcpu),
			.open_exits = vcpu->pairs.is_open,
		};
		return 0;
	}

	if (s->cut_at)
		return fault_set(fault, -ENODATA, "%s: cut off at byte %llu", s->ops.name,
				 (unsigned long long)s->cut_at);
	if (s->live) {
		s->source.info.tsc_end = host_tsc();
		s->source.info.ended_ns = host_realtime_ns();
	}
	item->kind = SOURCE_FINISHED;
	return 0;
}

/* The last round: exits that need no kvm_entry, then the losses. */
static int finish(struct trace_source *s, struct fault *fault)
{
	for (size_t i = 0; i < s->vcpus.count; i++) {
		if (pairs_end(&s->vcpus.vcpu[i]->pairs))
			return fault_set(fault, -ENOMEM, "out of memory");
	}
	share_losses(s);
	if (!s->vcpus.count && !s->exits_without_vcpu)
		note_missed_vcpus(s);
	s->source.misses_vcpus |= s->exits_without_vcpu;
	return s->losses.exits > PAIRS_EXITS_MAX ? too_many_exits(s, fault) : 0;
}

static int trace_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct trace_source *s = (struct trace_source *)source;
	int rc;

	item->kind = SOURCE_NOTHING;
	if (!s->in_round) {
		rc = trace_source_fill(s, fault);
		if (!rc && s->horizon == UINT64_MAX)
			rc = finish(s, fault);
		if (rc)
			return rc;
		s->in_round = true;
		s->at = 0;
	}

	for (; s->at < s->vcpus.count; s->at++) {
		if (give(s, s->vcpus.vcpu[s->at], item))
			return 0;
	}
	if (s->horizon == UINT64_MAX)
		return end_next(s, item, fault);
	s->in_round = false;
	return 0;
}

/* What limits the figures of this run: table crosscheck, source trace. */
static int trace_store_counts(struct source *source, struct store *store)
{
	const struct trace_source *s = (struct trace_source *)source;
	int rc = 0;

	if (s->untimed)
		rc = store_add_run_count(store, "trace", "untimed", s->seen[KVM_EVENT_EXIT]);
	if (!rc && s->sampled_out)
		rc = store_add_run_count(store, "trace", "sampled out", s->sampled_out);
	if (!rc && source->estimated)
		rc = store_add_run_count(store, "trace", "dropped at most", source->dropped_most);
	if (!rc && source->unseen)
		rc = store_add_run_count(store, "trace", "lost_exits", source->unseen);
	return rc;
}

static void trace_stop(struct source *source)
{
	((struct trace_source *)source)->stopping = true;
}

static void trace_close(struct source *source)
{
	struct trace_source *s = (struct trace_source *)source;

	s->feed.close(s->feed.self);
	vcpus_free(&s->vcpus);
	identity_free(s->identity);
	event_queue_free(&s->queue);
	lost_windows_free(&s->lost);
	run_info_free(&s->source.info);
	free(s->source.notes);
	free(s);
}

int source_trace_open(const struct trace_feed *feed, const char *name, const struct run_info *info,
		      struct source **source, struct fault *fault)
{
	struct trace_source *s = calloc(1, sizeof(*s));
	int rc = 0;

	*source = NULL;
	if (s)
		s->identity = identity_new();
	if (!s || !s->identity) {
		free(s);
		feed->close(feed->self);
		return fault_set(fault, -ENOMEM, "out of memory");
	}

	s->ops = (struct source_ops){
		.name = name,
		.next = trace_next,
		.stop = trace_stop,
		.close = trace_close,
		.store_counts = trace_store_counts,
	};
	s->source.ops = &s->ops;
	s->source.info = *info;
	s->source.info.unsplit = true;
	s->source.fd = -1;
	s->feed = *feed;
	s->live = !feed->rewind;
	if (!s->live)
		rc = trace_source_survey(s, fault);
	if (rc) {
		trace_close(&s->source);
		return rc;
	}
	*source = &s->source;
	return 0;
}
