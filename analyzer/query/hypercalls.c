// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercalls.c - looks for a guest of Hyper-V; see hypercalls.h
 */
#include "analyzer/query/hypercalls.h"

#include <stdio.h>

#include "analyzer/query/db.h"
#include "analyzer/query/where.h"
#include "kvm/uapi/kvm_exit_ring.h"

/*
 * RDMSR and WRMSR (Intel SDM, appendix C; AMD APM 2, appendix C) of Hyper-V's MSRs but the first:
 * 0x40000000 is also where Xen may have its hypercall page.
 */
#define HYPERV_SQL                                                                                 \
	"SELECT 1 FROM exit e WHERE %%s AND e.reason & 65535 IN (%s) AND e.key BETWEEN 0x40000001 AND 0x400001ff LIMIT 1"

static int find_msr(struct app *app)
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

	snprintf(sql, sizeof(sql), HYPERV_SQL, all.isa == KVM_EXIT_ISA_VMX ? "31, 32" : "0x7c");
	rc = where_prepare(app, &all, sql, &stmt);
	if (!rc)
		rc = db_step(app, stmt);
	sqlite3_finalize(stmt);
	return rc;
}

bool hypercalls_may_be_hyperv(struct app *app)
{
	struct run *run = &app->run;

	if (run->hyperv == HYPERV_NOT_READ)
		run->hyperv = find_msr(app) ? HYPERV_SEEN : HYPERV_NOT_SEEN;
	return run->hyperv == HYPERV_SEEN;
}
