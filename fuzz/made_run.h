/* SPDX-License-Identifier: GPL-2.0-only */
/* made_run.h - adds a small run to a database */
#ifndef EXITSCOPE_FUZZ_MADE_RUN_H
#define EXITSCOPE_FUZZ_MADE_RUN_H

/* Two vCPUs with all that a run may have: losses, totals, leaves, capabilities. Return what the
 * store returns.
 */
int made_run(const char *path, const char *label);

#endif
