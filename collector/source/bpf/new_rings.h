/* SPDX-License-Identifier: GPL-2.0-only */
/* new_rings.h - makes rings, and hands them to the BPF programs */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_NEW_RINGS_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_NEW_RINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Most rings that are handed over at once. */
#define BPF_NEW_RINGS 32U

struct bpf_area;

/*
 * struct bpf_new_ring - a ring that the programs don't have yet
 * @area:	its first part, as it is mapped here
 * @index:	where the programs will find it
 * @fd:		the map that it is
 * @rc:		0, or -errno if the kernel did not take it
 */
struct bpf_new_ring {
	struct bpf_area *area;
	uint32_t index;
	int fd;
	int rc;

	int map; /* new_rings_insert()'s own, and all that follows */
	pthread_t thread;
	bool has_thread;
};

/*
 * Creates the map that a ring is, of one element of @bytes which can be mapped. Returns its file,
 * to be closed, or -errno.
 */
int new_rings_create(uint32_t bytes);

/*
 * Puts the rings into the map of maps @map, and sets @rc of each. The kernel waits for a grace
 * period of RCU with each of them (maybe_wait_bpf_programs() in kernel/bpf/syscall.c), so each has
 * a thread of its own, and one grace period does for all.
 */
void new_rings_insert(struct bpf_new_ring *rings, uint32_t n, int map);

#endif
