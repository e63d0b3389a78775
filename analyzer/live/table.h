/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - a snapshot of a recording in progress as lines and a table
 */
#ifndef EXITSCOPE_ANALYZER_LIVE_TABLE_H
#define EXITSCOPE_ANALYZER_LIVE_TABLE_H

#include "analyzer/live/data.h"
#include "analyzer/output/out.h"

/*
 * struct snapshot - what is shown of live
 * @row, @rows: live_rows(), in the order in which they are shown
 * @total: live_total()
 * @page: a line that names the VM it is about, "VM LABEL"; NULL: the VMs of the command line
 * @bright: a terminal draws it: the first line and the titles are marked with '\2' (screen.h)
 * @frozen: it is not the latest one
 * @taken: when; Unix time in seconds
 */
struct snapshot {
	struct live *live;
	struct live_row *row;
	unsigned int rows;
	struct live_row total;
	const char *page;
	bool bright;
	bool frozen;
	double taken;
};

/* The lines above the table: the run, its VMs, counts, states, and which time a column is about. */
void table_put_head(struct out *out, const struct snapshot *snapshot);

/* The table, of @limit rows at most. */
void table_put_rows(struct out *out, const struct snapshot *snapshot, unsigned int limit);

#endif
