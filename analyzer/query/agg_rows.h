/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agg_rows.h - the sums of agg.h from the recorded rows; for agg.c alone
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_AGG_ROWS_H
#define EXITSCOPE_ANALYZER_QUERY_AGG_ROWS_H

#include "analyzer/query/agg.h"

/* @bins: for BY_SLOT */
int agg_read_rows(struct app *app, const struct run *run, enum agg_by by, unsigned int flags,
		  const struct agg_bins *bins, struct agg *agg);

/*
 * Add the dropped exits of KVM's totals to the groups of BY_REASON, BY_VM or BY_VCPU. A whole
 * run alone has them.
 */
int agg_add_dropped(struct app *app, const struct run *run, enum agg_by by, struct agg *agg);

#endif
