// SPDX-License-Identifier: GPL-2.0-only
/* leaf_reading.c - finds readings that were imported before; see leaf_reading.h */
#include "analyzer/verify/leaf_reading.h"

#include <stdlib.h>

#include "base/array.h"
#include "kvm/uapi/kvm_exit_ring.h"

/* CPUID among the exit reasons (SDM vol. 3, appendix C; APM vol. 2, appendix C). */
#define VMX_CPUID 10
#define SVM_CPUID 0x72

/* A reading that no other one of its VM can be equal to. */
static bool is_unique(const struct leaf_reading *r, int isa)
{
	int64_t cpuid = isa == KVM_EXIT_ISA_VMX ? VMX_CPUID : SVM_CPUID;

	return r->value && !r->undefined && (r->reason == LEAF_EVERY || r->reason == cpuid);
}

static int compare_content(const struct leaf_reading *x, const struct leaf_reading *y)
{
	if (x->leaf != y->leaf)
		return x->leaf < y->leaf ? -1 : 1;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (x->undefined != y->undefined)
		return x->undefined ? 1 : -1;
	return (x->value > y->value) - (x->value < y->value);
}

/* By what was read; of equal ones the earlier is first. */
static int by_content(const void *a, const void *b)
{
	const struct leaf_reading *const *x = a, *const *y = b;
	int order = compare_content(*x, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

/* @at is equal to the reading @shift before it: so are those around both that are equal, too. */
static int mark_around(struct leaf_reading *readings, int count, int at, int shift)
{
	int marked = 0;

	for (int i = at; i < count && !readings[i].again &&
			 !compare_content(&readings[i], &readings[i - shift]);
	     i++, marked++)
		readings[i].again = true;
	for (int i = at - 1; i >= shift && !readings[i].again &&
			     !compare_content(&readings[i], &readings[i - shift]);
	     i--, marked++)
		readings[i].again = true;
	return marked;
}

int leaf_readings_find_again(struct leaf_reading *readings, int count, int isa)
{
	struct leaf_reading **unique = NULL;
	size_t n = 0;
	int marked = 0;

	for (int i = 0; i < count; i++) {
		struct leaf_reading **more;

		if (!is_unique(&readings[i], isa))
			continue;
		more = array_reserve(unique, n, 1, sizeof(struct leaf_reading *));
		if (!more) {
			free(unique);
			return -1;
		}
		unique = more;
		unique[n++] = &readings[i];
	}
	array_sort(unique, n, sizeof(struct leaf_reading *), by_content);

	for (size_t i = 1; i < n; i++) {
		struct leaf_reading *first = unique[i - 1], *second = unique[i];

		if (!second->again && !compare_content(first, second))
			marked += mark_around(readings, count, (int)(second - readings),
					      (int)(second - first));
	}
	free(unique);
	return marked;
}
