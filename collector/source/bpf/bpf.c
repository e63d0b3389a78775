// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf.c - records from the rings of the BPF programs
 *
 * As device.c goes round: first the rings that a vCPU has taken since, then each ring once,
 * then SOURCE_NOTHING. A ring whose vCPU is gone and which is read is given back.
 */
#include "collector/source/bpf/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/source/bpf/session.h"
#include "collector/source/bpf/shared.h"
#include "collector/source/ring.h"

/* A ring that a vCPU has taken; its number is its place in the list. */
struct bpf_ring {
	struct ring ring;
	uint32_t index;	 /* of the session */
	uint32_t budget; /* records that this round may still take */
	uint32_t vm;	 /* place in the list of VMs */
	bool is_ended;	 /* ring_end() was called */
	bool is_closed;
};

/* A VM, by the address of its struct kvm, which a later VM may get again. */
struct bpf_vm {
	uint64_t address;
	bool is_gone; /* one of its vCPUs is destroyed: they all are */
};

struct bpf_source {
	struct source source; /* first: the two are cast into each other */
	struct bpf_session *session;
	int timer;
	struct bpf_ring *rings;
	int count;
	struct bpf_vm *vms; /* the VM with id n is vms[n - 1] */
	uint32_t vm_count;
	bool is_announced[BPF_VCPUS]; /* by index of the session */
	int cursor;		      /* ring of this round; -1: the round begins */
	int in_hand;		      /* ring whose records the caller has; -1: none */
	uint32_t held;		      /* how many */
	int closing;		      /* ring whose end the caller has; -1: none */
	bool is_stopping;
	char comm[32];
};

static struct bpf_source *from_source(struct source *source)
{
	return (struct bpf_source *)source;
}

/* Notes which VMs are gone: their address may be another VM's by now. */
static void find_gone_vms(struct bpf_source *s)
{
	for (int i = 0; i < s->count; i++) {
		const struct bpf_ring *r = &s->rings[i];

		if (!r->is_closed &&
		    exit_ring_load_acquire(&r->ring.meta->state) == KVM_EXIT_RING_DEAD)
			s->vms[r->vm].is_gone = true;
	}
}

/* The place of the VM at @address, which lives; a new one if need be. -ENOMEM. */
static int find_vm(struct bpf_source *s, uint64_t address)
{
	struct bpf_vm *vms;

	find_gone_vms(s);
	for (uint32_t i = 0; i < s->vm_count; i++) {
		if (s->vms[i].address == address && !s->vms[i].is_gone)
			return (int)i;
	}
	vms = reallocarray(s->vms, s->vm_count + 1, sizeof(*vms));
	if (!vms)
		return -ENOMEM;
	s->vms = vms;
	s->vms[s->vm_count] = (struct bpf_vm){.address = address};
	return (int)s->vm_count++;
}

