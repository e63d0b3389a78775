/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * commands.h - two runs, or a run and a reference
 */
#ifndef EXITSCOPE_ANALYZER_COMMANDS_COMPARE_COMMANDS_H
#define EXITSCOPE_ANALYZER_COMMANDS_COMPARE_COMMANDS_H

#include "analyzer/commands/compare/help.h"
#include "analyzer/commands/options/command.h"

extern const struct cmd cmd_compare;
extern const struct cmd cmd_baseline;

#endif
