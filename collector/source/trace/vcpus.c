// SPDX-License-Identifier: GPL-2.0-only
/* vcpus.c - a list of vCPUs, and a tree of the same */
#include "collector/source/trace/vcpus.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "base/array.h"

static int by_key(const void *a, const void *b)
{
	const struct vcpu *left = a, *right = b;

	if (left->tgid != right->tgid)
		return left->tgid > right->tgid ? 1 : -1;
	if (left->vcpu_id != right->vcpu_id)
		return left->vcpu_id > right->vcpu_id ? 1 : -1;
	return (left->slot > right->slot) - (left->slot < right->slot);
}

static int make_vcpu(struct vcpus *vcpus, const struct vcpu *like, struct vcpu **made)
{
	struct vcpu **more;
	struct vcpu *vcpu;

	if (vcpus->count == VCPUS_MOST)
		return -E2BIG;
	more = array_reserve(vcpus->vcpu, vcpus->count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	vcpus->vcpu = more;

	vcpu = malloc(sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	*vcpu = *like;
	if (!tsearch(vcpu, &vcpus->tree, by_key)) {
		free(vcpu);
		return -ENOMEM;
	}
	vcpus->vcpu[vcpus->count++] = vcpu;
	*made = vcpu;
	return 0;
}

int vcpus_get(struct vcpus *vcpus, const struct vcpu *like, struct vcpu **vcpu, bool *made)
{
	struct vcpu **found;
	int rc = 0;

	/* Most events are of the vCPU of the one before. */
	*vcpu = vcpus->last;
	*made = false;
	if (*vcpu && !by_key(*vcpu, like))
		return 0;

	found = tfind(like, &vcpus->tree, by_key);
	if (found)
		*vcpu = *found;
	else
		rc = make_vcpu(vcpus, like, vcpu);
	*made = !found && !rc;
	if (!rc)
		vcpus->last = *vcpu;
	return rc;
}

/* The tree's vCPUs are freed by their list. */
static void keep(void *vcpu)
{
	(void)vcpu;
}

void vcpus_free(struct vcpus *vcpus)
{
	for (size_t i = 0; i < vcpus->count; i++) {
		pairs_free(&vcpus->vcpu[i]->pairs);
		free(vcpus->vcpu[i]);
	}
	free(vcpus->vcpu);
	tdestroy(vcpus->tree, keep);
	*vcpus = (struct vcpus){0};
}
