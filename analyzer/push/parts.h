/* SPDX-License-Identifier: GPL-2.0-only */
/* parts.h - the parts of a run: which rows of each table a server does not have yet */
#ifndef EXITSCOPE_ANALYZER_PUSH_PARTS_H
#define EXITSCOPE_ANALYZER_PUSH_PARTS_H

#include "analyzer/push/batch.h"

/*
 * Send what is new of the run. The batch is empty, except for what it is about. Return: 0, or -1
 * with app->error.
 */
int parts_send(struct batch *batch);

#endif
