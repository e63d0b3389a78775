// SPDX-License-Identifier: GPL-2.0-only
/* new_rings.c - makes rings, and hands them to the BPF programs; see new_rings.h */
#include "collector/source/bpf/new_rings.h"

#include <bpf/bpf.h>
#include <errno.h>

int new_rings_create(uint32_t bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "exit_ring", sizeof(uint32_t), bytes, 1,
				&options);

	return fd < 0 ? -errno : fd;
}

static void *insert(void *argument)
{
	struct bpf_new_ring *ring = argument;

	ring->rc = bpf_map_update_elem(ring->map, &ring->index, &ring->fd, BPF_ANY) ? -errno : 0;
	return NULL;
}

void new_rings_insert(struct bpf_new_ring *rings, uint32_t n, int map)
{
	for (uint32_t i = 0; i < n; i++) {
		rings[i].map = map;
		/* The last one, and those without a thread, are done here. */
		rings[i].has_thread =
			i + 1 < n && !pthread_create(&rings[i].thread, NULL, insert, &rings[i]);
	}
	for (uint32_t i = n; i-- > 0;) {
		if (rings[i].has_thread)
			pthread_join(rings[i].thread, NULL);
		else
			insert(&rings[i]);
	}
}
