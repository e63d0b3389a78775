// SPDX-License-Identifier: GPL-2.0-only
/* kvmstat.c - reads KVM's statistics of a VM from debugfs */
#include "collector/xcheck/kvmstat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/array.h"
#include "collector/host/host.h"
#include "kvm/uapi/kvm_exit_ring.h"

#define KVM_DEBUGFS  "/sys/kernel/debug/kvm"
#define EXITS_TRIES  100
#define UNCOUNTED_US 1000 /* between two tries while a vCPU stands between the counts */

const char *const kvmstat_names[KVMSTAT_COUNT] = {
	"exits", "io_exits", "mmio_exits", "halt_exits", "irq_exits", "signal_exits", "hypercalls",
};

/* A ring attached for its totals alone. */
struct totals_view {
	int fd;
	const struct kvm_exit_ring_meta *meta;
	const struct kvm_exit_total *totals;
};

/*
 * @vm_fd: the VM's file number in its process: PID-FD is the directory's name
 */
struct kvmstat {
	int dir;
	int exits;
	uint32_t tgid;
	unsigned int vm_fd;
	struct totals_view *rings;
	int ring_count;
	bool has_no_bounds; /* some ring could not be attached: no bounds */
	struct kvmstat *next;
};

/* All that are open, so that a directory is taken once. */
static struct kvmstat *held;

int kvmstat_check(void)
{
	int fd = open(KVM_DEBUGFS "/exits", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	close(fd);
	return 0;
}

static bool is_held(uint32_t tgid, unsigned int vm_fd)
{
	for (const struct kvmstat *s = held; s; s = s->next) {
		if (s->tgid == tgid && s->vm_fd == vm_fd)
			return true;
	}
	return false;
}

/* Finds the VM directory PID-FD of the process that is not held. */
static int find_vm(uint32_t tgid, unsigned int *vm_fd)
{
	DIR *dir = opendir(KVM_DEBUGFS);
	const struct dirent *entry;
	unsigned int pid, fd, found = 0;

	if (!dir)
		return -errno;

	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "%u-%u", &pid, &fd) != 2 || pid != tgid ||
		    is_held(tgid, fd))
			continue;
		found++;
		*vm_fd = fd;
	}
	closedir(dir);

	if (found > 1)
		return -EEXIST;
	return found ? 0 : -ENOENT;
}

int kvmstat_open(struct kvmstat **stat, uint32_t tgid)
{
	struct kvmstat *s;
	unsigned int vm_fd = 0;
	char path[64];
	int rc = find_vm(tgid, &vm_fd);

	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;

	/* An open file keeps the VM's statistics, and the VM, until kvmstat_close(). */
	snprintf(path, sizeof(path), KVM_DEBUGFS "/%u-%u", tgid, vm_fd);
	s->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->exits = s->dir < 0 ? -1 : openat(s->dir, "exits", O_RDONLY | O_CLOEXEC);
	if (s->exits < 0) {
		rc = -errno;
		if (s->dir >= 0)
			close(s->dir);
		free(s);
		return rc;
	}

	s->tgid = tgid;
	s->vm_fd = vm_fd;
	s->next = held;
	held = s;
	*stat = s;
	return 0;
}

/* Maps the totals of the ring that @view->fd is attached to. */
static int map_totals(struct totals_view *view)
{
	size_t bytes = sizeof(struct kvm_exit_total) * KVM_EXIT_TOTAL_SLOTS;

	view->meta = mmap(NULL, sizeof(*view->meta), PROT_READ, MAP_SHARED, view->fd, 0);
	if (view->meta == MAP_FAILED)
		return -errno;

	view->totals =
		mmap(NULL, bytes, PROT_READ, MAP_SHARED, view->fd, view->meta->totals_offset);
	if (view->totals == MAP_FAILED) {
		int rc = -errno;

		munmap((void *)view->meta, sizeof(*view->meta));
		return rc;
	}
	return 0;
}

static int attach_totals(struct totals_view *view, uint64_t ring_id)
{
	struct kvm_exit_ring_attach attach = {
		.size = sizeof(attach),
		.ring_id = ring_id,
		.flags = KVM_EXIT_ATTACH_TOTALS,
	};
	int rc;

	view->fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);
	if (view->fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;

	rc = ioctl(view->fd, KVM_EXIT_RING_ATTACH, &attach) ? -errno : map_totals(view);
	if (rc)
		close(view->fd);
	return rc;
}

