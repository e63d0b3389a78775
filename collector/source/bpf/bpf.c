// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf.c - records from the rings of the BPF programs
 *
 * They are read in rounds (rounds.h). Before each round, the rings that a vCPU has taken since
 * are opened. A ring whose vCPU is gone is given back once all of it was read.
 *
 * With --counts-only the rings stay empty. What the vCPUs have counted is read once in an interval
 * (begin_reading(), give_sums()), and before the end of a vCPU is given.
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

#include "base/array.h"
#include "collector/host/host.h"
#include "collector/source/bpf/kernel/shared.h"
#include "collector/source/bpf/session.h"
#include "collector/source/bpf/sums.h"
#include "collector/source/ring.h"
#include "collector/source/rounds.h"

/* Where the ring of a vCPU comes from. */
struct bpf_ring {
	uint32_t index; /* of the session's ring */
	uint32_t vm;	/* place in the list of VMs */

	/* with --counts-only */
	struct sums_vcpu sums;
	uint64_t read_tsc; /* its sums were read up to then */
};

/* A VM, by the address of its struct kvm, which a later VM may get again. */
struct bpf_vm {
	uint64_t address;
	bool is_gone; /* one of its vCPUs is destroyed: they all are */
};

/*
 * struct bpf_source - the BPF programs as a source
 * @rings:	rings[rounds.count], by the number of the vCPU
 * @vms:	the VM with id n is vms[n - 1]
 * @is_open:	whether a ring of the session is open, by its index
 * @reading:	with --counts-only; else NULL
 * @counts_ms:	its interval
 * @read_tsc:	the last interval that was read ended then
 * @turn, @row: vCPU and row of the histograms that are read next; @turn -1: none
 * @is_ending, @end: the end of vCPU end.vcpu, which waits until its sums were given
 * @stored_unseen: what the run says of source.unseen
 */
struct bpf_source {
	struct source source; /* first: the two are cast into each other */
	struct bpf_session *session;
	int timer;

	struct rounds rounds;
	struct bpf_ring *rings;
	struct bpf_vm *vms;
	uint32_t vm_count;
	bool is_open[BPF_VCPUS];

	struct sums_reading *reading;
	uint32_t counts_ms;
	uint64_t read_tsc;
	int turn;
	uint32_t row;
	bool is_ending;
	struct source_item end;
	uint64_t stored_unseen;
};

static struct bpf_source *from_source(struct source *source)
{
	return (struct bpf_source *)source;
}

