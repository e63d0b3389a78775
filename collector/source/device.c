// SPDX-License-Identifier: GPL-2.0-only
/*
 * device.c - records from the rings of /dev/kvm_exit_ring
 *
 * source_next() goes round: first the rings that are new, then each ring once
 * (all that it holds, but no more than its size, so that no vCPU starves the
 * others), then SOURCE_NOTHING.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/source/ring.h"
#include "collector/source/source.h"

struct device_ring {
	struct ring ring;
	uint32_t budget; /* records that this round may still take */
	int ended;	 /* ring_end() was called */
	int closed;
};

struct device_source {
	struct source source; /* first: the two are cast into each other */
	struct device_options options;
	int control;
	uint64_t last_ring_id;
	struct device_ring *rings;
	int count;
	int cursor;    /* ring of this round; -1: the round begins */
	int in_hand;   /* ring whose records the caller has; -1: none */
	uint32_t held; /* how many */
	int closing;   /* ring whose end the caller has; -1: none */
	int stopping;
	char comm[32];
};

static int open_device(struct fault *fault)
{
	int fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return fault_set(fault, -errno,
				 "%s: there is no such device (build and load the modules: "
				 "kvm/build, then kvm/install)",
				 KVM_EXIT_RING_DEVICE);
	case EACCES:
	case EPERM:
		return fault_set(fault, -errno,
				 "%s: no permission (run as root, or with CAP_PERFMON)",
				 KVM_EXIT_RING_DEVICE);
	}
	return fault_set(fault, -errno, "%s: %s", KVM_EXIT_RING_DEVICE, strerror(errno));
}