int kvmstat_add_ring(struct kvmstat *stat, uint64_t ring_id)
{
	struct totals_view *rings =
		array_reserve(stat->rings, (size_t)stat->ring_count, 1, sizeof(*rings));
	int rc = -ENOMEM;

	if (rings) {
		stat->rings = rings;
		rc = attach_totals(&rings[stat->ring_count], ring_id);
	}

	if (rc)
		stat->has_no_bounds = true;
	else
		stat->ring_count++;
	return rc;
}

bool kvmstat_is_of_another(const struct kvmstat *stat)
{
	for (int i = 0; i < stat->ring_count; i++) {
		if (__atomic_load_n(&stat->rings[i].meta->state, __ATOMIC_ACQUIRE) ==
		    KVM_EXIT_RING_DEAD)
			return true;
	}
	return false;
}

bool kvmstat_abandoned(const struct kvmstat *stat)
{
	char path[64], link[32] = "";

	snprintf(path, sizeof(path), "/proc/%u/fd/%u", stat->tgid, stat->vm_fd);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return true;
	return strcmp(link, "anon_inode:kvm-vm") != 0;
}

/* Everything that ++stat.exits counts too, as the totals pages see it. */
static uint64_t sum_totals(const struct kvmstat *stat)
{
	uint64_t sum = 0;

	for (int r = 0; r < stat->ring_count; r++) {
		const struct totals_view *view = &stat->rings[r];

		sum += __atomic_load_n(&view->meta->vmfail, __ATOMIC_RELAXED);
		for (unsigned int i = 0; i < KVM_EXIT_TOTAL_SLOTS; i++)
			sum += __atomic_load_n(&view->totals[i].count, __ATOMIC_RELAXED) +
			       __atomic_load_n(&view->totals[i].synthesized, __ATOMIC_RELAXED);
	}
	return sum;
}

/* A statistic is computed at the first read of its file: open it for each. */
static int64_t read_number(int dir, const char *name)
{
	char text[32] = "";
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtoll(text, NULL, 0) : -1;
}

/* Whether the VM did not exit meanwhile, and both have counted all of its exits. */
static bool counts_agree(const struct kvmstat *stat, struct kvmstat_result *result)
{
	result->low = sum_totals(stat);
	result->values[KVMSTAT_EXITS] = read_number(stat->dir, kvmstat_names[KVMSTAT_EXITS]);
	result->high = sum_totals(stat);
	return result->low == result->high &&
	       (uint64_t)result->values[KVMSTAT_EXITS] == result->low;
}

static unsigned int running_vcpus(const struct kvmstat *stat)
{
	unsigned int running = 0;

	for (int i = 0; i < stat->ring_count; i++)
		running += host_thread_runs(
			__atomic_load_n(&stat->rings[i].meta->tid, __ATOMIC_RELAXED));
	return running;
}

void kvmstat_lower(struct kvmstat_result *result, unsigned int vcpus, unsigned int running)
{
	uint64_t uncounted = result->low == result->high ? running : vcpus;

	result->low -= MIN(result->low, uncounted);
}

static void read_exits(struct kvmstat *stat, struct kvmstat_result *result)
{
	int tries = result->bounded ? EXITS_TRIES : 0;
	unsigned int running;

	while (tries--) {
		if (counts_agree(stat, result))
			return;
		if (result->low != result->high)
			continue;
		/* Between the two counts a vCPU is interrupted, or loses its CPU. */
		if (!running_vcpus(stat))
			break;
		usleep(UNCOUNTED_US);
	}

	/* Before the counts: a vCPU that goes on later shows in them. */
	running = running_vcpus(stat);
	if (!counts_agree(stat, result))
		kvmstat_lower(result, (unsigned int)stat->ring_count, running);
}

int kvmstat_read(struct kvmstat *stat, struct kvmstat_result *result)
{
	result->bounded = stat->ring_count && !stat->has_no_bounds;
	read_exits(stat, result);
	for (int i = KVMSTAT_EXITS + 1; i < KVMSTAT_COUNT; i++)
		result->values[i] = read_number(stat->dir, kvmstat_names[i]);
	return result->values[KVMSTAT_EXITS] < 0 ? -EIO : 0;
}

static void detach(struct totals_view *view)
{
	munmap((void *)view->totals, sizeof(struct kvm_exit_total) * KVM_EXIT_TOTAL_SLOTS);
	munmap((void *)view->meta, sizeof(*view->meta));
	close(view->fd);
}

void kvmstat_close(struct kvmstat *stat)
{
	struct kvmstat **link = &held;

	while (*link && *link != stat)
		link = &(*link)->next;
	if (*link)
		*link = stat->next;

	for (int i = 0; i < stat->ring_count; i++)
		detach(&stat->rings[i]);
	free(stat->rings);
	close(stat->exits);
	close(stat->dir);
	free(stat);
}
