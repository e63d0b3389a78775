/* SPDX-License-Identifier: GPL-2.0-only */
/* ring_map.h - a ring attached and mapped, for test programs that run where the device is */
#ifndef KVM_TEST_COMMON_RING_MAP_H
#define KVM_TEST_COMMON_RING_MAP_H

#include "kvm/ring/exit_ring_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_PAGE 4096U

/*
 * struct ring_map - one attached file
 * @fd: of the device
 * @meta, @totals: mapped
 * @tail, @records, @reader: not with KVM_EXIT_ATTACH_TOTALS
 */
struct ring_map {
	int fd;
	const struct kvm_exit_ring_meta *meta;
	const struct kvm_exit_total *totals;
	struct kvm_exit_ring_tail *tail;
	const struct kvm_exit_record *records;
	struct exit_ring_reader reader;
};

static inline void ring_unmap(struct ring_map *map)
{
	if (map->tail)
		munmap(map->tail, RING_PAGE);
	if (map->records)
		munmap((void *)map->records,
		       (size_t)map->meta->record_count * map->meta->record_bytes);
	if (map->totals)
		munmap((void *)map->totals, KVM_EXIT_TOTAL_SLOTS * sizeof(*map->totals));
	if (map->meta)
		munmap((void *)map->meta, RING_PAGE);
	close(map->fd);
}

/* Records all new vCPUs. As ioctl() */
static inline int ring_arm(int fd)
{
	struct kvm_exit_ring_arm how = {.size = sizeof(how)};

	return ioctl(fd, KVM_EXIT_RING_ARM, &how);
}

/* One area, or NULL with errno set. */
static inline void *ring_area(int fd, size_t bytes, int prot, off_t offset)
{
	void *area = mmap(NULL, bytes, prot, MAP_SHARED, fd, offset);

	return area == MAP_FAILED ? NULL : area;
}

/* Attaches as how says, except its size, and maps every area. 0 or -errno. */
static inline int ring_map(struct ring_map *map, const struct kvm_exit_ring_attach *how)
{
	struct kvm_exit_ring_attach sized = *how;
	_Bool records = !(how->flags & KVM_EXIT_ATTACH_TOTALS);
	int r;

	*map = (struct ring_map){.fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC)};
	if (map->fd < 0)
		return -errno;
	sized.size = sizeof(sized);
	if (ioctl(map->fd, KVM_EXIT_RING_ATTACH, &sized))
		goto fail;
	map->meta = ring_area(map->fd, RING_PAGE, PROT_READ, 0);
	if (!map->meta)
		goto fail;
	map->totals = ring_area(map->fd, KVM_EXIT_TOTAL_SLOTS * sizeof(*map->totals), PROT_READ,
				map->meta->totals_offset);
	if (!map->totals)
		goto fail;
	if (!records)
		return 0;
	map->tail = ring_area(map->fd, RING_PAGE, PROT_READ | PROT_WRITE, RING_PAGE);
	map->records = ring_area(map->fd, (size_t)map->meta->record_count * map->meta->record_bytes,
				 PROT_READ, map->meta->records_offset);
	if (!map->tail || !map->records)
		goto fail;
	exit_ring_reader_init(&map->reader, map->meta, map->tail, map->records);
	return 0;
fail:
	r = -errno;
	ring_unmap(map);
	return r;
}

#endif
