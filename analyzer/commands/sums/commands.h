/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - counts and times of all exits, by reason and by what they are about
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_SUMS_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_SUMS_COMMANDS_H

#include "analyzer/commands/options/command.h"
#include "analyzer/commands/sums/help.h"

extern const struct cmd cmd_findings;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_top_exits;
extern const struct cmd cmd_latency;
extern const struct cmd cmd_histogram;
extern const struct cmd cmd_symbols;

#endif