/* Notes which VMs are gone: their address may be another VM's by now. */
static void find_gone_vms(struct bpf_source *s)
{
	for (int i = 0; i < s->rounds.open_count; i++) {
		int number = s->rounds.open[i];
		const struct ring *ring = &s->rounds.vcpus[number].ring;

		if (exit_ring_load_acquire(&ring->meta->state) == KVM_EXIT_RING_DEAD)
			s->vms[s->rings[number].vm].is_gone = true;
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
	vms = array_reserve(s->vms, s->vm_count, 1, sizeof(*vms));
	if (!vms)
		return -ENOMEM;
	s->vms = vms;
	s->vms[s->vm_count] = (struct bpf_vm){.address = address};
	return (int)s->vm_count++;
}

/* Makes room for one more vCPU. 0 or -ENOMEM. */
static int grow_rings(struct bpf_source *s)
{
	struct bpf_ring *rings =
		array_reserve(s->rings, (size_t)s->rounds.count, 1, sizeof(*rings));

	if (!rings)
		return -ENOMEM;
	s->rings = rings;
	return 0;
}

/* Opens the ring @index, which a vCPU has taken. Returns the vCPU's number or -errno. */
static int open_ring(struct bpf_source *s, uint32_t index, struct fault *fault)
{
	int vm = find_vm(s, bpf_session_meta(s->session, index)->vm_id);
	int number;
	int fd;

	if (vm < 0 || grow_rings(s))
		return fault_set(fault, -ENOMEM, "out of memory");

	/* A copy, for the session uses its own again when this vCPU is gone. */
	fd = fcntl(bpf_session_ring_fd(s->session, index), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(fault, -errno, "bpf: %s", strerror(errno));
	number = rounds_add(&s->rounds, fd);
	if (number < 0)
		return fault_set(fault, number, "bpf: can't map a ring: %s", strerror(-number));

	s->rings[number] = (struct bpf_ring){
		.index = index,
		.vm = (uint32_t)vm,
		.read_tsc = bpf_session_meta(s->session, index)->tsc_base,
	};
	if (s->reading && sums_begin(&s->rings[number].sums, bpf_session_hists(s->session, index)))
		return fault_set(fault, -ENOMEM, "out of memory");
	s->is_open[index] = true;
	return number;
}

/* Hands on a vCPU that has taken a ring since, or leaves @item alone. */
static int find_new(struct bpf_source *s, struct source_item *item, struct fault *fault)
{
	for (uint32_t i = 0; i < bpf_session_rings(s->session); i++) {
		int number;

		if (s->is_open[i] ||
		    !exit_ring_load_acquire(&bpf_session_meta(s->session, i)->ring_id))
			continue;
		if (!bpf_session_selects(s->session, i)) {
			int rc = bpf_session_ignore(s->session, i);

			if (rc)
				return fault_set(fault, rc, "bpf: --vm: %s", strerror(-rc));
			continue;
		}

		number = open_ring(s, i, fault);
		if (number < 0)
			return number;

		rounds_give_vcpu(&s->rounds, number, &s->source, item);
		/* The programs know the VM's address only. */
		item->info.vm_id = s->rings[number].vm + 1;
		/*
		 * And a vCPU by its first VM entry, which others of that tracepoint may have seen
		 * a moment before: 1 ms is more than that.
		 */
		item->created_tsc -= s->source.info.tsc_khz;
		return 0;
	}
	return 0;
}

/* Takes back what the last call gave. A ring whose vCPU is gone is used again. */
static void take_back(struct bpf_source *s)
{
	bool was_gone;
	int closed = rounds_take_back(&s->rounds, &was_gone);

	if (closed < 0 || !was_gone)
		return;

	s->vms[s->rings[closed].vm].is_gone = true;
	bpf_session_recycle(s->session, s->rings[closed].index);
	s->is_open[s->rings[closed].index] = false;
}

/* Begins to read what all vCPUs have counted if an interval has ended, up to that time. */
static void begin_reading(struct bpf_source *s)
{
	const struct run_info *info = &s->source.info;
	uint64_t interval = (uint64_t)info->tsc_khz * s->counts_ms;
	uint64_t since = host_tsc() - info->tsc_start;

	/* The frequency comes with the first vCPU. A reading that goes on is not begun again. */
	if (!s->reading || s->turn >= 0 || !interval || since < interval)
		return;
	since -= since % interval;
	if (info->tsc_start + since == s->read_tsc)
		return;

	s->read_tsc = info->tsc_start + since;
	s->turn = 0;
}

/* Hands on the next row that vCPU @number has counted something in, up to the time @until. */
static bool give_row(struct bpf_source *s, int number, uint64_t until, struct source_item *item)
{
	struct bpf_ring *ring = &s->rings[number];

	while (s->row < BPF_HIST_ROWS) {
		int rc =
			sums_read(&ring->sums, &s->rounds.vcpus[number].ring, s->row++, s->reading);

		/* In the middle of a recording the next reading has it. */
		if (rc == -EAGAIN && s->is_ending)
			s->source.unverified++;
		if (rc <= 0)
			continue;

		s->reading->sums.first_tsc = ring->read_tsc;
		s->reading->sums.last_tsc = until - 1;
		item->kind = SOURCE_SUMS;
		item->vcpu = number;
		item->sums = &s->reading->sums;
		return true;
	}
	s->row = 0;
	ring->read_tsc = until;
	return false;
}

/* Hands on what was counted, and the end of a vCPU after all of it. False: nothing is there. */
static bool give_sums(struct bpf_source *s, struct source_item *item)
{
	if (s->is_ending) {
		if (give_row(s, s->end.vcpu, s->end.snapshot_tsc, item))
			return true;

		sums_end(&s->rings[s->end.vcpu].sums);
		s->is_ending = false;
		*item = s->end;
		return true;
	}

	while (s->turn >= 0 && s->turn < s->rounds.count) {
		if (!s->rounds.vcpus[s->turn].is_closed && give_row(s, s->turn, s->read_tsc, item))
			return true;
		s->turn++;
	}
	s->turn = -1;
	return false;
}

/* What of it is lost and belongs to no vCPU that is recorded. */
struct loss {
	const char *name; /* table crosscheck, source bpf */
	const char *words;
	uint64_t count;
	bool is_exits; /* one for each exit of a vCPU that has no row: column unseen of view runs */
};

#define LOSSES 5

static void list_losses(const struct bpf_source *s, struct loss losses[LOSSES])
{
	struct bpf_session_losses seen;
	const struct loss all[LOSSES] = {
		{"missed_runs", "events that the kernel skipped", 0, false},
		{"no_entry", "VM entries", 0, false},
		{"no_place", "VM entries of vCPUs beyond the most", 0, true},
		{"no_ring", "exits of vCPUs without a ring", 0, true},
		{"no_thread", "returns to user space", 0, false},
	};

	bpf_session_losses(s->session, &seen);
	memcpy(losses, all, sizeof(all));
	losses[0].count = seen.missed_runs;
	losses[1].count = seen.no_entry;
	losses[2].count = seen.no_place;
	losses[3].count = seen.no_ring;
	losses[4].count = seen.no_thread;
}

static uint64_t count_exits(const struct loss losses[LOSSES])
{
	uint64_t exits = 0;

	for (int i = 0; i < LOSSES; i++)
		exits += losses[i].is_exits ? losses[i].count : 0;
	return exits;
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
	s->source.unseen = count_exits(losses);
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

/* Sets the clock of the programs, opens new rings; hands on a vCPU that is new. */
static int scan_for_rings(struct bpf_source *s, int64_t now_ns, struct source_item *item,
			  struct fault *fault)
{
	uint64_t ticks;
	int rc;

	if (read(s->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		return fault_set(fault, -errno, "bpf: timer: %s", strerror(errno));
	bpf_session_tick(s->session, now_ns);
	begin_reading(s);

	rc = find_new(s, item, fault);
	if (!rc && item->kind == SOURCE_NOTHING)
		rounds_go_on(&s->rounds, now_ns);
	return rc;
}

/* Hands on a new vCPU, records, sums or the end of a vCPU; nothing if the round is over. */
static int go_round(struct bpf_source *s, struct source_item *item, struct fault *fault)
{
	int64_t now_ns = host_monotonic_ns();

	/* A vCPU whose end was not given yet keeps its ring. */
	if (!s->is_ending)
		take_back(s);

	item->kind = SOURCE_NOTHING;
	if (rounds_needs_rings(&s->rounds, now_ns)) {
		int rc = scan_for_rings(s, now_ns, item, fault);

		if (rc || item->kind != SOURCE_NOTHING)
			return rc;
	}
	if (s->reading && give_sums(s, item))
		return 0;

	rounds_next(&s->rounds, &s->source, item);
	if (item->kind == SOURCE_END_VCPU && s->reading) {
		s->end = *item;
		s->is_ending = true;
		give_sums(s, item);
	}
	return 0;
}

static int bpf_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct bpf_source *s = from_source(source);

	do {
		int rc = go_round(s, item, fault);

		if (rc)
			return rc;
	} while (item->kind == SOURCE_NOTHING && s->rounds.has_more);

	if (item->kind == SOURCE_FINISHED)
		describe_losses(s);
	return 0;
}

/* Memory of rings, and what else is known of the whole run; see sql/schema.sql. */
static int store_ring_bytes(const struct bpf_source *s, struct store *store)
{
	uint64_t most;
	uint64_t bytes = bpf_session_ring_bytes(s->session, &most);
	int rc = store_add_run_count(store, "bpf", "ring_bytes", bytes);

	if (!rc)
		rc = store_add_run_count(store, "bpf", "ring_bytes_most", most);
	if (!rc && s->reading)
		rc = store_add_run_count(store, "bpf", "histograms", 1);
	return rc;
}

/* Zeros too: they say that it was looked for. */
static int store_losses(const struct loss losses[LOSSES], struct store *store)
{
	int rc = 0;

	for (int i = 0; i < LOSSES && !rc; i++)
		rc = store_set_run_count(store, "bpf", losses[i].name, losses[i].count);
	return rc;
}

static int bpf_update_unseen(struct source *source, struct store *store)
{
	struct bpf_source *s = from_source(source);
	struct loss losses[LOSSES];

	list_losses(s, losses);
	source->unseen = count_exits(losses);
	if (!store || source->unseen == s->stored_unseen)
		return 0;
	s->stored_unseen = source->unseen;
	return store_losses(losses, store);
}

static int bpf_store_counts(struct source *source, struct store *store)
{
	struct loss losses[LOSSES];
	int rc;

	list_losses(from_source(source), losses);
	rc = store_losses(losses, store);
	return rc ? rc : store_ring_bytes(from_source(source), store);
}

static int bpf_read_totals(struct source *source, source_see_totals *see, void *context)
{
	return rounds_read_totals(&from_source(source)->rounds, see, context);
}

static void bpf_stop(struct source *source)
{
	struct bpf_source *s = from_source(source);

	if (s->reading)
		bpf_session_stop(s->session);
	s->rounds.is_stopping = true;
}

static void bpf_close(struct source *source)
{
	struct bpf_source *s = from_source(source);

	for (int i = 0; i < s->rounds.count; i++)
		sums_end(&s->rings[i].sums);
	free(s->reading);
	rounds_free(&s->rounds);
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
	/*
	 * Edge-triggered: the events of created vCPUs are drained (bpf_session_tick()), their
	 * content is not used.
	 */
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

	s->counts_ms = options->counts_ms;
	if (options->counts_only) {
		s->reading = malloc(sizeof(*s->reading));
		if (!s->reading)
			return fault_set(fault, -ENOMEM, "out of memory");
	}

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
		.update_unseen = bpf_update_unseen,
		.read_totals = bpf_read_totals,
	};
	struct bpf_source *s = calloc(1, sizeof(*s));
	int rc;

	*result = NULL;
	if (!s)
		return fault_set(fault, -ENOMEM, "out of memory");

	s->source.ops = &ops;
	s->source.fd = -1;
	s->timer = -1;
	s->turn = -1;
	rounds_init(&s->rounds);

	rc = prepare(s, options, fault);
	if (rc) {
		bpf_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
