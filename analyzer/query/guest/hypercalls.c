// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercalls.c - looks for a guest of Hyper-V; see hypercalls.h
 */
#include "analyzer/query/guest/hypercalls.h"

#include <stdio.h>

#include "analyzer/query/db.h"
#include "analyzer/query/vms.h"
#include "analyzer/query/where.h"
#include "kvm/uapi/kvm_exit_ring.h"

/*
 * RDMSR and WRMSR (Intel SDM, appendix C; AMD APM 2, appendix C) of Hyper-V's MSRs but the first:
 * 0x40000000 is also where Xen may have its hypercall page.
 */
#define HYPERV_SQL                                                                                 \
	"SELECT DISTINCT e.vcpu FROM exit e WHERE %%s AND e.reason & 65535 IN (%s) AND e.key BETWEEN 0x40000001 AND 0x400001ff"

/* Mark the VM of a vCPU. */
static void mark(struct run *run, int64_t vcpu)
{
	const struct vcpu_ref *ref = run_find_vcpu(run, vcpu);

	for (unsigned int i = 0; ref && i < run->n_vms; i++)
		if (run->vms[i].id == ref->vm)
			run->vms[i].uses_hyperv = true;
	run->hyperv = HYPERV_SEEN;
}

static int read_vms(struct app *app)
{
	struct run all = app->run;
	sqlite3_stmt *stmt = NULL;
	char sql[200];
	int rc;

	/* Whatever --reason, --from and --to leave out. */
	all.reasons = 0;
	all.from = 0;
	all.to = INT64_MAX;
	all.by_rows = false;

	app->run.hyperv = HYPERV_NOT_SEEN;
	snprintf(sql, sizeof(sql), HYPERV_SQL, all.isa == KVM_EXIT_ISA_VMX ? "31, 32" : "0x7c");
	rc = where_prepare(app, &all, sql, &stmt);
	while (!rc && (rc = db_step(app, stmt)) > 0) {
		mark(&app->run, sqlite3_column_int64(stmt, 0));
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

bool hypercalls_may_be_hyperv(struct app *app, int64_t vm)
{
	struct run *run = &app->run;
	const struct vm_ref *ref;

	if (run->hyperv == HYPERV_NOT_READ && read_vms(app)) {
		for (unsigned int i = 0; i < run->n_vms; i++)
			run->vms[i].uses_hyperv = true;
		run->hyperv = HYPERV_SEEN;
	}

	ref = vm >= 0 ? vms_find(run, vm) : NULL;
	return ref ? ref->uses_hyperv : run->hyperv == HYPERV_SEEN;
}
