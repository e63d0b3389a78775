// SPDX-License-Identifier: GPL-2.0-only
/* identify.c - asks this host for names of VMs and threads; see identify.h */
#include "collector/identify.h"

#include <stdlib.h>

#include "base/array.h"
#include "collector/host/names.h"

struct identify_vcpu {
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t tid;
	bool is_done;  /* its thread was looked for */
	bool is_named; /* its VM's names were read */
};

/* Remembers a vCPU that was announced. Without memory it gets no name. */
static struct identify_vcpu *add_vcpu(struct identify *identify, const struct source_item *item)
{
	struct identify_vcpu *vcpus;

	if (item->vcpu != identify->count)
		return NULL;
	vcpus = array_reserve(identify->vcpus, (size_t)identify->count, 1, sizeof(*vcpus));
	if (!vcpus)
		return NULL;

	identify->vcpus = vcpus;
	vcpus[identify->count] = (struct identify_vcpu){
		.tgid = item->info.tgid,
		.vcpu_id = item->info.vcpu_id,
		.tid = item->info.tid,
	};
	return &vcpus[identify->count++];
}

/* Reads the names of a vCPU's VM. Those that were read before its process began to end stay. */
static bool read_names(struct identify *identify, struct identify_vcpu *v)
{
	int rc = names_read(identify->root, v->tgid, &identify->identity);

	for (int i = 0; rc > 0 && i < identify->count; i++)
		if (identify->vcpus[i].is_named && identify->vcpus[i].tgid == v->tgid)
			return false;
	v->is_named = rc >= 0;
	return rc >= 0;
}

bool identify_item(struct identify *identify, const struct source_item *item,
		   struct source_item *names)
{
	struct identify_vcpu *v = NULL;

	if (!identify->root)
		return false;
	if (item->kind == SOURCE_VCPU) {
		v = add_vcpu(identify, item);
	} else if ((item->kind == SOURCE_RECORDS || item->kind == SOURCE_SUMS) &&
		   item->vcpu < identify->count) {
		v = &identify->vcpus[item->vcpu];
		if (v->is_done)
			return false;
		v->is_done = true;
	}

	if (!v || !v->tgid || !read_names(identify, v))
		return false;
	identify->identity.tid = v->tid;
	if (v->is_done)
		names_read_thread(identify->root, v->tgid, v->vcpu_id, &identify->identity);

	*names = (struct source_item){
		.kind = SOURCE_NAMES,
		.vcpu = item->vcpu,
		.names = &identify->identity,
	};
	return true;
}

void identify_free(struct identify *identify)
{
	free(identify->vcpus);
	*identify = (struct identify){0};
}
