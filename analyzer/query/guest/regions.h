/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * regions.h - what is at a guest-physical address: --memory-map
 *
 * The map is one of these texts; which one is seen from its lines.
 *
 *	QEMU's monitor command "info mtree -f":
 *		0000000000000000-000000000009ffff (prio 0, ram): pc.ram
 *	/proc/iomem of the guest, read as root:
 *		fee00000-fee00fff : Local APIC
 *	lines START-END NAME:
 *		0xfe000000-0xfe0001ff virtio-net of web-1
 *
 * Addresses are hexadecimal, and END is the last one. Of regions that overlap, the one that
 * begins last counts, so that the inner ones of iomem win. Of QEMU's flat views only those of an
 * address space called "memory" count: the others are ports, and PCI devices.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_REGIONS_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_REGIONS_H

#include "analyzer/query/app.h"

struct region {
	uint64_t first, last;
	const char *name;
};

/*
 * struct regions - in the order of their beginnings, of equal ones the larger first
 * @reach: of each, the highest address of it and all before it
 * @text: what the names point into
 */
struct regions {
	struct region *region;
	uint64_t *reach;
	size_t n;
	char *text;
};

/* Read a map; NULL @path: no regions. Return: 0, or -1 with app->error. */
int regions_load(struct app *app, const char *path, struct regions *regions);
void regions_free(struct regions *regions);

/*
 * regions_place - where a guest-physical address is, if need be by a rule
 * @run: its map counts first; then what a PC has at fixed addresses; then the 2 MiB around it
 * @place: filled in; the name is NULL for the last case
 */
void regions_place(const struct run *run, uint64_t address, struct region *place);

/* The name of a place, by its ends; NULL: none. */
const char *regions_place_name(const struct run *run, uint64_t first, uint64_t last);

/**
 * regions_meaning - the name of what an exit of app->run was about, as meaning_of_key(), by the map
 * first; never KVM's name for what may be a hypercall of Hyper-V's (hypercalls.h)
 * @vm: vm.id, or HYPERCALLS_ANY_VM
 */
const char *regions_meaning(struct app *app, int64_t vm, int64_t reason, int64_t key, int64_t aux,
			    char *text, size_t bytes);

#endif
