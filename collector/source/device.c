// SPDX-License-Identifier: GPL-2.0-only
/* device.c - records from the rings of /dev/kvm_exit_ring, read in rounds (rounds.h) */
#include "collector/source/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collector/host/host.h"
#include "collector/host/names.h"
#include "collector/source/ring.h"
#include "collector/source/rounds.h"

/*
 * struct device_source - the device as a source
 * @control:		lists the rings; KVM_EXIT_RING_ARM holds as long as it is open
 * @last_ring_id:	rings up to this one are known
 * @lost_vcpus:		vCPUs without memory for their records: their exits count as dropped
 * @first:		what the kernel said it had lost when the recording began
 * @stored_unseen:	what the run says of source.unseen
 */
struct device_source {
	struct source source; /* first: the two are cast into each other */
	struct device_options options;
	struct rounds rounds;
	int control;
	uint64_t last_ring_id;

	unsigned int lost_vcpus;
	struct kvm_exit_ring_query first;
	uint64_t stored_unseen;
};

static struct device_source *from_source(struct source *source)
{
	return (struct device_source *)source;
}

static int open_device(struct fault *fault)
{
	int fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;

	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		if (host_hooks_off())
			return fault_set(
				fault, -errno,
				"%s: kvm.ko was loaded with hooks=0: nothing is counted or recorded (load it without)",
				KVM_EXIT_RING_DEVICE);
		return fault_set(
			fault, -errno,
			"%s: the device does not exist (build and load the modules: kvm/build, then kvm/install)",
			KVM_EXIT_RING_DEVICE);
	case EACCES:
	case EPERM:
		return fault_set(
			fault, -errno,
			"%s: no permission (run as root, or with CAP_PERFMON; lockdown=confidentiality forbids it too)",
			KVM_EXIT_RING_DEVICE);
	}
	return fault_set(fault, -errno, "%s: %s", KVM_EXIT_RING_DEVICE, strerror(errno));
}

