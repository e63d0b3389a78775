/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.h - the rules of findings.h; private to findings/
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_FINDINGS_RULES_H
#define EXITSCOPE_ANALYZER_QUERY_FINDINGS_RULES_H

#include "analyzer/query/findings/data.h"
#include "analyzer/query/findings/findings.h"

/* Add a finding, which is copied. -1 with app->error. */
int findings_add(struct findings *findings, struct app *app, const struct finding *finding);

/* Rules about the time of each VM, about memory, and about shares of exits. */
int findings_apply_steal(const struct findings_data *data, struct findings *findings);
int findings_apply_time(const struct findings_data *data, struct findings *findings);
int findings_apply_memory(const struct findings_data *data, struct findings *findings);
int findings_apply_shares(const struct findings_data *data, struct findings *findings);

#endif