static int watch(struct device_source *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(s->source.fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Attaches to a ring. 0; -ENOENT and -EBUSY: not to be had. */
static int attach(struct device_source *s, uint64_t ring_id, struct fault *fault)
{
	const struct kvm_exit_ring_attach attach = {
		.ring_id = ring_id,
		.flags = s->options.cr3 ? KVM_EXIT_ATTACH_CR3 : 0,
	};
	struct device_ring *rings = realloc(s->rings, ((size_t)s->count + 1) * sizeof(*s->rings));
	struct device_ring *new;
	int fd;
	int rc;

	if (!rings)
		return fault_set(fault, -ENOMEM, "out of memory");
	s->rings = rings;
	fd = open_device(fault);
	if (fd < 0)
		return fd;
	if (ioctl(fd, KVM_EXIT_RING_ATTACH, &attach)) {
		rc = -errno;
		close(fd);
		if (rc == -ENOENT || rc == -EBUSY)
			return rc;
		return fault_set(fault, rc, "%s: can't attach to ring %llu: %s",
				 KVM_EXIT_RING_DEVICE, (unsigned long long)ring_id, strerror(-rc));
	}
	new = &rings[s->count];
	memset(new, 0, sizeof(*new));
	rc = ring_open(&new->ring, fd);
	if (!rc)
		rc = watch(s, fd);
	if (rc) {
		ring_close(&new->ring);
		return fault_set(fault, rc, "%s: %s", KVM_EXIT_RING_DEVICE,
				 rc == -EPROTO ? "the modules speak another ABI (build them again)"
					       : strerror(-rc));
	}
	s->count++;
	return 0;
}

/* The ring that was attached last. */
static void give_vcpu(struct device_source *s, const struct kvm_exit_ring_info *info,
		      struct source_item *item)
{
	const struct ring *ring = &s->rings[s->count - 1].ring;

	item->kind = SOURCE_VCPU;
	item->vcpu = s->count - 1;
	item->made_tsc = ring->meta->tsc_base;
	item->look_tsc = ring->begin_tsc;
	item->open_first = ring->open_first;
	item->info = (struct store_vcpu){
		.comm = s->comm,
		.vm_id = info->vm_id,
		.ring_id = info->ring_id,
		.tgid = info->tgid,
		.vcpu_id = info->vcpu_id,
		.first_seq = ring->first_seq,
	};
}

/* Announces the next ring that is new, or leaves @item alone. */
static int find_new(struct device_source *s, struct source_item *item, struct fault *fault)
{
	struct kvm_exit_ring_info info = {.ring_id = s->last_ring_id};
	int rc;

	while (!ioctl(s->control, KVM_EXIT_RING_NEXT, &info)) {
		s->last_ring_id = info.ring_id;
		if (s->options.tgid && info.tgid != s->options.tgid)
			continue;
		rc = attach(s, info.ring_id, fault);
		if (rc == -EBUSY)
			s->source.skipped++;
		if (rc == -EBUSY || rc == -ENOENT)
			continue;
		if (rc)
			return rc;
		s->source.info.isa = info.isa;
		s->source.info.tsc_khz = s->rings[s->count - 1].ring.meta->tsc_khz;
		host_comm(info.tgid, s->comm, sizeof(s->comm));
		give_vcpu(s, &info, item);
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	return fault_set(fault, -errno, "%s: can't list the rings: %s", KVM_EXIT_RING_DEVICE,
			 strerror(errno));
}

static void give_end(struct device_source *s, int at, struct source_item *item)
{
	ring_give_end(&s->rings[at].ring, &s->source, item);
	item->vcpu = at;
	s->closing = at;
}

/* What ring @at has: records, its end, or nothing. */
static void visit(struct device_source *s, int at, struct source_item *item)
{
	struct device_ring *r = &s->rings[at];
	uint32_t n;

	if (r->closed)
		return;
	if (!r->ended && (s->stopping || exit_ring_finished(&r->ring.reader))) {
		ring_end(&r->ring);
		r->ended = 1;
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
	} else if (r->ended && r->budget) {
		give_end(s, at, item);
	}
}

/* Takes back what the last call gave. */
static void take_back(struct device_source *s)
{
	if (s->in_hand >= 0)
		ring_release(&s->rings[s->in_hand].ring, s->held);
	s->in_hand = -1;
	if (s->closing >= 0) {
		ring_close(&s->rings[s->closing].ring);
		s->rings[s->closing].closed = 1;
	}
	s->closing = -1;
}

static int all_closed(const struct device_source *s)
{
	int i;

	for (i = 0; i < s->count; i++)
		if (!s->rings[i].closed)
			return 0;
	return 1;
}

static int device_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct device_source *s = (struct device_source *)source;
	int i;
	int rc;

	take_back(s);
	item->kind = SOURCE_NOTHING;
	if (s->cursor < 0) {
		rc = find_new(s, item, fault);
		if (rc || item->kind != SOURCE_NOTHING)
			return rc;
		for (i = 0; i < s->count; i++)
			if (!s->rings[i].closed)
				s->rings[i].budget = s->rings[i].ring.meta->record_count;
		s->cursor = 0;
	}
	for (; s->cursor < s->count; s->cursor++) {
		visit(s, s->cursor, item);
		if (item->kind != SOURCE_NOTHING)
			return 0;
	}
	s->cursor = -1;
	if (s->stopping && all_closed(s)) {
		s->source.info.tsc_end = host_tsc();
		s->source.info.ended_ns = host_realtime_ns();
		item->kind = SOURCE_FINISHED;
	}
	return 0;
}

static void device_stop(struct source *source)
{
	((struct device_source *)source)->stopping = 1;
}

static void device_close(struct source *source)
{
	struct device_source *s = (struct device_source *)source;
	int i;

	for (i = 0; i < s->count; i++)
		if (!s->rings[i].closed)
			ring_close(&s->rings[i].ring);
	if (s->source.fd >= 0)
		close(s->source.fd);
	if (s->control >= 0)
		close(s->control);
	run_info_free(&s->source.info);
	free(s->rings);
	free(s);
}

static int prepare(struct device_source *s, struct fault *fault)
{
	int rc;

	s->control = open_device(fault);
	if (s->control < 0)
		return s->control;
	host_describe(&s->source.info);
	if (ioctl(s->control, KVM_EXIT_RING_ARM))
		return fault_set(fault, -errno, "%s: %s", KVM_EXIT_RING_DEVICE,
				 errno == EBUSY ? "another collector records on this machine"
						: strerror(errno));
	s->source.fd = epoll_create1(EPOLL_CLOEXEC);
	rc = s->source.fd < 0 ? -errno : watch(s, s->control);
	if (rc)
		return fault_set(fault, rc, "epoll: %s", strerror(-rc));
	return 0;
}

int source_device_open(const struct device_options *options, struct source **result,
		       struct fault *fault)
{
	static const struct source_ops ops = {
		.name = "device",
		.next = device_next,
		.stop = device_stop,
		.close = device_close,
	};
	struct device_source *s = calloc(1, sizeof(*s));
	int rc;

	*result = NULL;
	if (!s)
		return fault_set(fault, -ENOMEM, "out of memory");
	s->options = *options;
	s->source.ops = &ops;
	s->source.fd = -1;
	s->control = -1;
	s->cursor = -1;
	s->in_hand = -1;
	s->closing = -1;
	rc = prepare(s, fault);
	if (rc) {
		device_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