/* Lets epoll report that @fd is readable. 0 or -errno. */
static int watch(struct device_source *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(s->source.fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* A file that is attached to the ring, with KVM_EXIT_ATTACH_* @flags, or -errno. */
static int attach(uint64_t ring_id, uint32_t flags, struct fault *fault)
{
	const struct kvm_exit_ring_attach attach = {
		.size = sizeof(attach),
		.ring_id = ring_id,
		.flags = flags,
	};
	int fd = open_device(fault);
	int rc;

	if (fd < 0 || !ioctl(fd, KVM_EXIT_RING_ATTACH, &attach))
		return fd;

	rc = -errno;
	close(fd);
	return rc;
}

/* Adds a ring for its records or, without memory for them, for its totals. */
static int add_ring(struct device_source *s, const struct kvm_exit_ring_info *info,
		    struct fault *fault)
{
	bool refused = info->flags & KVM_EXIT_INFO_REFUSED;
	int fd = -ENOMEM;

	if (!refused)
		fd = attach(info->ring_id, s->options.cr3 ? KVM_EXIT_ATTACH_CR3 : 0, fault);
	if (fd >= 0)
		return rounds_add(&s->rounds, fd);
	if (fd != -ENOMEM)
		return fd;

	fd = attach(info->ring_id, KVM_EXIT_ATTACH_TOTALS, fault);
	if (fd < 0)
		return fd;
	s->lost_vcpus++;
	return rounds_add_lost(&s->rounds, fd, refused);
}

/*
 * Opens a ring. Returns the number of its vCPU; -ENOENT: the ring is gone, -EBUSY: it has another
 * reader.
 */
static int open_ring(struct device_source *s, const struct kvm_exit_ring_info *info,
		     struct fault *fault)
{
	int number = add_ring(s, info, fault);
	int rc;

	if (number == -ENOENT || number == -EBUSY)
		return number;
	if (number == -EPROTO)
		return fault_set(
			fault, number,
			"%s: the modules have another version of the ABI (build and load them again: kvm/build, then kvm/install)",
			KVM_EXIT_RING_DEVICE);
	if (number < 0)
		return fault_set(fault, number, "%s: can't read ring %llu: %s",
				 KVM_EXIT_RING_DEVICE, (unsigned long long)info->ring_id,
				 strerror(-number));

	rc = watch(s, s->rounds.vcpus[number].ring.fd);
	return rc ? fault_set(fault, rc, "epoll: %s", strerror(-rc)) : number;
}

static bool is_chosen(const struct device_options *options, uint32_t tgid)
{
	if (options->tgid)
		return tgid == options->tgid;
	return !options->vm || names_match_process("", tgid, options->vm);
}

/* Hands on the next vCPU that is new, or leaves @item alone. */
static int find_new(struct device_source *s, struct source_item *item, struct fault *fault)
{
	struct kvm_exit_ring_info info = {.ring_id = s->last_ring_id};

	while (!ioctl(s->control, KVM_EXIT_RING_NEXT, &info)) {
		int number;

		s->last_ring_id = info.ring_id;
		if (!is_chosen(&s->options, info.tgid))
			continue;

		number = open_ring(s, &info, fault);
		if (number == -EBUSY)
			s->source.skipped++;
		if (number == -EBUSY || number == -ENOENT)
			continue;
		if (number < 0)
			return number;

		rounds_give_vcpu(&s->rounds, number, &s->source, item);
		return 0;
	}

	if (errno == ENOENT)
		return 0;
	return fault_set(fault, -errno, "%s: can't list the rings: %s", KVM_EXIT_RING_DEVICE,
			 strerror(errno));
}

/* With --vm, lost rings may be another VM's; older modules don't count their exits. */
static bool knows_lost_exits(const struct device_source *s)
{
	return !s->options.vm && s->first.size > offsetof(struct kvm_exit_ring_query, lost_exits);
}

/* Rings that were lost unread since the recording began, and in source.unseen their exits. */
static uint64_t count_lost_rings(struct device_source *s)
{
	struct kvm_exit_ring_query last = {.size = sizeof(last)};

	if (ioctl(s->control, KVM_EXIT_RING_QUERY, &last))
		return 0;
	if (knows_lost_exits(s))
		s->source.unseen = last.lost_exits - s->first.lost_exits;
	return last.lost_rings - s->first.lost_rings;
}

/* Describes at the end what was lost, in source.lost. */
static void describe_losses(struct device_source *s)
{
	uint64_t rings = count_lost_rings(s);
	char *text = s->source.lost;
	size_t bytes = sizeof(s->source.lost);
	int length = 0;

	if (s->lost_vcpus)
		length = snprintf(
			text, bytes,
			"the records of %u vCPUs, whose exits count as dropped: kvm.ko got no memory for them (its parameter ring_memory_mib)",
			s->lost_vcpus);
	if (rings)
		length += snprintf(
			text + length, bytes - (size_t)length,
			"%s%llu vCPUs that ended and made room for others before they were read",
			length ? "; " : "", (unsigned long long)rings);
	if (rings && knows_lost_exits(s))
		snprintf(text + length, bytes - (size_t)length, ", %llu exits",
			 (unsigned long long)s->source.unseen);
}

/* Column unseen of view runs has it. */
static int store_unseen(struct device_source *s, struct store *store)
{
	if (s->source.unseen == s->stored_unseen)
		return 0;
	s->stored_unseen = s->source.unseen;
	return store_set_run_count(store, "ring", "lost_exits", s->stored_unseen);
}

static int device_update_unseen(struct source *source, struct store *store)
{
	struct device_source *s = from_source(source);

	count_lost_rings(s);
	return store ? store_unseen(s, store) : 0;
}

/* analyzer verify shows it. */
static int device_store_counts(struct source *source, struct store *store)
{
	int rc = 0;

	if (*source->lost)
		rc = store_add_run_count(store, "unavailable", source->lost, 0);
	return rc ? rc : store_unseen(from_source(source), store);
}

/* Hands on a new vCPU, records or the end of a vCPU; nothing if the round is over. */
static int go_round(struct device_source *s, struct source_item *item, struct fault *fault)
{
	int64_t now_ns = host_monotonic_ns();

	item->kind = SOURCE_NOTHING;
	if (rounds_needs_rings(&s->rounds, now_ns)) {
		int rc = find_new(s, item, fault);

		if (rc || item->kind != SOURCE_NOTHING)
			return rc;
		rounds_go_on(&s->rounds, now_ns);
	}
	rounds_next(&s->rounds, &s->source, item);
	return 0;
}

static int device_next(struct source *source, struct source_item *item, struct fault *fault)
{
	struct device_source *s = from_source(source);
	bool was_gone;

	rounds_take_back(&s->rounds, &was_gone);
	do {
		int rc = go_round(s, item, fault);

		if (rc)
			return rc;
	} while (item->kind == SOURCE_NOTHING && s->rounds.has_more);

	if (item->kind == SOURCE_FINISHED)
		describe_losses(s);
	return 0;
}

static int device_read_totals(struct source *source, source_see_totals *see, void *context)
{
	return rounds_read_totals(&from_source(source)->rounds, see, context);
}

static void device_stop(struct source *source)
{
	from_source(source)->rounds.is_stopping = true;
}

static void device_close(struct source *source)
{
	struct device_source *s = from_source(source);

	rounds_free(&s->rounds);
	if (s->source.fd >= 0)
		close(s->source.fd);
	if (s->control >= 0)
		close(s->control);
	run_info_free(&s->source.info);
	free(s);
}

/* Whether the modules are of this collector's ABI; they answer before anything is allocated. */
static int check_abi(struct device_source *s, struct fault *fault)
{
	struct kvm_exit_ring_query *query = &s->first;

	*query = (struct kvm_exit_ring_query){.size = sizeof(*query)};
	if (ioctl(s->control, KVM_EXIT_RING_QUERY, query)) {
		if (errno != ENOTTY)
			return fault_set(fault, -errno, "%s: %s", KVM_EXIT_RING_DEVICE,
					 strerror(errno));
		query->abi = 1; /* it had no such call */
	}
	if (query->abi == KVM_EXIT_RING_ABI)
		return 0;
	return fault_set(
		fault, -EPROTO,
		"%s: the modules have version %u of the ABI, this collector has %u (build and load them again: kvm/build, then kvm/install)",
		KVM_EXIT_RING_DEVICE, query->abi, KVM_EXIT_RING_ABI);
}

/* From here on KVM records: vCPUs that are created now have their first exit in the ring. */
static int arm(struct device_source *s, struct fault *fault)
{
	struct kvm_exit_ring_arm how = {
		.size = sizeof(how),
		.flags = s->options.cr3 ? KVM_EXIT_ATTACH_CR3 : 0,
		.tgid = s->options.tgid,
	};

	if (!ioctl(s->control, KVM_EXIT_RING_ARM, &how))
		return 0;
	return fault_set(fault, -errno, "%s: %s", KVM_EXIT_RING_DEVICE,
			 errno == EBUSY ? "another collector records on this machine"
					: strerror(errno));
}

static int prepare(struct device_source *s, struct fault *fault)
{
	int rc;

	s->control = open_device(fault);
	if (s->control < 0)
		return s->control;

	rc = check_abi(s, fault);
	if (rc)
		return rc;

	/* The run begins before its first exit. */
	host_describe(&s->source.info);
	rc = arm(s, fault);
	if (rc)
		return rc;

	s->source.fd = epoll_create1(EPOLL_CLOEXEC);
	rc = s->source.fd < 0 ? -errno : watch(s, s->control);
	return rc ? fault_set(fault, rc, "epoll: %s", strerror(-rc)) : 0;
}

int source_device_open(const struct device_options *options, struct source **result,
		       struct fault *fault)
{
	static const struct source_ops ops = {
		.name = "device",
		.next = device_next,
		.stop = device_stop,
		.close = device_close,
		.store_counts = device_store_counts,
		.update_unseen = device_update_unseen,
		.read_totals = device_read_totals,
	};
	struct device_source *s = calloc(1, sizeof(*s));
	int rc;

	*result = NULL;
	if (!s)
		return fault_set(fault, -ENOMEM, "out of memory");

	s->source.ops = &ops;
	s->source.fd = -1;
	s->options = *options;
	s->control = -1;
	rounds_init(&s->rounds);

	rc = prepare(s, fault);
	if (rc) {
		device_close(&s->source);
		return rc;
	}
	*result = &s->source;
	return 0;
}
