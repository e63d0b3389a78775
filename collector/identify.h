/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * identify.h - when to ask this host what a VM and the thread of a vCPU are called
 *
 * The VM as soon as its first vCPU appears: it may be gone soon. The thread with the vCPU's
 * first records: then it has run, and KVM knows its thread.
 */
#ifndef EXITSCOPE_COLLECTOR_IDENTIFY_H
#define EXITSCOPE_COLLECTOR_IDENTIFY_H

#include "collector/source/source.h"

struct identify_vcpu;

/* All zero to begin with. */
struct identify {
	const char *root; /* of /proc, as in names.h; NULL: names are not read */
	struct identify_vcpu *vcpus;
	int count;
	struct store_identity identity; /* what identify_item() found */
};

/**
 * identify_item - name the VM of an item of a source that records on this host
 * @names: filled in
 * @item: what the source gave
 *
 * Return: true if @names is a new SOURCE_NAMES item to store after @item.
 */
bool identify_item(struct identify *identify, const struct source_item *item,
		   struct source_item *names);

void identify_free(struct identify *identify);

#endif