/* Opens the ring that a vCPU has taken. */
static int open_ring(struct bpf_source *s, uint32_t index, struct fault *fault)
{
	const struct kvm_exit_ring_meta *meta = bpf_session_meta(s->session, index);
	struct bpf_ring *rings = reallocarray(s->rings, (size_t)s->count + 1, sizeof(*rings));
	struct bpf_ring *new;
	int vm = find_vm(s, meta->vm_id);
	int fd;
	int rc;

	if (rings)
		s->rings = rings;
	if (!rings || vm < 0)
		return fault_set(fault, -ENOMEM, "out of memory");
	fd = fcntl(bpf_session_ring_fd(s->session, index), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(fault, -errno, "bpf: %s", strerror(errno));
	new = &rings[s->count];
	memset(new, 0, sizeof(*new));
	new->index = index;
	new->vm = (uint32_t)vm;
	rc = ring_open(&new->ring, fd);
	if (rc) {
		ring_close(&new->ring);
		return fault_set(fault, rc, "bpf: can't map a ring: %s", strerror(-rc));
	}
	s->count++;
	s->is_announced[index] = true;
	return 0;
}

/* Announces a ring that a vCPU has taken, or leaves @item alone. */
static int find_new(struct bpf_source *s, struct source_item *item, struct fault *fault)
{
	for (uint32_t i = 0; i < bpf_session_rings(s->session); i++) {
		const struct kvm_exit_ring_meta *meta = bpf_session_meta(s->session, i);
		const struct bpf_ring *new;
		int rc;

		if (s->is_announced[i] || !exit_ring_load_acquire(&meta->ring_id))
			continue;
		rc = open_ring(s, i, fault);
		if (rc)
			return rc;
		new = &s->rings[s->count - 1];
		s->source.info.isa = meta->isa;
		s->source.info.tsc_khz = meta->tsc_khz;
		host_comm(meta->tgid, s->comm, sizeof(s->comm));
		item->kind = SOURCE_VCPU;
		item->vcpu = s->count - 1;
		item->made_tsc = meta->tsc_base;
		item->look_tsc = new->ring.begin_tsc;
		item->open_first = new->ring.open_first;
		item->info = (struct store_vcpu){
			.comm = s->comm,
			.vm_id = new->vm + 1,
			.ring_id = meta->ring_id,
			.tgid = meta->tgid,
			.vcpu_id = meta->vcpu_id,
			.first_seq = new->ring.first_seq,
		};
		return 0;
	}
	return 0;
}

static void give_end(struct bpf_source *s, int at, struct source_item *item)
{
	ring_give_end(&s->rings[at].ring, &s->source, item);
	item->vcpu = at;
	s->closing = at;
}

/* What ring @at has: records, its end, or nothing. */
static void visit(struct bpf_source *s, int at, struct source_item *item)
{
	struct bpf_ring *r = &s->rings[at];
	uint32_t n;

	if (r->is_closed)
		return;
	if (!r->is_ended && (s->is_stopping || exit_ring_finished(&r->ring.reader))) {
		ring_end(&r->ring);
		r->is_ended = true;
	}
	n = ring_take(&r->ring, &item->records);
	if (n > r->budget)
		n = r->budget;
	if (n) {
		item->kind = SOURCE_RECORDS;
		item->vcpu = at;
		item->count = n;
		r->budget -= n;
		s->in_hand = at;
		s->held = n;
	} else if (r->is_ended && r->budget) {
		give_end(s, at, item);
	}
}

/* Closes the ring whose end the caller has had; one whose vCPU is gone is used again. */
static void close_ring(struct bpf_source *s, struct bpf_ring *r)
{
	bool gone = r->ring.gone;

	if (gone)
		s->vms[r->vm].is_gone = true;
	ring_close(&r->ring);
	r->is_closed = true;
	if (!gone)
		return;
	bpf_session_recycle(s->session, r->index);
	s->is_announced[r->index] = false;
}

/* Takes back what the last call gave. */
static void take_back(struct bpf_source *s)
{
	if (s->in_hand >= 0)
		ring_release(&s->rings[s->in_hand].ring, s->held);
	s->in_hand = -1;
	if (s->closing >= 0)
		close_ring(s, &s->rings[s->closing]);
	s->closing = -1;
}

static bool all_closed(const struct bpf_source *s)
{
	for (int i = 0; i < s->count; i++) {
		if (!s->rings[i].is_closed)
			return false;
	}
	return true;
}

/* What of it is lost and belongs to no vCPU that is recorded. */
struct loss {
	const char *name; /* table crosscheck, source bpf */
	const char *words;
	uint64_t count;
};

#define LOSSES 5

static void list_losses(const struct bpf_source *s, struct loss losses[LOSSES])
{
	struct bpf_session_losses seen;
	const struct loss all[LOSSES] = {
		{"missed_runs", "events that the kernel skipped", 0},
		{"no_entry", "VM entries", 0},
		{"no_place", "VM entries of vCPUs beyond the most", 0},
		{"no_ring", "exits of vCPUs without a ring", 0},
		{"no_thread", "returns to user space", 0},
	};

	bpf_session_losses(s->session, &seen);
	memcpy(losses, all, sizeof(all));
	losses[0].count = seen.missed_runs;
	losses[1].count = seen.no_entry;
	losses[2].count = seen.no_place;
	losses[3].count = seen.no_ring;
	losses[4].count = seen.no_thread;
}

/* Puts the losses in words; empty if there are none. */
static void describe_losses(struct bpf_source *s)
{
	struct loss losses[LOSSES];
	char *text = s->source.lost;
	size_t bytes = sizeof(s->source.lost);
	size_t used = 0;
	uint64_t limit;

	list_losses(s, losses);
	for (int i = 0; i < LOSSES && used < bytes; i++) {
		if (!losses[i].count)
			continue;
		used += (size_t)snprintf(text + used, bytes - used, "%s%llu %s", used ? ", " : "",
					 (unsigned long long)losses[i].count, losses[i].words);
	}
	if (bpf_session_is_full(s->session, &limit) && used < bytes)
		snprintf(
			text + used, bytes - used,
			"%sexits of vCPUs that came when rings had all of their %llu MiB (use a smaller --ring-records)",
			used ? ", " : "", (unsigned long long)limit >> 20);
}

/* Begins a round: the clock is set, new vCPUs get rings and are announced. */
static int begin_round(struct bpf_source *s, struct source_item *item, struct fault *fault)
{
	uint64_t ticks;
	int rc;

	if (read(s->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return fault_set(fault, -errno, "bpf: timer: %s", strerror(errno));
	bpf_session_tick(s->session);
	rc = find_new(s, item, fault);
	if (rc || item->kind != SOURCE_NOTHING)
		return rc;
	for (int i = 0; i < s->count; i++) {
		if (!s->rings[i].is_closed)
			s->rings[i].budget = s->rings[i].ring.meta->record_count;
	}
	s->cursor = 0;
	return 0;
}

static int bpf_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct bpf_source *s = from_source(source);
	int rc;

	take_back(s);
	item->kind = SOURCE_NOTHING;
	if (s->cursor < 0) {
		rc = begin_round(s, item, fault);
		if (rc || item->kind != SOURCE_NOTHING)
			return rc;
	}
	for (; s->cursor < s->count; s->cursor++) {
		visit(s, s->cursor, item);
		if (item->kind != SOURCE_NOTHING)
			return 0;
	}
	s->cursor = -1;
	if (s->is_stopping && all_closed(s)) {
		s->source.info.tsc_end = host_tsc();
		s->source.info.ended_ns = host_realtime_ns();
		describe_losses(s);
		item->kind = SOURCE_FINISHED;
	}
	return 0;
}

/* Zeros too: they say that it was looked for. */
static int bpf_store_counts(struct source *source, struct store *store)
{
	struct loss losses[LOSSES];
	int rc = 0;

	list_losses(from_source(source), losses);
	for (int i = 0; i < LOSSES && !rc; i++) {
		const struct store_crosscheck check = {
			.source = "bpf",
			.name = losses[i].name,
			.vcpu = -1,
			.reason = -1,
			.n = (int64_t)losses[i].count,
			.cycles = -1,
		};

		rc = store_add_crosscheck(store, &check);
	}
	return rc;
}

static void bpf_stop(struct source *source)
{
	from_source(source)->is_stopping = true;
}

static void bpf_close(struct source *source)
{
	struct bpf_source *s = from_source(source);

	for (int i = 0; i < s->count; i++) {
		if (!s->rings[i].is_closed)
			ring_close(&s->rings[i].ring);
	}
	if (s->session)
		bpf_session_close(s->session);
	if (s->timer >= 0)
		close(s->timer);
	if (s->source.fd >= 0)
		close(s->source.fd);
	run_info_free(&s->source.info);
	free(s->rings);
	free(s->vms);
	free(s);
}

static int watch(struct bpf_source *s, int fd)
{
	/* Edges: nobody reads the news of created vCPUs. */
	struct epoll_event event = {.events = EPOLLIN | (fd == s->timer ? 0 : EPOLLET)};

	return epoll_ctl(s->source.fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int prepare(struct bpf_source *s, const struct bpf_options *options, struct fault *fault)
{
	const struct itimerspec period = {
		.it_interval.tv_nsec = BPF_TICK_NS,
		.it_value.tv_nsec = BPF_TICK_NS,
	};
	int rc;

	host_describe(&s->source.info);
	rc = bpf_session_open(options, &s->session, fault);
	if (rc)
		return rc;
	s->source.fd = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->source.fd < 0 || s->timer < 0 || timerfd_settime(s->timer, 0, &period, NULL))
		return fault_set(fault, -errno, "bpf: timer: %s", strerror(errno));
	rc = watch(s, s->timer);
	if (!rc)
		rc = watch(s, bpf_session_fd(s->session));
	return rc ? fault_set(fault, rc, "bpf: epoll: %s", strerror(-rc)) : 0;
}

int source_bpf_open(const struct bpf_options *options, struct source **result, struct fault *fault)
{
	static const struct source_ops ops = {
		.name = "bpf",
		.next = bpf_next,
		.stop = bpf_stop,
		.close = bpf_close,
		.store_counts = bpf_store_counts,
	};
	struct bpf_source *s = calloc(1, sizeof(*s));
	int rc;

	*result = NULL;
	if (!s)
		return fault_set(fault, -ENOMEM, "out of memory");
	s->source.ops = &ops;
	s->source.fd = -1;
	s->timer = -1;
	s->cursor = -1;
	s->in_hand = -1;
	s->closing = -1;
	rc = prepare(s, options, fault);
	if (rc) {
		bpf_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
