/* SPDX-License-Identifier: GPL-2.0-only */
/* vcpus.h - the vCPUs of a recording, by process, id and slot */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_VCPUS_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_VCPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/source/trace/pairs.h"

/* More than any host has; a damaged file may name 2^32. */
#define VCPUS_MOST 16384U

/*
 * A vCPU; its key is @tgid, @vcpu_id and @slot (identity.h).
 * @tid: thread that it was first seen on
 * @number: for the sink; -1: not announced
 */
struct vcpu {
	uint32_t tgid;
	uint32_t vcpu_id;
	uint32_t slot;
	uint32_t tid;
	int number;
	struct pairs pairs;
};

/* Zeroed at first. @vcpu: in the order in which they came; @tree: the same by their keys */
struct vcpus {
	struct vcpu **vcpu;
	size_t count;
	void *tree;
	struct vcpu *last; /* that was looked up last */
};

/*
 * vcpus_get - the vCPU with the key of @like; if there is none, *@made, as a copy of @like
 *
 * Return 0, -ENOMEM, or -E2BIG: more than VCPUS_MOST.
 */
int vcpus_get(struct vcpus *vcpus, const struct vcpu *like, struct vcpu **vcpu, bool *made);

void vcpus_free(struct vcpus *vcpus);

#endif
