/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * caps.h - the VMX capabilities of a run, and which exits can occur under them
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_CAPS_H
#define EXITSCOPE_ANALYZER_QUERY_CAPS_H

#include "analyzer/query/app.h"
#include "kvm/caps/vmx_caps_decode.h"

struct caps_cpu {
	unsigned int cpu; /* logical CPU */
	struct vmx_caps_cpu msrs;
};

struct caps {
	struct caps_cpu *cpu; /* in ascending order */
	int cpus;
};

/* Whether exits of a reason can occur in a run. */
enum caps_verdict {
	CAPS_NO,
	CAPS_NESTED, /* only from a guest of a guest */
	CAPS_YES,
	CAPS_UNKNOWN,
};

struct caps_reason {
	int64_t number;
	char name[64];
	enum caps_verdict verdict;
	char because[128];
	int64_t exits; /* of this basic reason in the run */
};

/* Loads the rows of @run. -1 with app->error if there are none. */
int caps_load(struct app *app, const struct run *run, struct caps *caps);
void caps_free(struct caps *caps);

/*
 * Judges every basic reason of VMX that the database knows, by the CPUs and by
 * the module parameters of @run. The caller frees *@reasons.
 */
int caps_reasons(struct app *app, const struct run *run, const struct caps *caps,
		 struct caps_reason **reasons, int *count);

#endif
