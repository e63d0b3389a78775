/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * label.h - the key of a group, for people
 */
#ifndef EXITSCOPE_ANALYZER_OUTPUT_LABEL_H
#define EXITSCOPE_ANALYZER_OUTPUT_LABEL_H

#include "analyzer/output/out.h"
#include "analyzer/query/agg.h"
#include "analyzer/query/symbols.h"

/*
 * Put the cells that name @group: two, one for BY_VM and BY_PCPU, three for BY_SUBKEY
 * and BY_REGION. @symbols:
 * for BY_RIP; with none in it there are no names. -1 with app->error.
 */
int label_put(struct app *app, struct out *out, enum agg_by by, const struct symbols *symbols,
	      const struct group *group);

#endif
