/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * label.h - the key of a group, for people
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_LABEL_H
#define EXITSCOPE_ANALYZER_OUTPUT_LABEL_H

#include "analyzer/output/out.h"
#include "analyzer/query/guest/symbols.h"
#include "analyzer/query/sums/agg.h"

#define LABEL_COLUMNS 3 /* at most */

/* Copy the columns of the cells that label_put() puts, and return how many. @by: not BY_SLOT. */
int label_columns(enum agg_by by, struct out_column column[LABEL_COLUMNS]);

/*
 * Read the names that BY_SUBKEY and BY_USER_REASON take from an exit of each group, for @count
 * groups in one go: most of these exits are in a chunk of their own. Call it once for an output,
 * before label_put(). -1 with app->error.
 */
int label_read_examples(struct app *app, struct out *out, enum agg_by by,
			const struct group *groups, uint32_t count);

/*
 * Put the cells that name @group, as many as label_columns() says. @symbols: for BY_RIP; without
 * any in it there are no names. -1 with app->error.
 */
int label_put(struct app *app, struct out *out, enum agg_by by, const struct symbols *symbols,
	      const struct group *group);

#endif
